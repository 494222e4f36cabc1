//! What archives and arrays declare, held against what is there.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use crate::Budget;

/// The files of a zip archive, such as an NPZ, by name. What an entry declares is not believed: it
/// is unpacked up to its declared size, and all of them up to [`Budget::bytes`].
///
/// # Errors
/// A sentence with the entry's name.
pub fn unzip(bytes: &[u8], budget: &Budget) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut files = BTreeMap::new();
    let mut left = budget.bytes;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| error.to_string())?;
        let name = entry.name().to_owned();
        let refuse = |reason: String| format!("`{name}`: {reason}");
        budget
            .check("bytes when unpacked", entry.size(), left)
            .map_err(|error| refuse(error.to_string()))?;
        let mut content = Vec::new();
        // Grown as it comes: the size is a claim.
        let declared = entry.size();
        (&mut entry)
            .take(declared.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| refuse(error.to_string()))?;
        if content.len() as u64 != declared {
            return Err(refuse(format!(
                "{declared} bytes are declared, {} or more came",
                content.len()
            )));
        }
        left -= declared;
        if files.insert(name.clone(), content).is_some() {
            return Err(refuse("it is there twice".to_owned()));
        }
    }
    Ok(files)
}

/// Refuses a NumPy array (`.npy`) whose header declares more or less than its bytes hold, so that a
/// reader may allocate what the header says.
///
/// ```
/// use kinograd_files::check_npy;
/// let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (9999, 9999), }\n";
/// let mut npy = b"\x93NUMPY\x01\x00".to_vec();
/// npy.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
/// npy.extend(header.as_bytes());
/// npy.extend([0; 8]);
/// let error = check_npy(&npy).unwrap_err();
/// assert!(error.contains("needs 399920004 bytes, 8 are there"), "{error}");
/// ```
///
/// # Errors
/// A sentence with both numbers.
pub fn check_npy(bytes: &[u8]) -> Result<(), String> {
    read_npy(bytes).map(|_| ())
}

/// A NumPy array (`.npy`) taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Npy<'a> {
    /// The element type, as NumPy writes it: `<f4`.
    pub descr: &'a str,
    /// Whether the first index runs fastest.
    pub fortran_order: bool,
    /// The shape; its product times the element's size is the length of `data`.
    pub shape: Vec<usize>,
    /// The elements' bytes.
    pub data: &'a [u8],
}

/// Takes an array of plain elements apart.
///
/// # Errors
/// As [`check_npy`], and for Python objects.
pub fn read_npy(bytes: &[u8]) -> Result<Npy<'_>, String> {
    start_of_npy(bytes, bytes.len() as u64)
}

/// As [`check_npy`], of a file of `total` bytes that begins with `start`, such as one that is too
/// large to be read at once.
///
/// # Errors
/// As [`check_npy`].
pub fn check_npy_start(start: &[u8], total: u64) -> Result<(), String> {
    start_of_npy(start, total).map(|_| ())
}

fn start_of_npy(start: &[u8], total: u64) -> Result<Npy<'_>, String> {
    let (header, data) = split_npy(start).ok_or("this is no array of NumPy")?;
    let there = total.saturating_sub((start.len() - data.len()) as u64);
    let header = std::str::from_utf8(header).map_err(|_| "the header is no text")?;
    let descr = descr_of(header).ok_or("the header has no element type that is known")?;
    if descr.ends_with('O') {
        return Err("it holds Python objects (pickled); an array of numbers was expected".into());
    }
    let element = element_bytes(descr).ok_or("the header has no element type that is known")?;
    let shape = shape_of(header).ok_or("the header has no shape")?;
    let needed = shape
        .iter()
        .try_fold(u128::from(element), |bytes, &side| bytes.checked_mul(side))
        .ok_or("the shape in the header is beyond all numbers")?;
    // Writers may not pad, so more is as wrong as less.
    if needed != u128::from(there) {
        return Err(format!(
            "the shape {shape:?} of the header needs {needed} bytes, {there} are there"
        ));
    }
    // A side of an empty array may be of any length.
    let shape: Result<Vec<usize>, _> = shape.into_iter().map(usize::try_from).collect();
    Ok(Npy {
        descr,
        fortran_order: value(header, "fortran_order").is_some_and(|v| v.starts_with("True")),
        shape: shape.map_err(|_| "the shape in the header is beyond all numbers")?,
        data,
    })
}

