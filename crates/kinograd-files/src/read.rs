use std::fs::{File, Metadata, OpenOptions};
use std::io::Read as _;
use std::path::Path;

use crate::{Budget, FileError};

/// Opens a regular file for reading. A pipe, a device or a folder is refused at once, and a pipe
/// is not waited for.
///
/// # Errors
/// [`FileError::Io`] or [`FileError::NotRegular`].
pub fn open(path: &Path) -> Result<File, FileError> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options
        .open(path)
        .map_err(|source| not_openable(path, source))?;
    let found = file.metadata().map_err(FileError::io(path))?;
    if found.is_file() {
        return Ok(file);
    }
    Err(FileError::NotRegular {
        path: path.to_path_buf(),
        found: kind_of(&found),
    })
}

/// Some systems open no folder, and a socket is opened by none.
fn not_openable(path: &Path, source: std::io::Error) -> FileError {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => FileError::NotRegular {
            path: path.to_path_buf(),
            found: kind_of(&found),
        },
        _ => FileError::io(path)(source),
    }
}

fn kind_of(found: &Metadata) -> &'static str {
    if found.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = found.file_type();
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    "something else"
}

/// Reads a clip, a picture or arrays: a regular file of at most [`Budget::bytes`].
///
/// # Errors
/// [`FileError::OverBudget`] before anything is read, or while a file grows; otherwise as [`open`].
pub fn read(path: &Path, budget: &Budget) -> Result<Vec<u8>, FileError> {
    read_at_most(path, budget, budget.bytes)
}

/// Reads a network or part of a data set: a regular file of at most [`Budget::large_bytes`].
///
/// # Errors
/// As [`read`].
pub fn read_large(path: &Path, budget: &Budget) -> Result<Vec<u8>, FileError> {
    read_at_most(path, budget, budget.large_bytes)
}

/// Reads a text that is parsed, UTF-8: a regular file of at most [`Budget::text_bytes`].
///
/// # Errors
/// As [`read`], and [`FileError::Malformed`] where it is no UTF-8.
pub fn read_text(path: &Path, budget: &Budget) -> Result<String, FileError> {
    let bytes = read_at_most(path, budget, budget.text_bytes)?;
    String::from_utf8(bytes).map_err(|error| FileError::Malformed {
        path: path.to_path_buf(),
        reason: format!("no UTF-8 text: {}", error.utf8_error()),
    })
}

fn read_at_most(path: &Path, budget: &Budget, limit: u64) -> Result<Vec<u8>, FileError> {
    let file = open(path)?;
    let io = FileError::io(path);
    let over = |source| FileError::OverBudget {
        path: path.to_path_buf(),
        source,
    };
    let len = file.metadata().map_err(&io)?.len();
    budget.check("bytes", len, limit).map_err(over)?;
    let mut bytes = Vec::new();
    let len = usize::try_from(len).map_err(|error| io(std::io::Error::other(error)))?;
    bytes
        .try_reserve_exact(len)
        .map_err(|error| io(error.into()))?;
    // One more than is allowed: a file may grow while it is read.
    let read = file
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(&io)?;
    budget.check("bytes", read as u64, limit).map_err(over)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_large_files_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(folder.path(), &Budget::default()).unwrap_err();
        assert!(error.to_string().contains("this is a folder"), "{error}");
        let path = folder.path().join("large.npz");
        let sparse = File::create(&path).unwrap();
        sparse.set_len(1 << 40).unwrap();
        let error = read(&path, &Budget::default()).unwrap_err().to_string();
        assert!(
            error.contains("bytes: 1099511627776, at most 536870912"),
            "{error}"
        );
        assert!(error.contains("--budget 2048"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            let error = read(&pipe, &Budget::default()).unwrap_err().to_string();
            assert!(error.contains("this is a pipe"), "{error}");
        }
        let error = read(Path::new("/dev/zero"), &Budget::default()).unwrap_err();
        assert!(error.to_string().contains("this is a device"), "{error}");
    }
}
