//! What all ways of downloading share.

use std::ops::ControlFlow;
use std::path::Path;

use crate::RuntimeError;

/// How far an install is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallProgress {
    /// The wheel is on its way.
    Downloading {
        /// The wheel's file name.
        wheel: String,
        /// Bytes on disk so far.
        bytes: u64,
        /// The wheel's size.
        total: u64,
    },
    /// The wheel's hash is being computed.
    Checking,
    /// Libraries are being taken out of the wheel.
    Unpacking {
        /// The library.
        file: String,
    },
}

pub(super) fn failed(reason: impl Into<String>) -> RuntimeError {
    RuntimeError::Install {
        reason: reason.into(),
    }
}

pub(super) type Progress<'a> = &'a mut dyn FnMut(InstallProgress) -> ControlFlow<()>;

/// Why a way of downloading gave no wheel.
pub(super) enum Failure {
    /// Another way may work.
    Other(String),
    /// The user stopped it, or the disk is full.
    Final(RuntimeError),
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        Self::Final(error)
    }
}

pub(super) fn step(progress: Progress<'_>, state: InstallProgress) -> Result<(), RuntimeError> {
    match progress(state) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(failed("it was stopped; nothing was left behind")),
    }
}

pub(super) fn disk_error(path: &Path, error: &std::io::Error) -> RuntimeError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return failed(format!("the disk that holds {} is full", path.display()));
    }
    failed(format!("{}: {error}", path.display()))
}
