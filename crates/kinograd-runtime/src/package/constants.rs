use std::path::Path;

use ndarray::Array1;

use super::arrays::Arrays;
use super::manifest::Manifest;
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
        let arrays = Arrays::open(path)?;
        let (features, dims) = (manifest.motion()?.features, manifest.text()?.dims);
        let constants = Self {
            mean: arrays.take("mean", features)?,
            std: arrays.take("std", features)?,
            null_condition: arrays.take("null_condition", dims)?,
        };
        if let Some(at) = constants.std.iter().position(|&std| std <= 0.0) {
            return Err(arrays.refuse(format!("array `std` is not positive at {at}")));
        }
        Ok(constants)
    }
}
