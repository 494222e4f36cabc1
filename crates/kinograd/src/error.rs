//! The facade's error.

use std::path::{Path, PathBuf};

use kinograd_draw::DrawError;
use kinograd_motion::MotionError;

/// What can go wrong in a pipeline.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request asks for something that cannot be.
    #[error("{field}: {message}")]
    Request {
        /// What of the request, such as `target`.
        field: &'static str,
        /// What was expected and what came.
        message: String,
    },
    /// A task asks for something that cannot be.
    #[error("{path}: {message}")]
    Task {
        /// The field, by its path in the task's JSON, such as `goals[1].position_m`.
        path: String,
        /// What came and what was expected.
        message: String,
    },
    /// A document is no JSON of the expected kind.
    #[error("{message}")]
    Json {
        /// What is wrong, and where.
        message: String,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file's extension names no format that is known here.
    #[error("{}: {message}", path.display())]
    FileFormat {
        /// The file.
        path: PathBuf,
        /// What was expected.
        message: String,
    },
    /// A model could not be differentiated.
    #[error("{}", path.display())]
    Gradient {
        /// The model, or the file that could not be written.
        path: PathBuf,
        /// Why.
        source: onnx_grad::Error,
    },
    /// Motion data.
    #[error(transparent)]
    Motion(MotionError),
    /// Sampling.
    #[error(transparent)]
    Diffusion(kinograd_diffusion::DiffusionError),
    /// Guidance.
    #[error(transparent)]
    Guidance(#[from] kinograd_guidance::GuidanceError),
    /// An engine or a model package.
    #[error(transparent)]
    Runtime(kinograd_runtime::RuntimeError),
    /// More than the [`kinograd_files::Budget`] allows.
    #[error(transparent)]
    OverBudget(#[from] kinograd_files::OverBudget),
    /// The caller asked to stop.
    #[error("interrupted")]
    Cancelled,
    /// A fault of this library.
    #[error("internal: {0}")]
    Internal(String),
}

impl Error {
    /// A file that could not be read.
    pub(crate) fn reading(path: &Path, error: MotionError) -> Self {
        Self::Read {
            path: path.to_path_buf(),
            source: error.without_path(),
        }
    }

    /// A file that could not be written.
    pub(crate) fn writing(path: &Path, error: MotionError) -> Self {
        Self::Write {
            path: path.to_path_buf(),
            source: error.without_path(),
        }
    }

    /// Whether this library, not its input, is at fault.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Internal(_))
    }
}

impl From<MotionError> for Error {
    fn from(error: MotionError) -> Self {
        match error {
            MotionError::Cancelled => Self::Cancelled,
            other => Self::Motion(other),
        }
    }
}

impl From<kinograd_diffusion::DiffusionError> for Error {
    fn from(error: kinograd_diffusion::DiffusionError) -> Self {
        match error {
            kinograd_diffusion::DiffusionError::Cancelled => Self::Cancelled,
            other => Self::Diffusion(other),
        }
    }
}

impl From<kinograd_runtime::RuntimeError> for Error {
    fn from(error: kinograd_runtime::RuntimeError) -> Self {
        match error {
            kinograd_runtime::RuntimeError::Request { field, message } => {
                Self::Request { field, message }
            }
            kinograd_runtime::RuntimeError::Diffusion(error) => error.into(),
            other => Self::Runtime(other),
        }
    }
}

impl From<DrawError> for Error {
    fn from(error: DrawError) -> Self {
        match error {
            DrawError::Request { field, message } => Self::Request { field, message },
            DrawError::FileFormat { path, message } => Self::FileFormat { path, message },
            DrawError::Write { path, source } => Self::Write { path, source },
            other => Self::Internal(other.to_string()),
        }
    }
}
