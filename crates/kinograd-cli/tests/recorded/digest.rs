//! What is stored of numbers: the shape, two sums and a few dozen values.

use std::collections::BTreeMap;
use std::path::Path;

use kinograd_testkit::Tolerance;
use serde::{Deserialize, Serialize};

use crate::list::Bounds;
use crate::read::{Kind, Numbers};

/// Values that are kept of an array.
const SAMPLES: usize = 15;
/// Blocks in a row and rows of blocks, whose mean colours are kept of a picture.
const BLOCKS: usize = 4;
/// Digits that are kept.
const DIGITS: usize = 6;

/// A digest of each output of a command, by name.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(BTreeMap<String, OfArray>);

/// A digest of an array.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfArray {
    kind: Kind,
    shape: Vec<usize>,
    /// Mean and root mean square, where not all values are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    means: Option<[f64; 2]>,
    /// Values at places that the shape decides; of pictures the mean colours of blocks.
    at: Vec<f64>,
}

impl Digest {
    /// Of a command's outputs.
    pub fn of(outputs: &[Numbers]) -> Self {
        let of = |numbers: &Numbers| (numbers.name.clone(), OfArray::of(numbers));
        let all: BTreeMap<_, _> = outputs.iter().map(of).collect();
        assert_eq!(all.len(), outputs.len(), "two outputs of one name");
        Self(all)
    }

    /// Stores it, a line an output.
    pub fn write(&self, path: &Path) {
        let line = |(name, array): (&String, &OfArray)| {
            let name = serde_json::to_string(name).unwrap();
            format!("{name}: {}", serde_json::to_string(array).unwrap())
        };
        let lines: Vec<String> = self.0.iter().map(line).collect();
        std::fs::write(path, format!("{{\n{}\n}}\n", lines.join(",\n"))).unwrap();
    }

    /// Where it is not what is stored.
    pub fn compare(&self, path: &Path, bounds: Bounds) -> Vec<String> {
        let stored = std::fs::read_to_string(path).map_err(|error| error.to_string());
        let stored = stored.and_then(|text| {
            serde_json::from_str::<Self>(&text).map_err(|error| error.to_string())
        });
        match stored {
            Ok(stored) => self.differences(&stored, bounds),
            Err(error) => vec![format!("{}: {error}", path.display())],
        }
    }

    fn differences(&self, stored: &Self, bounds: Bounds) -> Vec<String> {
        let mut problems = Vec::new();
        for name in self.0.keys().filter(|name| !stored.0.contains_key(*name)) {
            problems.push(format!("{name} is not recorded"));
        }
        for (name, expected) in &stored.0 {
            let difference = match self.0.get(name) {
                None => Some("is missing".to_owned()),
                Some(got) => got.difference(expected, bounds),
            };
            problems.extend(difference.map(|difference| format!("{name}: {difference}")));
        }
        problems
    }
}

impl OfArray {
    fn of(numbers: &Numbers) -> Self {
        let values = &numbers.values;
        let count = values.len().max(1) as f64;
        let at = match numbers.kind {
            Kind::Pixels => blocks(numbers),
            Kind::Array | Kind::Report => places(values.len()).map(|i| values[i]).collect(),
        };
        Self {
            kind: numbers.kind,
            shape: numbers.shape.clone(),
            means: (at.len() < values.len()).then(|| {
                let mean = |of: fn(f64) -> f64| values.iter().copied().map(of).sum::<f64>() / count;
                [rounded(mean(|x| x)), rounded(mean(|x| x * x).sqrt())]
            }),
            at: at.into_iter().map(rounded).collect(),
        }
    }

    fn difference(&self, expected: &Self, bounds: Bounds) -> Option<String> {
        if (self.kind, &self.shape) != (expected.kind, &expected.shape) {
            return Some(format!(
                "{:?} of shape {:?}, expected {:?} of {:?}",
                self.kind, self.shape, expected.kind, expected.shape
            ));
        }
        let [absolute, relative] = match self.kind {
            Kind::Pixels => bounds.pixels,
            Kind::Array => bounds.arrays,
            Kind::Report => bounds.reports,
        };
        let tolerance = Tolerance::Within { absolute, relative };
        let both = |digest: &Self| {
            let means = digest.means.into_iter().flatten();
            means.chain(digest.at.iter().copied()).collect::<Vec<f64>>()
        };
        let (got, stored) = (both(self), both(expected));
        if got.len() != stored.len() {
            return Some(format!("{} values, expected {}", got.len(), stored.len()));
        }
        let pairs: Vec<(f64, f64)> = got.into_iter().zip(stored).collect();
        let is_bad = |&&(got, expected): &&(f64, f64)| !tolerance.accepts(got, expected);
        let bad = pairs.iter().filter(is_bad).count();
        // In shares of what is allowed.
        let off = |&(got, expected): &(f64, f64)| {
            (got - expected).abs() / (absolute + relative * expected.abs())
        };
        let (got, expected) = *pairs.iter().max_by(|a, b| off(a).total_cmp(&off(b)))?;
        (bad > 0).then(|| {
            format!(
                "{bad} of {} values are off, the worst {:.3e} by {:.1} times what is allowed: got {got}, expected {expected}",
                pairs.len(),
                (got - expected).abs(),
                off(&(got, expected))
            )
        })
    }
}

