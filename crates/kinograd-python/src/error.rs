//! Failures as exceptions.

use kinograd::Error;
use kinograd_files::error_chain;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// What a call comes to before it is an exception.
pub(crate) enum Failure {
    /// A failure of the facade.
    Ours(Error),
    /// What the interpreter or a function of the caller's raised.
    Raised(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Ours(error) => exception(&error),
            Failure::Raised(error) => error,
        }
    }
}

/// An argument that cannot be: `kinograd.Error`.
pub(crate) fn refused(message: impl Into<String>) -> PyErr {
    raise("Error", &[&message.into()])
}

/// A task that cannot be: `kinograd.TaskError`.
pub(crate) fn refused_task(path: &str, message: &str) -> PyErr {
    raise("TaskError", &[path, message])
}

fn exception(error: &Error) -> PyErr {
    let class = match error {
        Error::Task { path, message } => return refused_task(path, message),
        Error::Read { .. } | Error::Write { .. } | Error::FileFormat { .. } => "FileError",
        Error::Runtime(_) | Error::Diffusion(_) | Error::Guidance(_) => "ModelError",
        Error::Gradient { .. } => "GradientError",
        _ => "Error",
    };
    raise(class, &[&error_chain(error)])
}

/// An exception of `kinograd._errors`.
fn raise(class: &str, arguments: &[&str]) -> PyErr {
    Python::attach(|py| {
        let made = py
            .import("kinograd._errors")
            .and_then(|errors| errors.getattr(class))
            .and_then(|class| class.call1(PyTuple::new(py, arguments)?));
        made.map_or_else(|error| error, PyErr::from_value)
    })
}

/// Does work without the interpreter; a panic is `kinograd.Error`.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    py.detach(|| {
        kinograd_files::catch_panic("kinograd", work)
            .unwrap_or_else(|panicked| Err(Error::Internal(panicked.message).into()))
    })
}
