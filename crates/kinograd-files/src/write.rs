use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::FileError;
use crate::temporary::temporary_file;

/// Writes a file through a temporary one in the same folder: fill, sync to disk, rename. When
/// anything fails, what was at `path` before is still there and the temporary is gone; where the
/// process is killed the next one removes it.
///
/// A new file's mode is the umask's, one that is replaced keeps its own. A symbolic link is
/// followed, whether or not there is a file at its end; a device or pipe (such as `/dev/null`) is
/// written to directly.
///
/// ```
/// use std::io::Write;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("note.txt");
/// kinograd_files::write_atomic(&path, |file| file.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`FileError::Io`] with the path asked for, whatever step failed.
pub fn write_atomic(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), FileError> {
    write_through_temporary(path, fill).map_err(FileError::io(path))
}

fn write_through_temporary(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let (target, replaced) = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "is a folder, a file name was expected",
            ));
        }
        Ok(found) if found.is_file() => (std::fs::canonicalize(path)?, Some(found)),
        Ok(_) => return write_directly(path, fill),
        Err(_) => (end_of_links(path)?, None),
    };
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let temporary = temporary_file(&folder, replaced.as_ref().map_or(0o666, mode_of))?;
    #[cfg(unix)]
    if let Some(replaced) = &replaced {
        // The umask may have cut what the file had.
        temporary
            .as_file()
            .set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode_of(
                replaced,
            )))?;
    }
    fill_and_sync(temporary.as_file(), fill)?;
    temporary.persist(&target).map_err(|failed| failed.error)?;
    // The rename itself survives a power cut only once the folder is synced; not every file
    // system can, and the data are safe either way.
    #[cfg(unix)]
    if let Ok(folder) = File::open(&folder) {
        drop(folder.sync_all());
    }
    Ok(())
}

#[cfg(unix)]
fn mode_of(found: &Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777
}

#[cfg(not(unix))]
fn mode_of(_: &Metadata) -> u32 {
    0o666
}

/// Where a link that leads to nothing yet would have its file.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST: usize = 40;
    let mut end = path.to_path_buf();
    for _ in 0..MOST {
        match std::fs::read_link(&end) {
            Ok(next) => {
                let beside = end.parent().unwrap_or(Path::new("")).to_path_buf();
                end = beside.join(next);
            }
            Err(_) => return Ok(end),
        }
    }
    Err(io::Error::other("its links lead in a circle"))
}

fn write_directly(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    let mut writer = BufWriter::new(&file);
    fill(&mut writer)?;
    writer.flush()
}

fn fill_and_sync(
    file: &File,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut writer = BufWriter::new(file);
    fill(&mut writer)?;
    writer.flush()?;
    drop(writer);
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.bin");
        std::fs::write(&path, b"old").unwrap();
        let error = write_atomic(&path, |file| {
            file.write_all(b"new, but only half of")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .unwrap_err();
        assert!(error.to_string().contains("clip.bin"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn replaces_a_file_and_names_what_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.bin");
        for text in ["first", "second"] {
            write_atomic(&path, |file| file.write_all(text.as_bytes())).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let missing = folder.path().join("no such folder").join("clip.bin");
        let error = write_atomic(&missing, |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("no such folder"), "{error}");
        assert!(write_atomic(folder.path(), |_| Ok(())).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn keeps_the_mode_of_what_it_replaces() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("private.npz");
        for mode in [0o600, 0o666, 0o640] {
            std::fs::write(&path, b"old").unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            write_atomic(&path, |file| file.write_all(b"new")).unwrap();
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                mode
            );
            assert_eq!(std::fs::read(&path).unwrap(), b"new");
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn follows_links_spares_devices_and_reports_a_full_disk() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::os::unix::fs::symlink("real", &link).unwrap();
        // To nothing yet, then to a file.
        for text in [b"old", b"new"] {
            write_atomic(&link, |file| file.write_all(text)).unwrap();
            assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(std::fs::read(&real).unwrap(), text);
        }
        assert_ne!(
            std::fs::metadata(&real).unwrap().permissions().mode() & 0o044,
            0,
            "others may read a clip under a usual umask"
        );
        let circle = folder.path().join("circle");
        std::os::unix::fs::symlink("circle", &circle).unwrap();
        assert!(write_atomic(&circle, |_| Ok(())).is_err());
        write_atomic(Path::new("/dev/null"), |file| file.write_all(b"gone")).unwrap();
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
        let full = Path::new("/dev/full");
        if full.exists() {
            let error = write_atomic(full, |file| file.write_all(&[0; 100_000])).unwrap_err();
            assert!(error.to_string().contains("/dev/full"), "{error}");
        }
    }
}
