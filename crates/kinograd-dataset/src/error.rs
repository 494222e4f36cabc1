//! The crate's error.

use std::path::PathBuf;

use kinograd_motion::MotionError;

/// Why a folder of motion capture did not become a data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<MotionError>,
    },
    /// The data set could not be built or written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Its folder.
        path: PathBuf,
        /// Why.
        source: Box<MotionError>,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Cancelled,
}
