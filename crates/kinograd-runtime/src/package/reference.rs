use std::path::Path;

use ndarray::{Array1, Array2};

use super::arrays::Arrays;
use super::manifest::Manifest;
use crate::RuntimeError;

/// What a package's embeddings of its training data are like, to compare other data with.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// `[embedding_dims]`.
    pub mean: Array1<f32>,
    /// `[embedding_dims, embedding_dims]`, unbiased.
    pub covariance: Array2<f32>,
}

impl Reference {
    pub(super) fn read(path: &Path, manifest: &Manifest) -> Result<Self, RuntimeError> {
        let arrays = Arrays::open(path)?;
        let dims = manifest.text()?.embedding_dims;
        let dims = dims.ok_or_else(|| arrays.refuse("`conditioning` has no `embedding_dims`"))?;
        Ok(Self {
            mean: arrays.take("mean", dims)?,
            covariance: arrays.take("covariance", (dims, dims))?,
        })
    }
}
