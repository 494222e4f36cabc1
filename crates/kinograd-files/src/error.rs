use std::path::{Path, PathBuf};

use crate::OverBudget;

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system says no.
    #[error("{}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A pipe, a device, a socket or a folder where a file was expected.
    #[error("{}: a regular file was expected, this is {found}", path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// More than the [`crate::Budget`] allows.
    #[error("{}: {source}", path.display())]
    OverBudget {
        /// The file.
        path: PathBuf,
        /// What is too large.
        source: OverBudget,
    },
    /// The bytes are not what they should be.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was expected and what came.
        reason: String,
    },
}

impl FileError {
    pub(crate) fn io(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_path_buf(),
            source,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::NotRegular { path, .. }
            | Self::OverBudget { path, .. }
            | Self::Malformed { path, .. } => path,
        }
    }

    /// The same as an error of the system, for those who name the file themselves.
    #[must_use]
    pub fn into_io(self) -> std::io::Error {
        use std::io::{Error, ErrorKind};
        match self {
            Self::Io { source, .. } => source,
            Self::NotRegular { found, .. } => Error::new(
                ErrorKind::InvalidInput,
                format!("a regular file was expected, this is {found}"),
            ),
            Self::OverBudget { source, .. } => Error::new(ErrorKind::FileTooLarge, source),
            Self::Malformed { reason, .. } => Error::new(ErrorKind::InvalidData, reason),
        }
    }
}
