use std::io::Read;
use std::path::Path;

use ndarray::Array1;
use ndarray_npy::NpzReader;

use super::Manifest;
use crate::RuntimeError;

/// The arrays that go with a denoiser.
#[derive(Debug, Clone, PartialEq)]
pub struct Constants {
    /// `[features]`: mean over the training set, in the features' units.
    pub mean: Array1<f32>,
    /// `[features]`: standard deviation over the training set, in the features' units.
    pub std: Array1<f32>,
    /// `[dims]`: the condition of no prompt.
    pub null_condition: Array1<f32>,
}

impl Constants {
    pub(super) fn read(path: &Path, manifest: &Manifest) -> Result<Self, RuntimeError> {
        let bad = |reason: String| RuntimeError::PackageFormat {
            path: path.to_owned(),
            reason,
        };
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .map_err(RuntimeError::io("cannot read", path))?;
        let mut npz =
            NpzReader::new(std::io::Cursor::new(bytes)).map_err(|error| bad(error.to_string()))?;
        let (features, dims) = (manifest.motion()?.features, manifest.text()?.dims);
        let mut array = |name: &str, size: usize| -> Result<Array1<f32>, RuntimeError> {
            let array: Array1<f32> = npz
                .by_name(name)
                .or_else(|_| npz.by_name(&format!("{name}.npy")))
                .map_err(|error| bad(format!("array `{name}`: {error}")))?;
            if array.len() != size {
                return Err(bad(format!(
                    "array `{name}` has {} values, not {size}",
                    array.len()
                )));
            }
            if let Some(at) = array.iter().position(|value| !value.is_finite()) {
                return Err(bad(format!("array `{name}` is not finite at {at}")));
            }
            Ok(array)
        };
        let constants = Self {
            mean: array("mean", features)?,
            std: array("std", features)?,
            null_condition: array("null_condition", dims)?,
        };
        if let Some(at) = constants.std.iter().position(|&std| std <= 0.0) {
            return Err(bad(format!("array `std` is not positive at {at}")));
        }
        Ok(constants)
    }
}
