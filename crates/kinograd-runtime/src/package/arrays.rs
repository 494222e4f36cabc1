use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use ndarray::{Array, Dimension, IntoDimension};
use ndarray_npy::NpzReader;

use crate::RuntimeError;

/// An NPZ of f32 arrays whose shapes are known.
pub(super) struct Arrays {
    path: PathBuf,
    npz: NpzReader<Cursor<Vec<u8>>>,
}

impl Arrays {
    pub fn open(path: &Path) -> Result<Self, RuntimeError> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .map_err(RuntimeError::io("cannot read", path))?;
        let npz = NpzReader::new(Cursor::new(bytes)).map_err(|error| refuse(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            npz,
        })
    }

    /// An array of a shape, all of it finite.
    pub fn take<S: IntoDimension>(
        &mut self,
        name: &str,
        shape: S,
    ) -> Result<Array<f32, S::Dim>, RuntimeError> {
        let expected = shape.into_dimension();
        let array: Array<f32, S::Dim> = self
            .npz
            .by_name(name)
            .or_else(|_| self.npz.by_name(&format!("{name}.npy")))
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
