//! The user's cache folder. Nothing in it is believed: every entry is sealed with a digest of its
//! bytes and of what it was made of, and a folder that others can write is not used.

use std::collections::HashSet;
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use kinograd_files::{Budget, FileError};
use tempfile::NamedTempFile;

/// Part of every seal; raise it when entries are written in another way.
const FORMAT: u32 = 1;

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
        let Ok(Some(seal)) = self.stored_seal() else {
            return false;
        };
        self.digest_of_file()
            .is_ok_and(|digest| self.seal(&digest) == seal)
    }

    /// Its bytes, if they are whole.
    #[must_use]
    pub fn read(&self) -> Option<Vec<u8>> {
        let seal = self.stored_seal().ok()??;
        let bytes = kinograd_files::read(&self.path, Budget::of_process()).ok()?;
        (self.seal(&blake3::hash(&bytes)) == seal).then_some(bytes)
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
        let seal = self.seal(digest);
        kinograd_files::write_atomic(&self.seal_path(), |file| file.write_all(seal.as_bytes()))
            .map_err(FileError::into_io)
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

    fn stored_seal(&self) -> io::Result<Option<String>> {
        /// Bytes of a seal, and room to see that there are more.
        const MOST: u64 = 65;
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
        let mut seal = String::new();
        file.take(MOST).read_to_string(&mut seal)?;
        Ok(Some(seal))
    }

    fn digest_of_file(&self) -> io::Result<blake3::Hash> {
        digest_of(&self.path)
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
