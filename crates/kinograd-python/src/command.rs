//! The command `kinograd`, which the package brings as its script.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command that the words give, the program's name first, and returns its exit code.
#[pyfunction]
pub fn run_command(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| kinograd_cli::run(words))
}
