use std::path::PathBuf;

use kinograd::motion::MotionError;

/// What ends a batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file could not be written; what was written before is whole.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A sweep that cannot be.
    #[error("{}: {message}", path.display())]
    Sweep {
        /// The sweep's file.
        path: PathBuf,
        /// What came and what was expected.
        message: String,
    },
    /// A shard that cannot be.
    #[error("shard: {0}")]
    Shard(String),
    /// The folder holds a batch that this run cannot go on with.
    #[error("{}: {message}", path.display())]
    Folder {
        /// The folder or a file in it.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Clips of this model cannot be compared.
    #[error(
        "--min-distance: the model `{}` has no motion embedding to compare clips by",
        kinograd_files::escape(model)
    )]
    NoEmbedding {
        /// The model, as the task names it.
        model: String,
    },
    /// Too many tasks failed.
    #[error(
        "{errors} tasks failed, more than --max-errors {limit}; {} has the reasons",
        path.display()
    )]
    TooManyErrors {
        /// How many failed.
        errors: usize,
        /// How many may.
        limit: usize,
        /// The file with the reasons.
        path: PathBuf,
    },
    /// The clips are no data set, or it could not be written.
    #[error("cannot make the data set")]
    Dataset(#[source] MotionError),
    /// The caller asked to stop; whole parts are kept.
    #[error("interrupted")]
    Cancelled,
}

impl From<MotionError> for BatchError {
    fn from(error: MotionError) -> Self {
        match error {
            MotionError::Cancelled => Self::Cancelled,
            error => Self::Dataset(error),
        }
    }
}

impl BatchError {
    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Read {
            path,
            source: Box::new(source),
        }
    }

    pub(crate) fn write<E>(path: impl Into<PathBuf>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = path.into();
        move |source| Self::Write {
            path,
            source: source.into(),
        }
    }
}
