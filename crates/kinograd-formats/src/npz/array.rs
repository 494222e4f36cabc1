//! Arrays of NumPy, of any number type.

use std::collections::BTreeMap;
use std::path::Path;

use glam::DVec3;
use kinograd_files::{Budget, Npy, read_npy, unzip};
use kinograd_motion::MotionError;

/// Arrays of an NPZ by name, or the one of an NPY under the empty name.
pub(super) struct Arrays {
    /// What messages call the file.
    file: String,
    raw: BTreeMap<String, Vec<u8>>,
}

/// Numbers in the order of the last index.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

impl Arrays {
    pub fn read(path: &Path) -> Result<Self, MotionError> {
        let budget = Budget::of_process();
        let bytes = kinograd_files::read(path, budget)?;
        let file = path.display().to_string();
        let raw = if bytes.starts_with(b"\x93NUMPY") {
            BTreeMap::from([(String::new(), bytes)])
        } else {
            let files = unzip(&bytes, budget).map_err(|e| bad(format!("{file}: {e}")))?;
            let name = |name: String| name.trim_end_matches(".npy").to_owned();
            files
                .into_iter()
                .map(|(n, bytes)| (name(n), bytes))
                .collect()
        };
        Ok(Self { file, raw })
    }

    pub fn has(&self, name: &str) -> bool {
        self.raw.contains_key(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.raw.keys().map(String::as_str)
    }

    /// An error that names the file.
    pub fn bad(&self, message: impl std::fmt::Display) -> MotionError {
        bad(format!("{}: {message}", self.file))
    }

    /// An array of numbers, of any type.
    pub fn get(&self, name: &str) -> Result<Array, MotionError> {
        let npy = self.npy(name)?;
        numbers(&npy).map_err(|message| self.named(name, message))
    }

    /// An array that is there and has a shape; `None` in the shape is any length.
    pub fn shaped(&self, name: &str, shape: &[Option<usize>]) -> Result<Array, MotionError> {
        let array = self.get(name)?;
        let fits = array.shape.len() == shape.len()
            && array
                .shape
                .iter()
                .zip(shape)
                .all(|(got, want)| want.is_none_or(|w| w == *got));
        if fits {
            return Ok(array);
        }
        let sides = shape
            .iter()
            .map(|side| side.map_or("*".to_owned(), |side| side.to_string()));
        let expected: Vec<String> = sides.collect();
        Err(self.named(
            name,
            format!("expected [{}], got {:?}", expected.join(", "), array.shape),
        ))
    }

    /// A single number.
    pub fn scalar(&self, name: &str) -> Result<f64, MotionError> {
        match self.get(name)?.data[..] {
            [number] => Ok(number),
            _ => Err(self.named(name, "a single number was expected")),
        }
    }

    /// The shape of an array, whatever it holds.
    pub fn shape(&self, name: &str) -> Result<Vec<usize>, MotionError> {
        Ok(self.npy(name)?.shape)
    }

    /// An array of bytes.
    pub fn text(&self, name: &str) -> Result<&[u8], MotionError> {
        let npy = self.npy(name)?;
        if matches!(npy.descr, "|u1" | "|i1" | "<u1" | "u1") {
            return Ok(npy.data);
        }
        Err(self.named(name, format!("bytes were expected, got `{}`", npy.descr)))
    }

    /// A list of names: JSON in bytes, or an array of texts.
    pub fn names_in(&self, name: &str) -> Result<Vec<String>, MotionError> {
        let npy = self.npy(name)?;
        let kind = npy.descr.trim_start_matches(['<', '>', '|', '=']);
        let is_big = npy.descr.starts_with('>');
        let count = npy.shape.iter().product::<usize>().max(1);
        let each = (npy.data.len() / count).max(1);
        let until_zero = |text: String| text.trim_end_matches('\0').to_owned();
        let words = npy.data.chunks_exact(each);
        match kind.chars().next() {
            Some('U') => Ok(words
                .map(|word| {
                    let letter = |four: &[u8]| {
                        let four = [four[0], four[1], four[2], four[3]];
                        let code = if is_big {
                            u32::from_be_bytes(four)
                        } else {
                            u32::from_le_bytes(four)
                        };
                        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                    };
                    until_zero(word.chunks_exact(4).map(letter).collect())
                })
                .collect()),
            Some('S') => Ok(words
                .map(|word| until_zero(String::from_utf8_lossy(word).into_owned()))
                .collect()),
            _ => serde_json::from_slice(self.text(name)?).map_err(|e| self.named(name, e)),
        }
    }

    fn npy(&self, name: &str) -> Result<Npy<'_>, MotionError> {
        let bytes = self.raw.get(name);
        let bytes = bytes.ok_or_else(|| self.named(name, "it is not there"))?;
        read_npy(bytes).map_err(|message| self.named(name, message))
    }