/// Places in an array of a length: all of a short one, else spread by the golden ratio, which
/// favours no axis.
fn places(len: usize) -> impl Iterator<Item = usize> {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let spread = move |i: usize| ((i as f64 * GOLDEN).fract() * len as f64) as usize;
    (0..len.min(SAMPLES)).map(move |i| if len <= SAMPLES { i } else { spread(i) })
}

/// Mean colours of blocks of the first, the middle and the last picture of `[pictures, height,
/// width, channels]`.
fn blocks(numbers: &Numbers) -> Vec<f64> {
    let &[pictures, height, width, channels] = &numbers.shape[..] else {
        panic!("{}: pictures have four axes", numbers.name);
    };
    let mut chosen = vec![0, pictures / 2, pictures - 1];
    chosen.dedup();
    let mut means = Vec::new();
    for picture in chosen {
        let mut sums = vec![(0.0, 0.0); BLOCKS * BLOCKS * channels];
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let block = (y * BLOCKS / height) * BLOCKS + x * BLOCKS / width;
            let pixel = ((picture * height + y) * width + x) * channels;
            for channel in 0..channels {
                let (sum, count) = &mut sums[block * channels + channel];
                *sum += numbers.values[pixel + channel];
                *count += 1.0;
            }
        }
        means.extend(sums.into_iter().map(|(sum, count)| sum / count));
    }
    means
}

/// To so many digits as are stored.
fn rounded(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        arrays: [1e-3, 0.0],
        pixels: [1.0, 0.0],
        reports: [1e-3, 0.0],
    };

    fn array(kind: Kind, shape: &[usize], values: Vec<f64>) -> Numbers {
        Numbers {
            name: "a".to_owned(),
            kind,
            shape: shape.to_vec(),
            values,
        }
    }

    fn problems(got: &Numbers, expected: &Numbers) -> Vec<String> {
        let of = |numbers| Digest::of(std::slice::from_ref(numbers));
        of(got).differences(&of(expected), BOUNDS)
    }

    #[test]
    fn what_is_missing_new_or_of_another_shape_is_named() {
        let one = array(Kind::Report, &[2], vec![1.0, 2.0]);
        let other = Numbers {
            name: "b".to_owned(),
            ..one.clone()
        };
        assert!(problems(&one, &one).is_empty());
        assert_eq!(
            problems(&one, &other),
            ["a is not recorded", "b: is missing"]
        );
        let longer = array(Kind::Report, &[3], vec![1.0, 2.0, 1.0]);
        assert!(problems(&longer, &one)[0].contains("shape [3]"));
    }

    #[test]
    fn a_number_that_moves_is_seen_and_a_rounding_is_not() {
        let values: Vec<f64> = (0..600).map(|i| f64::from(i).sin()).collect();
        let expected = array(Kind::Array, &[100, 6], values.clone());
        let with = |index: usize, by: f64| {
            let mut values = values.clone();
            values[index] += by;
            array(Kind::Array, &[100, 6], values)
        };
        assert!(problems(&with(0, 5e-4), &expected).is_empty());
        assert_eq!(problems(&with(0, 2e-3), &expected).len(), 1);
        // No sample of its own: the sums see it where it is large.
        let unsampled = (0..600)
            .find(|&i| !places(600).any(|place| place == i))
            .unwrap();
        assert_eq!(problems(&with(unsampled, 2.0), &expected).len(), 1);
    }

    #[test]
    fn a_patch_of_a_picture_is_seen() {
        let size = [1, 20, 30, 3];
        let white = vec![255.0; 1800];
        let mut marked = white.clone();
        for y in 3..6 {
            marked[(y * 30 + 4) * 3..(y * 30 + 8) * 3].fill(0.0);
        }
        let of = |values| array(Kind::Pixels, &size, values);
        assert!(problems(&of(white.clone()), &of(white.clone())).is_empty());
        assert_eq!(problems(&of(marked), &of(white)).len(), 1);
    }
}
