//! Names that nobody can guess, locked while their owner lives, swept when it is dead.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{NamedTempFile, TempDir};

const PREFIX: &str = ".kinograd-";
const SUFFIX: &str = ".tmp";
/// Random letters between both.
const RANDOM: usize = 12;

/// A file in `folder` under a random name. It is removed when it is dropped, or, where the process
/// is killed, by the next process that writes in this folder.
///
/// `mode` is cut by the umask, as that of any new file; it is for Unix only.
///
/// # Errors
/// What the system says.
pub fn temporary_file(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    sweep_once(folder);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    loop {
        let mut made = made();
        let file = builder.tempfile_in(folder)?;
        remember(&mut made, file.path());
        drop(made);
        if is_kept(file.as_file(), file.path()) {
            return Ok(file);
        }
    }
}

/// Temporary files and folders that this process made, some of them long gone.
static MADE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn made() -> MutexGuard<'static, Vec<PathBuf>> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Those that are gone are forgotten now and then, so that a process may write millions of files.
fn remember(made: &mut Vec<PathBuf>, path: &Path) {
    const FEW: usize = 64;
    if made.len() >= FEW && made.len().is_power_of_two() {
        made.retain(|path| path.exists());
    }
    made.push(absolute(path));
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Removes all temporary files and folders of this process that are still there, for a process that
/// ends at once. Nothing can be made after it: whoever tries waits for the end.
pub fn remove_temporaries() {
    /// A thread that fills a folder may be faster than its removal.
    const TRIES: usize = 5;
    let made = made();
    for path in made.iter() {
        let _ = std::fs::remove_file(path);
        let is_gone = |path: &Path| !path.is_dir() || std::fs::remove_dir_all(path).is_ok();
        let _ = (0..TRIES).any(|_| is_gone(path));
    }
    // Held for good.
    std::mem::forget(made);
}

/// A folder under a random, hidden name that becomes another when it is whole: see
/// [`TemporaryFolder::persist`]. It is removed when it is dropped, or, where the process is killed,
/// by the next process that writes beside it.
///
/// ```
/// use kinograd_files::TemporaryFolder;
///
/// let parent = tempfile::tempdir()?;
/// let staged = TemporaryFolder::new_in(parent.path())?;
/// std::fs::write(staged.path().join("model.json"), "{}")?;
/// staged.persist(&parent.path().join("package"))?;
/// assert!(parent.path().join("package/model.json").is_file());
/// assert_eq!(std::fs::read_dir(parent.path())?.count(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TemporaryFolder {
    folder: TempDir,
    /// Holds the lock that says that the owner lives.
    _lock: Option<File>,
}

impl TemporaryFolder {
    /// A new folder in `parent`, which has to be there. Only its user can enter it.
    ///
    /// # Errors
    /// What the system says.
    pub fn new_in(parent: &Path) -> io::Result<Self> {
        sweep_once(parent);
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        loop {
            let mut made = made();
            let folder = builder.tempdir_in(parent)?;
            remember(&mut made, folder.path());
            drop(made);
            let lock = open_folder(folder.path());
            if lock
                .as_ref()
                .is_none_or(|lock| is_kept(lock, folder.path()))
            {
                return Ok(Self {
                    folder,
                    _lock: lock,
                });
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives it its name, and the mode that the umask gives to new folders. Where that fails it is
    /// removed.
    ///
    /// # Errors
    /// What the system says, such as that the name is taken.
    pub fn persist(self, target: &Path) -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // The umask cannot be asked without being set: a new folder shows it.
            let probe = self.path().join(".mode");
            std::fs::create_dir(&probe)?;
            let mode = std::fs::metadata(&probe)?.permissions().mode();
            std::fs::remove_dir(&probe)?;
            std::fs::set_permissions(self.path(), std::fs::Permissions::from_mode(mode & 0o777))?;
        }
        self.persist_private(target)
    }

    /// As [`TemporaryFolder::persist`], and it stays the user's alone.
    ///
    /// # Errors
    /// What the system says.
    pub fn persist_private(self, target: &Path) -> io::Result<()> {
        std::fs::rename(self.path(), target)?;
        // What it was is no longer there to remove.
        drop(self.folder.keep());
        Ok(())
    }
}

#[cfg(unix)]
fn open_folder(path: &Path) -> Option<File> {
    File::open(path).ok()
}

#[cfg(not(unix))]
fn open_folder(_: &Path) -> Option<File> {
    None
}

/// Locks what was just made; false where another process swept it before it was locked.
fn is_kept(file: &File, path: &Path) -> bool {
    // A file system without locks has nothing that sweeps either.
    file.lock().is_err() || path.exists()
}

/// Removes what killed processes left in a folder, the first time that this process writes in it.
fn sweep_once(folder: &Path) {
    static SWEPT: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if swept.get_or_insert_default().insert(absolute(folder)) {
        drop(swept);
        sweep(folder);
    }
}

pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let ours = entry.file_name().to_str().is_some_and(is_ours);
        if ours && let Ok(kind) = entry.file_type() {
            // A failure leaves it for the next.
            let _ = remove_if_dead(&entry.path(), kind.is_dir(), kind.is_file());
        }
    }
}

fn is_ours(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX))
        .is_some_and(|random| {
            // 6 letters: an earlier version's.
            [6, RANDOM].contains(&random.len()) && random.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

fn remove_if_dead(path: &Path, is_folder: bool, is_file: bool) -> io::Result<()> {
    let lock = if is_folder {
        open_folder(path)
    } else if is_file {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            libc::O_NONBLOCK | libc::O_NOFOLLOW,
        );
        Some(options.open(path)?)
    } else {
        None
    };
    let Some(lock) = lock else { return Ok(()) };
    if lock.try_lock().is_err() {
        return Ok(());
    }
    if is_folder {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_gone_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        std::fs::write(&kept, "").unwrap();
        let mut made = Vec::new();
        remember(&mut made, &kept);
        for number in 0..10_000 {
            remember(&mut made, &folder.path().join(number.to_string()));
        }
        assert!(made.len() <= 128 && made.contains(&kept), "{}", made.len());
    }

    #[test]
    fn what_the_dead_left_is_swept_and_what_lives_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let alive = temporary_file(folder.path(), 0o666).unwrap();
        let staged = TemporaryFolder::new_in(folder.path()).unwrap();
        for dead in [".kinograd-abcdefghijkl.tmp", ".kinograd-AbC123.tmp"] {
            std::fs::write(folder.path().join(dead), "half").unwrap();
        }
        let dead = folder.path().join(".kinograd-0123456789ab.tmp");
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join("model.json"), "{").unwrap();
        let others = [".kinograd-notes.tmp", ".kinograd-../x", "clip.glb"]
            .map(|name| folder.path().join(name));
        std::fs::write(&others[0], "mine").unwrap();
        std::fs::write(&others[2], "mine").unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join(".kinograd-linklinklink.tmp"))
            .unwrap();
        sweep(folder.path());
        let mut left: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left.len(), 6, "{left:?}");
        assert!(alive.path().exists() && staged.path().exists() && victim.exists());
        assert!(others[0].exists() && others[2].exists());
    }
}
