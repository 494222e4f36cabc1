//! The installed ONNX Runtime: believed where it has the pinned bytes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use kinograd_files::Budget;

use crate::RuntimeError;
use crate::cache::{cache_dir, check_private};
use crate::hash::sha256_of_file;
use crate::pins::{InstallKind, Library, Wheel, installed_dir_in, wheel_here};

/// Says which files were hashed, and what the system said of them then.
const CHECKED: &str = ".checked";

/// How an installed library is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Hashed where the file system says that it may have changed since it was hashed.
    Quick,
    /// Hashed.
    Full,
}

/// The main library of an installed wheel; an error says what was changed.
pub(crate) fn installed_library(
    folder: &Path,
    wheel: &Wheel,
    check: Check,
) -> Result<PathBuf, String> {
    check_private(folder)?;
    let [main, ..] = wheel.libraries else {
        return Err("nothing is pinned".to_owned());
    };
    let libraries = wheel.libraries.iter();
    let now: Option<Vec<String>> = libraries.map(|library| stamp(folder, library)).collect();
    let now = now.map(|lines| lines.join("\n"));
    let noted = kinograd_files::read_text(&folder.join(CHECKED), Budget::of_process()).ok();
    if check == Check::Full || now.is_none() || now != noted {
        for library in wheel.libraries {
            hashed(folder, library)?;
        }
        if let Some(now) = now {
            // Where it cannot be noted, the next start hashes again.
            let _ = kinograd_files::write_atomic(&folder.join(CHECKED), |file| {
                file.write_all(now.as_bytes())
            });
        }
    }
    Ok(folder.join(main.name))
}

fn hashed(folder: &Path, library: &Library) -> Result<(), String> {
    let path = folder.join(library.name);
    let wrong = |reason: String| format!("{}: {reason}", path.display());
    let file = kinograd_files::open(&path).map_err(|error| wrong(error.into_io().to_string()))?;
    let bytes = file
        .metadata()
        .map_err(|error| wrong(error.to_string()))?
        .len();
    if bytes != library.bytes {
        return Err(wrong(format!(
            "it has {bytes} bytes, not {}",
            library.bytes
        )));
    }
    match sha256_of_file(&path) {
        Ok(got) if got == library.sha256 => Ok(()),
        Ok(got) => Err(wrong(format!(
            "its sha256 is {got}, not {}",
            library.sha256
        ))),
        Err(error) => Err(error.to_string()),
    }
}

/// What changes when a file does, and that nobody but the system can set.
fn stamp(folder: &Path, library: &Library) -> Option<String> {
    let found = std::fs::metadata(folder.join(library.name)).ok()?;
    if !found.is_file() || found.len() != library.bytes {
        return None;
    }
    #[cfg(unix)]
    let when = {
        use std::os::unix::fs::MetadataExt as _;
        [
            found.dev() as i64,
            found.ino() as i64,
            found.ctime(),
            found.ctime_nsec(),
        ]
    };
    #[cfg(not(unix))]
    let when = {
        let since = found
            .modified()
            .ok()?
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?;
        [
            0,
            0,
            since.as_secs() as i64,
            i64::from(since.subsec_nanos()),
        ]
    };
    Some(format!("{} {} {when:?}", library.name, library.sha256))
}

/// Hashes what is installed in the user's cache, whatever was noted before.
///
/// # Errors
/// [`RuntimeError::LibraryRejected`] with what was changed: it is not loaded, and
/// [`crate::install`] replaces it.
pub fn check_installed(kind: InstallKind) -> Result<Option<PathBuf>, RuntimeError> {
    let Some(folder) = cache_dir().map(|cache| installed_dir_in(&cache, kind)) else {
        return Ok(None);
    };
    let (true, Ok(wheel)) = (folder.is_dir(), wheel_here(kind)) else {
        return Ok(None);
    };
    let checked = installed_library(&folder, &wheel, Check::Full);
    checked
        .map(Some)
        .map_err(|reason| RuntimeError::LibraryRejected {
            path: folder,
            reason: format!("it was changed: {reason}"),
        })
}
