//! Files that are there whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::MotionError;

/// Writes a file through a temporary one in the same folder: fill, sync to disk, rename. When
/// anything fails, what was at `path` before is still there and the temporary is gone. A symbolic
/// link is followed; a device or pipe (such as `/dev/null`) is written to directly.
///
/// ```
/// use std::io::Write;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("note.txt");
/// kinograd_motion::write_atomic(&path, |file| file.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MotionError::Io`] with the path asked for, whatever step failed.
pub fn write_atomic(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), MotionError> {
    write_through_temporary(path, fill).map_err(|source| MotionError::Io {
        path: path.to_path_buf(),
        source,
    })
}

fn write_through_temporary(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let target = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "is a folder, a file name was expected",
            ));
        }
        Ok(found) if found.is_file() => std::fs::canonicalize(path)?,
        Ok(_) => return write_directly(path, fill),
        Err(_) => path.to_path_buf(),
    };
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kinograd-").suffix(".tmp");
    // The default of 0600 is for secrets; the process's umask should decide.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(&folder)?;
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
    fn follows_links_spares_devices_and_reports_a_full_disk() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_atomic(&link, |file| file.write_all(b"new")).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read(&real).unwrap(), b"new");
        assert_ne!(
            std::fs::metadata(&real).unwrap().permissions().mode() & 0o044,
            0,
            "others may read a clip under a usual umask"
        );
        write_atomic(Path::new("/dev/null"), |file| file.write_all(b"gone")).unwrap();
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
        let full = Path::new("/dev/full");
        if full.exists() {
            let error = write_atomic(full, |file| file.write_all(&[0; 100_000])).unwrap_err();
            assert!(error.to_string().contains("/dev/full"), "{error}");
        }
    }
}
