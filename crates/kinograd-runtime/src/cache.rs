//! The user's cache folder. Nothing in it is believed: every entry is sealed with a digest of its
//! bytes and of what it was made of, and a folder that others can write is not used.

use std::collections::HashSet;
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use kinograd_files::{Budget, FileError};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

/// Part of every seal; raise it when entries are written in another way.
const FORMAT: u32 = 2;

/// The folder for libraries, optimised graphs and gradients: `KINOGRAD_CACHE` if it is set, else
/// `kinograd` in the user's cache folder. `None` where the user has no such folder.
pub fn cache_dir() -> Option<PathBuf> {
    match std::env::var_os("KINOGRAD_CACHE") {
        Some(folder) if !folder.is_empty() => Some(folder.into()),
        _ => dirs::cache_dir().map(|folder| folder.join("kinograd")),
    }
}

/// A file of the cache, bound to what it was made of.
///
/// ```
/// use kinograd_runtime::CacheEntry;
///
/// let cache = tempfile::tempdir()?;
/// let entry = |made_of| CacheEntry::new(cache.path(), "sums", "a.bin", made_of).unwrap();
/// assert_eq!(entry("1 + 2").read(), None);
/// entry("1 + 2").write(b"3")?;
/// assert_eq!(entry("1 + 2").read().as_deref(), Some(&b"3"[..]));
/// assert_eq!(entry("2 + 2").read(), None, "made of something else");
/// std::fs::write(entry("1 + 2").path(), b"4")?;
/// assert_eq!(entry("1 + 2").read(), None, "changed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CacheEntry {
    path: PathBuf,
    made_of: String,
}

impl CacheEntry {
    /// The entry `name` in the folder `kind` of a cache, made of what `made_of` says in full: hashes,
    /// versions, options. `None` where the cache cannot be used, which is warned of once.
    pub fn new(cache: &Path, kind: &str, name: &str, made_of: impl Into<String>) -> Option<Self> {
        let folder = usable(cache, kind)?;
        Some(Self {
            path: folder.join(name),
            made_of: made_of.into(),
        })
    }

    /// Where it lies, if it is there.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is there with the bytes that were sealed, made of the same.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let Ok(Some(stored)) = self.stored() else {
            return false;
        };
        let now = stamp(&self.path);
        // Hashing tens of megabytes is most of what a warm start would cost more.
        if now.is_some()
            && stored.stamp == now
            && blake3::Hash::from_hex(&stored.digest).is_ok_and(|d| self.seal(&d) == stored.seal)
        {
            self.touch();
            return true;
        }
        let Ok(digest) = digest_of(&self.path) else {
            return false;
        };
        let is_whole = self.seal(&digest) == stored.seal;
        // A file that has just changed may change again under the same stamp.
        if is_whole && now.is_some() && stamp(&self.path) == now && is_settled(&self.path) {
            // Where it cannot be noted, the next start hashes again.
            let _ = self.store_seal(&digest, now);
        } else if is_whole {
            self.touch();
        }
        is_whole
    }

    /// Its bytes, if they are whole.
    #[must_use]
    pub fn read(&self) -> Option<Vec<u8>> {
        let seal = self.stored().ok()??.seal;
        let bytes = kinograd_files::read(&self.path, Budget::of_process()).ok()?;
        let is_whole = self.seal(&blake3::hash(&bytes)) == seal;
        is_whole.then(|| {
            self.touch();
            bytes
        })
    }

    /// Notes at the seal that the entry was used, for [`crate::limit_cache`].
    fn touch(&self) {
        let seal = std::fs::File::options().write(true).open(self.seal_path());
        // Where it cannot be noted, the entry goes sooner.
        let _ = seal.and_then(|seal| seal.set_modified(std::time::SystemTime::now()));
    }

    /// Stores and seals bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.temporary()?;
        file.write_all(bytes)?;
        self.keep(file, &blake3::hash(bytes))
    }

    /// A file to fill for [`CacheEntry::adopt`].
    pub(crate) fn temporary(&self) -> io::Result<NamedTempFile> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        kinograd_files::temporary_file(folder, 0o600)
    }

    /// Takes a file that was filled by its path, and seals it.
    pub(crate) fn adopt(&self, file: NamedTempFile) -> io::Result<()> {
        let digest = digest_of(file.path())?;
        self.keep(file, &digest)
    }

    fn keep(&self, file: NamedTempFile, digest: &blake3::Hash) -> io::Result<()> {
        file.persist(&self.path).map_err(|failed| failed.error)?;
        self.store_seal(digest, None)
    }

    fn store_seal(&self, digest: &blake3::Hash, stamp: Option<String>) -> io::Result<()> {
        let seal = Stored {
            seal: self.seal(digest),
            digest: digest.to_hex().to_string(),
            stamp,
        };
        let text = serde_json::to_vec(&seal)?;
        // Not synced to the disk: that would wait for the graphs, too. A torn seal fits nothing.
        let mut file = self.temporary()?;
        file.write_all(&text)?;
        file.persist(self.seal_path())
            .map_err(|failed| failed.error)?;
        Ok(())
    }

    /// Removes what is there and not whole.
    pub(crate) fn remove(&self) {
        // What cannot be removed is not believed either.
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(self.seal_path());
    }

    fn seal_path(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".seal");
        self.path.with_file_name(name)
    }

    fn stored(&self) -> io::Result<Option<Stored>> {
        /// More than a seal has.
        const MOST: u64 = 1024;
        let file = match kinograd_files::open(&self.seal_path()) {
            Ok(file) => file,
            Err(error) => {
                let error = error.into_io();
                return match error.kind() {
                    io::ErrorKind::NotFound => Ok(None),
                    _ => Err(error),
                };
            }
        };
        let mut text = Vec::new();
        file.take(MOST).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text).ok())
    }

    fn seal(&self, digest: &blake3::Hash) -> String {
        let mut hasher = blake3::Hasher::new();
        let version = env!("CARGO_PKG_VERSION");
        hasher.update(format!("kinograd {version} cache {FORMAT}\n").as_bytes());
        hasher.update(&(self.made_of.len() as u64).to_le_bytes());
        hasher.update(self.made_of.as_bytes());
        hasher.update(digest.as_bytes());
        hasher.finalize().to_hex().to_string()
    }
}

