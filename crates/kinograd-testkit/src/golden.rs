//! Golden inputs and outputs.

use std::fs::File;
use std::path::PathBuf;

use ndarray::{ArrayD, OwnedRepr};
use ndarray_npy::NpzReader;

/// The arrays of `tests/golden/<name>/io.npz`, written by the `make.py` beside it.
pub struct Golden {
    path: PathBuf,
}

impl Golden {
    /// Names a golden; nothing is read yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
        Self {
            path: PathBuf::from(root).join(name).join("io.npz"),
        }
    }

    /// An array of floats or integers, as f64.
    ///
    /// # Panics
    /// If the file or the array can't be read.
    #[must_use]
    #[expect(clippy::panic, reason = "a missing golden is a failed test")]
    pub fn f64(&self, name: &str) -> ArrayD<f64> {
        let file = File::open(&self.path)
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        let mut reader =
            NpzReader::new(file).unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        if let Ok(array) = reader.by_name::<OwnedRepr<f64>, _>(name) {
            return array;
        }
        if let Ok(array) = reader.by_name::<OwnedRepr<f32>, _>(name) {
            return array.mapv(f64::from);
        }
        match reader.by_name::<OwnedRepr<i64>, _>(name) {
            Ok(array) => array.mapv(|value| value as f64),
            Err(error) => panic!("{}: `{name}`: {error}", self.path.display()),
        }
    }

    /// An array of floats, as f32.
    ///
    /// # Panics
    /// If the file or the array can't be read.
    #[must_use]
    pub fn f32(&self, name: &str) -> ArrayD<f32> {
        self.f64(name).mapv(|value| value as f32)
    }

    /// A list of numbers.
    ///
    /// # Panics
    /// If the file or the array can't be read.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<f64> {
        self.f64(name).into_iter().collect()
    }
}
