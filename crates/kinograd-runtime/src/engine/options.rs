use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use kinograd_files::{Budget, FileError};

use crate::RuntimeError;
use crate::hash::sha256_hex;

/// Where ONNX Runtime runs a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// The fastest that the library was built with and the machine can run.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
    /// An NVIDIA GPU, through TensorRT; what TensorRT cannot run goes to CUDA.
    TensorRt,
}

impl FromStr for Provider {
    type Err = RuntimeError;

    fn from_str(word: &str) -> Result<Self, RuntimeError> {
        match word.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            "tensorrt" => Ok(Self::TensorRt),
            _ => Err(RuntimeError::UnknownChoice {
                what: "provider",
                got: word.to_owned(),
                choices: "auto, cpu, cuda, tensorrt",
            }),
        }
    }
}

/// How far an engine rewrites a graph before it runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum GraphOptimization {
    /// Run the graph as it is written.
    None,
    /// Constant folding and removal of redundant nodes.
    Basic,
    /// Also fusions; the result does not depend on the processor, so it may be saved.
    #[default]
    Extended,
    /// Also memory layouts for this processor; never saved.
    All,
}

/// How a session is made.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// How far the graph is rewritten.
    pub optimization: GraphOptimization,
    /// Folder for optimised graphs and TensorRT engines; `None` saves nothing.
    pub cache_dir: Option<PathBuf>,
    /// Outputs that stay on the device that made them, for another session to read.
    /// It has an effect on GPU providers only.
    pub device_outputs: Vec<String>,
    /// Longest run, for networks that may not end; `None` waits. ONNX Runtime keeps it, outside of
    /// TensorRT, which builds engines in its first run; the built-in engine has no loops.
    pub time_limit: Option<Duration>,
}

impl SessionOptions {
    /// For a network of the user's own: a run takes at most [`Budget::evaluation_secs`].
    #[must_use]
    pub fn of_user_network(self) -> Self {
        let secs = Budget::of_process().evaluation_secs;
        Self {
            time_limit: Some(Duration::from_secs_f64(secs)),
            ..self
        }
    }
}

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

    /// A model on disk; reads the file once to hash it.
    ///
    /// # Errors
    /// [`RuntimeError::Io`] if the file cannot be read.
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, RuntimeError> {
        let path = path.into();
        let bytes = read(&path)?;
        let sha256 = sha256_hex(&bytes);
        Ok(Self::hashed_file(path, sha256))
    }

    /// A model on disk whose hash is already known; reads nothing yet.
    pub fn hashed_file(path: impl Into<PathBuf>, sha256: impl Into<String>) -> Self {
        let path = path.into();
        let name = path.display().to_string();
        Self {
            name,
            sha256: sha256.into(),
            data: Data::File(path),
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

    /// SHA-256 of the bytes, in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The bytes.
    ///
    /// # Errors
    /// [`RuntimeError::Io`] if the file cannot be read, [`RuntimeError::WrongHash`] if it is not
    /// the one that was hashed.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, RuntimeError> {
        match &self.data {
            Data::Memory(bytes) => Ok(Cow::Borrowed(bytes)),
            Data::File(path) => {
                let bytes = read(path)?;
                let got = sha256_hex(&bytes);
                if got != self.sha256 {
                    return Err(RuntimeError::WrongHash {
                        path: path.clone(),
                        expected: self.sha256.clone(),
                        got,
                    });
                }
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

/// 0 stands for one thread per processor core.
pub(crate) fn thread_count(threads: usize) -> usize {
    match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
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
    fn providers_have_the_names_of_the_command_line() {
        for (word, provider) in [
            ("auto", Provider::Auto),
            ("cpu", Provider::Cpu),
            ("CUDA", Provider::Cuda),
            ("tensorrt", Provider::TensorRt),
        ] {
            assert_eq!(word.parse::<Provider>().unwrap(), provider);
        }
        let error = "gpu".parse::<Provider>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown provider `gpu`; choose one of auto, cpu, cuda, tensorrt"
        );
    }

    #[test]
    fn a_missing_model_file_is_named() {
        let error = ModelSource::file("nowhere/model.onnx")
            .unwrap_err()
            .to_string();
        assert!(error.contains("nowhere/model.onnx"), "{error}");
    }
}
