use std::path::PathBuf;

/// What can go wrong with motion data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MotionError {
    /// A file could not be read or written.
    #[error("{}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A BVH file is malformed.
    #[error("BVH line {line}: {message}")]
    Bvh {
        /// Line number, from 1.
        line: usize,
        /// What was expected and what came.
        message: String,
    },
    /// A rig cannot be mapped to the canonical skeleton.
    #[error("joint mapping: {message}")]
    Mapping {
        /// Which joint, and why.
        message: String,
    },
    /// An array has the wrong shape.
    #[error("{what}: expected {expected}, got {got:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape that was needed.
        expected: String,
        /// The shape that came.
        got: Vec<usize>,
    },
    /// A clip cannot be used.
    #[error("clip `{clip}`: {message}")]
    Clip {
        /// The clip's id.
        clip: String,
        /// Why not.
        message: String,
    },
    /// A file of another format is malformed.
    #[error("{format}: {message}")]
    Format {
        /// The format's name.
        format: &'static str,
        /// What was expected and what came.
        message: String,
    },
    /// A file that is not taken.
    #[error(transparent)]
    File(kinograd_files::FileError),
    /// More than the [`kinograd_files::Budget`] allows.
    #[error(transparent)]
    OverBudget(#[from] kinograd_files::OverBudget),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl From<kinograd_files::FileError> for MotionError {
    fn from(error: kinograd_files::FileError) -> Self {
        match error {
            kinograd_files::FileError::Io { path, source } => Self::Io { path, source },
            other => Self::File(other),
        }
    }
}

impl MotionError {
    /// The reason alone, for an error that names the file already.
    #[must_use]
    pub fn without_path(self) -> Box<dyn std::error::Error + Send + Sync> {
        match self {
            Self::Io { source, .. } => Box::new(source),
            Self::File(error) => Box::new(error.into_io()),
            other => Box::new(other),
        }
    }
}
