use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kinograd_files::{Budget, FileError};
use onnx_grad::Model;

use crate::RuntimeError;
use crate::hash::{sha256_hex, sha256_of_file};

/// An ONNX model: its name in messages, its bytes, and their SHA-256.
#[derive(Debug, Clone)]
pub struct ModelSource {
    name: String,
    sha256: String,
    data: Data,
}

#[derive(Debug, Clone)]
enum Data {
    Memory(Arc<[u8]>),
    File(PathBuf),
    /// A file and those that hold its external data, all with their hashes.
    Files {
        path: PathBuf,
        hashed: Vec<(PathBuf, String)>,
    },
}

impl ModelSource {
    /// A model in memory.
    pub fn memory(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self {
            name: name.into(),
            sha256: sha256_hex(&bytes),
            data: Data::Memory(bytes),
        }
    }

    /// A model on disk, with the data files that it names; reads all of them once to hash them.
    ///
    /// # Errors
    /// [`RuntimeError::Io`] if a file cannot be read, [`RuntimeError::Load`] if it names one that it
    /// may not: see [`Model::read`].
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, RuntimeError> {
        let path = path.into();
        let named = match Model::data_files(&path) {
            Ok(named) => named,
            // What is no model is the engine's to refuse, and what cannot be read is named below.
            Err(onnx_grad::Error::Decode { .. }) => Vec::new(),
            Err(error @ onnx_grad::Error::ExternalData { .. }) => {
                return Err(refused(&path.display().to_string(), error));
            }
            Err(onnx_grad::Error::Io { path, source }) => {
                return Err(RuntimeError::io("cannot read the model file", path)(source));
            }
            Err(error) => return Err(refused(&path.display().to_string(), error)),
        };
        let mut data = Vec::with_capacity(named.len());
        for path in named {
            let sha256 = sha256_of_file(&path)?;
            data.push((path, sha256));
        }
        let bytes = read(&path)?;
        Ok(Self::with_data(path, sha256_hex(&bytes), data))
    }

    /// A model on disk whose hash is already known; reads nothing yet.
    pub fn hashed_file(path: impl Into<PathBuf>, sha256: impl Into<String>) -> Self {
        Self::with_data(path.into(), sha256.into(), Vec::new())
    }

    /// A model on disk and the files that hold its external data, with their hashes; reads nothing yet.
    pub fn with_data(path: PathBuf, sha256: String, data: Vec<(PathBuf, String)>) -> Self {
        let name = path.display().to_string();
        if data.is_empty() {
            return Self {
                name,
                sha256,
                data: Data::File(path),
            };
        }
        let mut all = sha256.clone();
        for (_, hash) in &data {
            all.push_str(hash);
        }
        let mut hashed = vec![(path.clone(), sha256)];
        hashed.extend(data);
        Self {
            name,
            sha256: sha256_hex(all.as_bytes()),
            data: Data::Files { path, hashed },
        }
    }

    /// The same model under another name in messages.
    pub(crate) fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// The model's name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 in lower-case hexadecimal: of the bytes, or of the hashes of its files where its data
    /// lies in several.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The bytes, external data put inside.
    ///
    /// # Errors
    /// [`RuntimeError::Io`] if a file cannot be read, [`RuntimeError::WrongHash`] if it is not
    /// the one that was hashed, [`RuntimeError::Load`] from 2 GiB on, where a model can only be read
    /// from its files.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, RuntimeError> {
        match &self.data {
            Data::Memory(bytes) => Ok(Cow::Borrowed(bytes)),
            Data::File(path) => {
                let bytes = read(path)?;
                check_hash(path, &self.sha256, sha256_hex(&bytes))?;
                Ok(Cow::Owned(bytes))
            }
            Data::Files { .. } => {
                let bytes = self.model()?.to_bytes();
                bytes.map(Cow::Owned).map_err(|error| match error {
                    onnx_grad::Error::TooLarge { bytes } => RuntimeError::Load {
                        model: self.name.clone(),
                        engine: "the built-in engine",
                        reason: format!(
                            "it has {bytes} bytes, and models from 2 GiB on run on ONNX Runtime only; \
                             `kinograd runtime install` fetches it"
                        ),
                    },
                    error => refused(&self.name, error),
                })
            }
        }
    }

    /// The model, read with its data.
    ///
    /// # Errors
    /// As [`ModelSource::bytes`], but of any size; [`RuntimeError::Load`] if it is no ONNX model.
    pub fn model(&self) -> Result<Model, RuntimeError> {
        let model = match &self.data {
            Data::Files { path, hashed } => {
                self.check_files(path, hashed)?;
                Model::read(path)
            }
            _ => Model::from_bytes(&self.bytes()?),
        };
        model.map_err(|error| refused(&self.name, error))
    }

    /// The file to open the model from, checked, where it does not fit into memory as one message.
    pub(crate) fn too_large_for_bytes(&self) -> Result<Option<&Path>, RuntimeError> {
        let Data::Files { path, hashed } = &self.data else {
            return Ok(None);
        };
        let mut bytes = 0_u64;
        for (file, _) in hashed {
            let found = std::fs::metadata(file);
            bytes += found
                .map_err(RuntimeError::io("cannot read the model file", file))?
                .len();
        }
        if bytes < MAX_MESSAGE_BYTES {
            return Ok(None);
        }
        self.check_files(path, hashed)?;
        Ok(Some(path))
    }

    /// Whether the files have their hashes, and the model takes data from no others.
    fn check_files(&self, path: &Path, hashed: &[(PathBuf, String)]) -> Result<(), RuntimeError> {
        for (path, sha256) in hashed {
            check_hash(path, sha256, sha256_of_file(path)?)?;
        }
        let named = Model::data_files(path).map_err(|error| refused(&self.name, error))?;
        let listed = |file: &PathBuf| hashed.iter().any(|(other, _)| other == file);
        match named.iter().find(|file| !listed(file)) {
            None => Ok(()),
            Some(file) => Err(RuntimeError::Load {
                model: self.name.clone(),
                engine: "the reader",
                reason: format!(
                    "it takes data from {}, which is not listed with it",
                    file.display()
                ),
            }),
        }
    }
}

/// What fits into one message, with room for what is around the weights.
const MAX_MESSAGE_BYTES: u64 = (1 << 31) - (1 << 20);

fn check_hash(path: &Path, expected: &str, got: String) -> Result<(), RuntimeError> {
    if got == expected {
        return Ok(());
    }
    Err(RuntimeError::WrongHash {
        path: path.to_owned(),
        expected: expected.to_owned(),
        got,
    })
}

fn refused(model: &str, error: onnx_grad::Error) -> RuntimeError {
    match error {
        onnx_grad::Error::Io { path, source } => {
            RuntimeError::io("cannot read the model file", path)(source)
        }
        error => RuntimeError::Load {
            model: model.to_owned(),
            engine: "the reader",
            reason: error.to_string(),
        },
    }
}

fn read(path: &Path) -> Result<Vec<u8>, RuntimeError> {
    kinograd_files::read_large(path, Budget::of_process())
        .map_err(FileError::into_io)
        .map_err(RuntimeError::io("cannot read the model file", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_model_file_is_named() {
        let error = ModelSource::file("nowhere/model.onnx")
            .unwrap_err()
            .to_string();
        assert!(error.contains("nowhere/model.onnx"), "{error}");
    }
}