    fn named(&self, name: &str, message: impl std::fmt::Display) -> MotionError {
        if name.is_empty() {
            return self.bad(message);
        }
        self.bad(format!("array `{name}`: {message}"))
    }
}

impl Array {
    /// Three numbers that begin at an index.
    pub fn vector(&self, at: usize) -> DVec3 {
        DVec3::from_slice(&self.data[at..at + 3])
    }
}

fn numbers(npy: &Npy<'_>) -> Result<Array, String> {
    let kind = npy.descr.trim_start_matches(['<', '>', '|', '=']);
    let swapped = npy.descr.starts_with('>');
    macro_rules! read {
        ($type:ty) => {{
            const BYTES: usize = size_of::<$type>();
            let element = |bytes: &[u8]| {
                let mut element = [0; BYTES];
                element.copy_from_slice(bytes);
                if swapped {
                    element.reverse();
                }
                <$type>::from_le_bytes(element) as f64
            };
            npy.data.chunks_exact(BYTES).map(element).collect()
        }};
    }
    let data: Vec<f64> = match kind {
        "f8" => read!(f64),
        "f4" => read!(f32),
        "f2" => {
            let halves: Vec<f64> = read!(u16);
            halves.into_iter().map(|bits| half(bits as u16)).collect()
        }
        "i8" => read!(i64),
        "i4" => read!(i32),
        "i2" => read!(i16),
        "i1" => read!(i8),
        "u8" => read!(u64),
        "u4" => read!(u32),
        "u2" => read!(u16),
        "u1" | "b1" => read!(u8),
        _ => return Err(format!("numbers were expected, got `{}`", npy.descr)),
    };
    let shape = npy.shape.clone();
    let data = if npy.fortran_order && shape.len() > 1 {
        last_index_first(&shape, &data)
    } else {
        data
    };
    Ok(Array { shape, data })
}

/// Binary16 (IEEE 754) as a number.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
    sign * match exponent {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
    }
}

/// Fortran's order as C's.
fn last_index_first(shape: &[usize], data: &[f64]) -> Vec<f64> {
    let mut steps = vec![1; shape.len()];
    for side in 1..shape.len() {
        steps[side] = steps[side - 1] * shape[side - 1];
    }
    let mut index = vec![0; shape.len()];
    let mut list = Vec::with_capacity(data.len());
    for _ in 0..data.len() {
        list.push(
            data[index
                .iter()
                .zip(&steps)
                .map(|(i, step)| i * step)
                .sum::<usize>()],
        );
        for side in (0..shape.len()).rev() {
            index[side] += 1;
            if index[side] < shape[side] {
                break;
            }
            index[side] = 0;
        }
    }
    list
}

pub(super) fn bad(message: String) -> MotionError {
    MotionError::Format {
        format: "NPZ",
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_any_kind_are_numbers() {
        let npy = |descr, fortran_order, shape: &[usize], data| Npy {
            descr,
            fortran_order,
            shape: shape.to_vec(),
            data,
        };
        let big = numbers(&npy(">f4", false, &[1], &[0x3f, 0x80, 0, 0])).unwrap();
        assert_eq!(big.data, [1.0]);
        let halves = [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00];
        let half = numbers(&npy("<f2", false, &[3], &halves)).unwrap();
        assert_eq!(half.data, [1.0, -2.0, 2f64.powi(-24)]);
        let turned = numbers(&npy("|u1", true, &[2, 3], &[0, 3, 1, 4, 2, 5])).unwrap();
        assert_eq!(turned.data, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert!(numbers(&npy("<U4", false, &[0], &[])).is_err());
    }
}
