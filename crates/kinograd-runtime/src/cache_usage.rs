//! How much the cache holds, and keeping it below a limit.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders of the cache that hold installed libraries: they are neither counted nor removed.
const LIBRARIES: &str = "onnxruntime-";
/// What the names of seals end in.
const SEAL: &str = ".seal";

/// The most that the cache keeps unless another limit is given, bytes.
pub const CACHE_LIMIT_BYTES: u64 = 20_000_000_000;

/// What a folder of the cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheUsage {
    /// Bytes of its files.
    pub bytes: u64,
    /// Entries: graphs, gradients and the like, each with its seals.
    pub entries: usize,
}

/// What is kept or removed as a whole.
struct Unit {
    kind: String,
    files: Vec<PathBuf>,
    /// A folder of its own, which holds the files.
    folder: Option<PathBuf>,
    bytes: u64,
    /// When it was last written or read.
    used: SystemTime,
}

/// What a cache holds, by the kind of entries; installed libraries are left out.
///
/// # Errors
/// What the system says, but for a cache that is not there: it holds nothing.
pub fn cache_usage(cache: &Path) -> io::Result<BTreeMap<String, CacheUsage>> {
    let mut usage: BTreeMap<String, CacheUsage> = BTreeMap::new();
    for unit in units(cache)? {
        let kind = usage.entry(unit.kind).or_default();
        kind.bytes += unit.bytes;
        kind.entries += 1;
    }
    Ok(usage)
}

/// Removes entries of a cache, those that were used longest ago first, until it holds at most so many
/// bytes; returns how many were freed. A limit of 0 removes all but installed libraries.
///
/// # Errors
/// As [`cache_usage`].
pub fn limit_cache(cache: &Path, limit_bytes: u64) -> io::Result<u64> {
    let mut units = units(cache)?;
    units.sort_by_key(|unit| std::cmp::Reverse(unit.used));
    let (mut kept, mut freed) = (0_u64, 0);
    for unit in units {
        kept = kept.saturating_add(unit.bytes);
        if kept <= limit_bytes {
            continue;
        }
        kept -= unit.bytes;
        freed += unit.bytes;
        // Seals go first: what is left of an entry without one is not believed.
        let (seals, files): (Vec<_>, Vec<_>) = unit.files.iter().partition(|path| is_seal(path));
        for path in seals.into_iter().chain(files) {
            gone(std::fs::remove_file(path))?;
        }
        if let Some(folder) = &unit.folder {
            gone(std::fs::remove_dir(folder))?;
        }
    }
    Ok(freed)
}

/// Another process may have removed it, or put something new into its folder.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

fn is_seal(path: &Path) -> bool {
    path.to_string_lossy().ends_with(SEAL)
}

/// The entries of a folder that is no link, by name; none where it is not there.
fn listed(folder: &Path) -> io::Result<Vec<(String, PathBuf, std::fs::Metadata)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // What is being written begins with a dot, and is swept by who writes.
        if name.starts_with('.') {
            continue;
        }
        match entry.metadata() {
            Ok(metadata) => found.push((name, entry.path(), metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

fn units(cache: &Path) -> io::Result<Vec<Unit>> {
    let mut units = Vec::new();
    for (kind, folder, metadata) in listed(cache)? {
        if !metadata.is_dir() || kind.starts_with(LIBRARIES) {
            continue;
        }
        let mut single: BTreeMap<String, Unit> = BTreeMap::new();
        for (name, path, metadata) in listed(&folder)? {
            if metadata.is_dir() {
                let files = listed(&path)?.into_iter().filter(|(_, _, m)| m.is_file());
                let mut unit = Unit::new(&kind, Some(path));
                files.for_each(|(_, path, metadata)| unit.add(path, &metadata));
                units.push(unit);
            } else if metadata.is_file() {
                let own = name.strip_suffix(SEAL).unwrap_or(&name).to_owned();
                let unit = single.entry(own).or_insert_with(|| Unit::new(&kind, None));
                unit.add(path, &metadata);
            }
        }
        units.extend(single.into_values());
    }
    Ok(units)
}

impl Unit {
    fn new(kind: &str, folder: Option<PathBuf>) -> Self {
        Self {
            kind: kind.to_owned(),
            files: Vec::new(),
            folder,
            bytes: 0,
            used: SystemTime::UNIX_EPOCH,
        }
    }

    fn add(&mut self, path: PathBuf, metadata: &std::fs::Metadata) {
        self.bytes += metadata.len();
        self.used = metadata
            .modified()
            .map_or(self.used, |time| self.used.max(time));
        self.files.push(path);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::CacheEntry;

    /// Makes all files of a folder this much older.
    fn age(folder: &Path, name: &str, secs: u64) {
        let time = SystemTime::now() - Duration::from_secs(secs);
        for (file, path, _) in listed(folder).unwrap() {
            if file.starts_with(name) {
                let file = std::fs::File::options().write(true).open(path).unwrap();
                file.set_modified(time).unwrap();
            }
        }
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let cache = tempfile::tempdir().unwrap();
        let entry =
            |kind: &str, name: &str| CacheEntry::new(cache.path(), kind, name, name).unwrap();
        let graphs = cache.path().join("graphs");
        for (name, secs) in [("a.ort", 300), ("b.ort", 200), ("c.ort", 100)] {
            entry("graphs", name).write(&[1; 10_000]).unwrap();
            age(&graphs, name, secs);
        }
        let gradient = entry("gradients/0123", "names.json");
        gradient.write(&[2; 10_000]).unwrap();
        age(gradient.path().parent().unwrap(), "names.json", 250);
        let library = cache.path().join("onnxruntime-1-cpu");
        std::fs::create_dir(&library).unwrap();
        std::fs::write(library.join("lib.so"), [3; 50_000]).unwrap();
        let usage = cache_usage(cache.path()).unwrap();
        assert_eq!(usage.keys().collect::<Vec<_>>(), ["gradients", "graphs"]);
        assert_eq!(
            (usage["graphs"].entries, usage["gradients"].entries),
            (3, 1)
        );
        assert!(usage["graphs"].bytes > 30_000);
        // Reading the oldest makes it the newest.
        assert!(entry("graphs", "a.ort").read().is_some());
        let freed = limit_cache(cache.path(), 25_000).unwrap();
        assert!(freed > 20_000, "{freed}");
        assert!(entry("graphs", "a.ort").is_whole() && entry("graphs", "c.ort").is_whole());
        assert!(!graphs.join("b.ort").exists() && !graphs.join("b.ort.seal").exists());
        assert!(!cache.path().join("gradients/0123").exists());
        limit_cache(cache.path(), 0).unwrap();
        assert!(cache_usage(cache.path()).unwrap().is_empty());
        assert!(library.join("lib.so").exists());
        assert_eq!(limit_cache(&cache.path().join("nowhere"), 0).unwrap(), 0);
    }
}
