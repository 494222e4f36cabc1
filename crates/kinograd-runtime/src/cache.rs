//! The user's cache folder.

use std::path::{Path, PathBuf};

use crate::RuntimeError;

/// The folder for libraries, optimised graphs and gradients: `KINOGRAD_CACHE` if it is set, else
/// `kinograd` in the user's cache folder. `None` where the user has no such folder.
pub fn cache_dir() -> Option<PathBuf> {
    match std::env::var_os("KINOGRAD_CACHE") {
        Some(folder) if !folder.is_empty() => Some(folder.into()),
        _ => dirs::cache_dir().map(|folder| folder.join("kinograd")),
    }
}

/// A file that becomes `path` when it is persisted, and nothing before.
pub(crate) fn temporary_beside(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    tempfile::Builder::new()
        .prefix(".partial-")
        .tempfile_in(folder)
}

/// Writes a file so that it is there whole or not at all.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), RuntimeError> {
    use std::io::Write as _;
    let failed = || RuntimeError::io("cannot write", path);
    let mut file = temporary_beside(path).map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    file.persist(path).map_err(|error| failed()(error.error))?;
    Ok(())
}
