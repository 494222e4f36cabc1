//! Files that are there whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use crate::MotionError;

/// [`kinograd_files::write_atomic`] with the error of this crate.
///
/// # Errors
/// [`MotionError::Io`] with the path asked for, whatever step failed.
pub fn write_atomic(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), MotionError> {
    Ok(kinograd_files::write_atomic(path, fill)?)
}
