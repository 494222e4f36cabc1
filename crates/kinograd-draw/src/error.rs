//! The crate's error.

use std::path::{Path, PathBuf};

use kinograd_motion::MotionError;

/// Why something was not drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// What is asked for cannot be drawn.
    #[error("{field}: {message}")]
    Request {
        /// What of it, such as `fps`.
        field: &'static str,
        /// What was expected and what came.
        message: String,
    },
    /// A file's extension names no format that is known here.
    #[error("{}: {message}", path.display())]
    FileFormat {
        /// The file.
        path: PathBuf,
        /// What was expected.
        message: String,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl DrawError {
    pub(crate) fn writing(path: &Path, error: MotionError) -> Self {
        Self::Write {
            path: path.to_path_buf(),
            source: error.without_path(),
        }
    }
}