/// A seal as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    /// Of the digest and of what the entry was made of.
    seal: String,
    /// Of the entry's bytes.
    digest: String,
    /// What the system said of the file when it had been hashed, some time after it was written.
    stamp: Option<String>,
}

/// What changes when a file does, and that no program can set; `None` where the system has nothing
/// like it.
#[cfg(unix)]
fn stamp(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::symlink_metadata(path).ok()?;
    found.is_file().then(|| {
        let (size, changed) = (found.size(), [found.ctime(), found.ctime_nsec()]);
        format!("{} {} {size} {changed:?}", found.dev(), found.ino())
    })
}

#[cfg(not(unix))]
fn stamp(_: &Path) -> Option<String> {
    None
}

/// Whether the last change is so long ago that another one would have another time.
#[cfg(unix)]
fn is_settled(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    const SETTLED_SECS: i64 = 3;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let changed = std::fs::symlink_metadata(path).map(|found| found.ctime());
    let (Ok(now), Ok(changed)) = (now, changed) else {
        return false;
    };
    i64::try_from(now.as_secs()).is_ok_and(|now| now - changed > SETTLED_SECS)
}

#[cfg(not(unix))]
fn is_settled(_: &Path) -> bool {
    false
}

fn digest_of(path: &Path) -> io::Result<blake3::Hash> {
    let mut file = kinograd_files::open(path).map_err(FileError::into_io)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            n => hasher.update(&buffer[..n]),
        };
    }
}

/// The folder `kind` of a cache, made where it is not there. `None` where others can write it or it
/// cannot be made: the reason is warned of, once, and everything works without a cache.
fn usable(cache: &Path, kind: &str) -> Option<PathBuf> {
    let mut folder = cache.to_path_buf();
    let parts = Path::new(kind).components();
    let mut checked = check_private(&folder);
    for part in parts {
        if let (Ok(()), Component::Normal(part)) = (&checked, part) {
            folder.push(part);
            checked = check_private(&folder);
        }
    }
    match checked {
        Ok(()) => {
            sweep_old(&folder);
            Some(folder)
        }
        Err(reason) => {
            warn_once(&reason);
            None
        }
    }
}

/// Makes a folder for this user alone, or checks that nobody else can write the one that is there.
pub(crate) fn check_private(folder: &Path) -> Result<(), String> {
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => is_own(&found).map_err(|reason| {
            format!(
                "{}: {reason}; it is not used as a cache (make it yours with `chmod go-w`, or name \
                 another with KINOGRAD_CACHE)",
                folder.display()
            )
        }),
        Ok(_) => Err(format!(
            "{}: it is no folder; there is no cache",
            folder.display()
        )),
        Err(_) => {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder
                .create(folder)
                .map_err(|error| format!("{}: {error}; there is no cache", folder.display()))
        }
    }
}

#[cfg(unix)]
fn is_own(found: &std::fs::Metadata) -> Result<(), &'static str> {
    use std::os::unix::fs::MetadataExt as _;
    let (user, owner) = (rustix::process::geteuid().as_raw(), found.uid());
    if owner != user && owner != 0 {
        return Err("another user owns it");
    }
    if found.mode() & 0o022 != 0 {
        return Err("others can write it");
    }
    Ok(())
}