fn split_npy(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (&[major, _minor], rest) = rest.split_first_chunk::<2>()?;
    let (len, rest) = if major == 1 {
        let (len, rest) = rest.split_first_chunk::<2>()?;
        (usize::from(u16::from_le_bytes(*len)), rest)
    } else {
        let (len, rest) = rest.split_first_chunk::<4>()?;
        (usize::try_from(u32::from_le_bytes(*len)).ok()?, rest)
    };
    rest.split_at_checked(len)
}

/// What follows a key of the header.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let at = [format!("'{key}'"), format!("\"{key}\"")]
        .iter()
        .find_map(|quoted| header.find(quoted.as_str()).map(|at| at + quoted.len()))?;
    Some(header[at..].trim_start().strip_prefix(':')?.trim_start())
}

/// The element type between its quotes.
fn descr_of(header: &str) -> Option<&str> {
    let quoted = value(header, "descr")?;
    let quote = quoted.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    quoted[1..].split(quote).next()
}

/// Bytes of one element: of `<f4` 4, of `<U12` 48.
fn element_bytes(descr: &str) -> Option<u32> {
    let kind = descr.trim_start_matches(['<', '>', '|', '=']);
    let letter = kind.chars().next()?;
    let digits = &kind[letter.len_utf8()..];
    let count: u32 = if digits.is_empty() && letter == '?' {
        1
    } else {
        digits.parse().ok()?
    };
    match letter {
        'U' => count.checked_mul(4),
        'b' | 'i' | 'u' | 'f' | 'c' | 'S' | 'a' | 'V' | '?' => Some(count),
        _ => None,
    }
}

fn shape_of(header: &str) -> Option<Vec<u128>> {
    let list = value(header, "shape")?.strip_prefix('(')?;
    let list = list.split(')').next()?;
    list.split(',')
        .map(str::trim)
        .filter(|side| !side.is_empty())
        .map(|side| side.trim_end_matches('L').parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn zipped(content: &[u8]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("joints.npy", options).unwrap();
        zip.write_all(content).unwrap();
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn bombs_and_lies_are_refused() {
        let bomb = zipped(&vec![0; 1 << 20]);
        assert_eq!(
            unzip(&bomb, &Budget::default()).unwrap()["joints.npy"].len(),
            1 << 20
        );
        let small = Budget {
            bytes: 1 << 19,
            ..Budget::default()
        };
        let error = unzip(&bomb, &small).unwrap_err();
        assert!(
            error.contains("`joints.npy`: bytes when unpacked: 1048576"),
            "{error}"
        );
        // The central directory declares another size than comes.
        let mut lie = bomb.clone();
        let directory = lie
            .windows(4)
            .rposition(|four| four == b"PK\x01\x02")
            .unwrap();
        lie[directory + 24..directory + 28].copy_from_slice(&8u32.to_le_bytes());
        assert!(unzip(&lie, &Budget::default()).is_err());
        assert!(unzip(b"no zip", &Budget::default()).is_err());
    }

    #[test]
    fn arrays_hold_what_they_declare() {
        let npy = |descr: &str, shape: &str, data: usize| {
            let header =
                format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
            bytes.extend(header.as_bytes());
            bytes.extend(vec![0; data]);
            bytes
        };
        check_npy(&npy("<f4", "(2, 3)", 24)).unwrap();
        check_npy(&npy("|b1", "()", 1)).unwrap();
        check_npy(&npy("<U3", "(5,)", 60)).unwrap();
        for (descr, shape, data) in [
            ("<f4", "(2, 3)", 23),
            ("<f4", "(999999999999, 999999999999, 99999999999999)", 8),
            ("<f4", "(18446744073709551616,)", 8),
            ("<f4", "(-1,)", 8),
            ("O", "(1,)", 8),
        ] {
            assert!(
                check_npy(&npy(descr, shape, data)).is_err(),
                "{descr} {shape}"
            );
        }
        assert!(check_npy(b"").is_err());
    }
}
