use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kinograd_files::{Budget, FileError, check_npy, unzip};
use ndarray::{Array, Dimension, IntoDimension};
use ndarray_npy::ReadNpyExt as _;

use crate::RuntimeError;

/// An NPZ of f32 arrays whose shapes are known.
pub(super) struct Arrays {
    path: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
}

impl Arrays {
    pub fn open(path: &Path) -> Result<Self, RuntimeError> {
        let budget = Budget::of_process();
        let bytes = kinograd_files::read(path, budget)
            .map_err(FileError::into_io)
            .map_err(RuntimeError::io("cannot read", path))?;
        let files = unzip(&bytes, budget).map_err(|error| refuse(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            files,
        })
    }

    /// An array of a shape, all of it finite.
    pub fn take<S: IntoDimension>(
        &self,
        name: &str,
        shape: S,
    ) -> Result<Array<f32, S::Dim>, RuntimeError> {
        let expected = shape.into_dimension();
        let bytes = self
            .files
            .get(name)
            .or_else(|| self.files.get(&format!("{name}.npy")))
            .ok_or_else(|| self.refuse(format!("array `{name}`: it is not there")))?;
        check_npy(bytes).map_err(|error| self.refuse(format!("array `{name}`: {error}")))?;
        let array = Array::<f32, S::Dim>::read_npy(bytes.as_slice())
            .map_err(|error| self.refuse(format!("array `{name}`: {error}")))?;
        if array.raw_dim() != expected {
            return Err(self.refuse(format!(
                "array `{name}` has shape {:?}, not {:?}",
                array.shape(),
                expected.slice()
            )));
        }
        match array.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(self.refuse(format!("array `{name}` is not finite at {at}"))),
            None => Ok(array),
        }
    }

    pub fn refuse(&self, reason: impl ToString) -> RuntimeError {
        refuse(&self.path, reason)
    }
}

fn refuse(path: &Path, reason: impl ToString) -> RuntimeError {
    RuntimeError::PackageFormat {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