#[cfg(not(unix))]
fn is_own(_: &std::fs::Metadata) -> Result<(), &'static str> {
    Ok(())
}

/// Removes what earlier versions left when they were killed; newer files are swept by
/// [`kinograd_files`].
fn sweep_old(folder: &Path) {
    const OLD: std::time::Duration = std::time::Duration::from_hours(1);
    static SWEPT: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if !swept.get_or_insert_default().insert(folder.to_path_buf()) {
        return;
    }
    drop(swept);
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let partial = name
            .to_str()
            .is_some_and(|name| name.starts_with(".partial-"));
        let age = entry.metadata().and_then(|found| found.modified());
        let old = age.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > OLD));
        if partial && old {
            // A failure leaves it for the next.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Warns of the same only once in a process.
pub(crate) fn warn_once(reason: &str) {
    static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.get_or_insert_default().insert(reason.to_owned()) {
        tracing::warn!("{reason}");
    }
}

/// That an entry could not be kept: the work goes on without.
pub(crate) fn warn_not_kept(what: &str, entry: &CacheEntry, error: &io::Error) {
    let folder = entry.path().parent().unwrap_or(Path::new("."));
    warn_once(&format!(
        "{what} cannot be kept in {}: {error}; the next start is as slow as this one",
        folder.display()
    ));
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn entries_are_bound_to_their_bytes_and_what_made_them() {
        let cache = tempfile::tempdir().unwrap();
        let entry = |name: &str, made_of: &str| {
            CacheEntry::new(cache.path(), "graphs", name, made_of).unwrap()
        };
        let (a, b) = (entry("a.ort", "model a"), entry("b.ort", "model b"));
        a.write(b"graph of a").unwrap();
        b.write(b"graph of b").unwrap();
        assert!(a.is_whole() && b.is_whole());
        // Another model's graph under this one's name, with its seal.
        for ending in ["", ".seal"] {
            let name = |letter: &str| cache.path().join(format!("graphs/{letter}.ort{ending}"));
            std::fs::copy(name("b"), name("a")).unwrap();
        }
        assert!(!a.is_whole());
        assert_eq!(a.read(), None);
        for spoiled in ["", "x", &"0".repeat(64), &"0".repeat(10_000)] {
            std::fs::write(b.seal_path(), spoiled).unwrap();
            assert!(!b.is_whole(), "{spoiled}");
        }
        b.write(b"graph of b").unwrap();
        for byte in 0..10 {
            let mut bytes = b"graph of b".to_vec();
            bytes[byte] ^= 1;
            std::fs::write(b.path(), bytes).unwrap();
            assert!(!b.is_whole());
        }
        b.remove();
        assert!(!b.is_whole());
    }

    #[test]
    fn a_settled_file_is_hashed_once_and_again_when_it_changes() {
        let cache = tempfile::tempdir().unwrap();
        let entry = CacheEntry::new(cache.path(), "graphs", "a.ort", "a").unwrap();
        entry.write(b"graph").unwrap();
        assert!(entry.is_whole());
        assert_eq!(entry.stored().unwrap().unwrap().stamp, None, "just written");
        std::thread::sleep(std::time::Duration::from_millis(4100));
        assert!(entry.is_whole());
        assert_eq!(entry.stored().unwrap().unwrap().stamp, stamp(entry.path()));
        assert!(entry.is_whole());
        let other = CacheEntry::new(cache.path(), "graphs", "a.ort", "b").unwrap();
        assert!(!other.is_whole(), "made of something else");
        let modified = std::fs::metadata(entry.path()).unwrap().modified().unwrap();
        std::fs::write(entry.path(), b"Graph").unwrap();
        let file = std::fs::File::options()
            .write(true)
            .open(entry.path())
            .unwrap();
        file.set_modified(modified).unwrap();
        assert!(!entry.is_whole(), "changed, with the time set back");
    }

    #[test]
    fn what_others_can_write_is_no_cache() {
        let cache = tempfile::tempdir().unwrap();
        let entry = || CacheEntry::new(cache.path(), "graphs", "a.ort", "a");
        entry().unwrap().write(b"a").unwrap();
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let graphs = cache.path().join("graphs");
        let made = std::fs::metadata(&graphs).unwrap().permissions().mode();
        assert_eq!(made & 0o777, 0o700);
        for folder in [cache.path(), &graphs] {
            for open in [0o777, 0o770, 0o1777, 0o702] {
                mode(folder, open);
                assert!(entry().is_none(), "{open:o}");
            }
            mode(folder, 0o755);
            assert!(entry().is_some());
        }
        let file = cache.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(CacheEntry::new(&file, "graphs", "a", "a").is_none());
    }
}
