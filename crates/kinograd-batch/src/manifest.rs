//! What a part holds; a part without one was never made.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kinograd::runtime::sha256_of_file;
use kinograd_files::{Budget, write_atomic};
use serde::{Deserialize, Serialize};

use crate::kept::{KeptClip, read_kept};
use crate::shard::fingerprint;
use crate::{BatchError, Filters, SampleFormat, Shard};

pub(crate) const SCHEMA: &str = "kinograd.batch/1";
const PREFIX: &str = "clips-";

/// The contents of `clips-SHARD-PART.json`, which is written after the files that it names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// `kinograd.batch/1`.
    pub schema: String,
    /// The version that wrote it.
    pub version: String,
    /// The process that made it, and how many there were.
    pub shard: [u32; 2],
    /// The process's part, from 0.
    pub part: u32,
    /// What a sample's files are.
    pub formats: Vec<SampleFormat>,
    /// What the clips had to be.
    pub filters: Filters,
    /// The tar; none where all samples were rejected.
    pub tar: Option<WrittenFile>,
    /// The Parquet index of the tar.
    pub index: Option<WrittenFile>,
    /// Ids of the samples, in the order of the tar.
    pub samples: Vec<String>,
    /// What was made and not kept.
    pub rejected: Vec<RejectedSample>,
}

/// A file of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenFile {
    /// Its name, beside the manifest.
    pub path: String,
    /// Its hash, hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

impl WrittenFile {
    /// Its path in a batch's folder, if its bytes are those that were written.
    pub(crate) fn checked(&self, folder: &Path) -> Result<PathBuf, BatchError> {
        let path = folder.join(&self.path);
        let sha256 = sha256_of_file(&path).map_err(|error| BatchError::Read {
            path: path.clone(),
            source: Box::new(error),
        })?;
        if sha256 == self.sha256 {
            return Ok(path);
        }
        Err(BatchError::Folder {
            path,
            message: "its hash is not the manifest's: it was changed or damaged".to_owned(),
        })
    }
}

/// A clip that was made and not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectedSample {
    /// The task's.
    pub id: String,
    /// What it was above or below.
    pub reason: String,
}

/// `clips-00003-00012`, without an extension.
pub(crate) fn part_name(shard: u32, part: u32) -> String {
    format!("{PREFIX}{shard:05}-{part:05}")
}

fn numbers_of(stem: &str) -> Option<[u32; 2]> {
    let (shard, part) = stem.strip_prefix(PREFIX)?.split_once('-')?;
    Some([shard.parse().ok()?, part.parse().ok()?])
}

impl Manifest {
    /// Writes it, which makes its part count.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), BatchError> {
        let path = folder.join(part_name(self.shard[0], self.part) + ".json");
        write_atomic(&path, |file| {
            serde_json::to_writer(&mut *file, self)?;
            file.write_all(b"\n")
        })
        .map_err(BatchError::write(path))
    }

    fn read(path: &Path) -> Result<Self, BatchError> {
        let text = kinograd_files::read_text(path, Budget::of_process())
            .map_err(|error| BatchError::read(path)(error.into_io()))?;
        serde_json::from_str(&text).map_err(|error| BatchError::Folder {
            path: path.to_owned(),
            message: format!("it is no manifest of a batch: {error}"),
        })
    }
}

/// A batch's folder while one process works in it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    done: HashSet<u128>,
    /// Indices of whole parts, with the shard that made each and how many there were.
    indices: Vec<([u32; 2], WrittenFile)>,
    next_part: u32,
    /// Says, while it is held, that the process lives.
    _lock: File,
}

impl Folder {
    /// Makes or opens a batch's folder for a process: reads what is whole, removes what is not.
    pub(crate) fn open(
        path: &Path,
        shard: Shard,
        formats: &[SampleFormat],
        filters: Filters,
    ) -> Result<Self, BatchError> {
        std::fs::create_dir_all(path).map_err(BatchError::write(path))?;
        let lock = locked(path, shard)?;
        let mut folder = Self {
            path: path.to_owned(),
            done: HashSet::new(),
            indices: Vec::new(),
            next_part: 0,
            _lock: lock,
        };
        let mut whole = HashSet::new();
        for (numbers, file) in files(path, "json")? {
            let manifest = Manifest::read(&file)?;
            fits(&manifest, &file, formats, filters)?;
            folder.count(shard, numbers);
            let rejected = manifest.rejected.iter().map(|sample| &sample.id);
            let ids = manifest.samples.iter().chain(rejected);
            folder.done.extend(ids.map(|id| fingerprint(id)));
            let index = manifest.index.map(|index| (manifest.shard, index));
            folder.indices.extend(index);
            whole.insert(numbers);
        }
        for extension in ["tar", "parquet"] {
            for (numbers, file) in files(path, extension)? {
                folder.count(shard, numbers);
                let is_ours = numbers[0] == shard.index();
                if !whole.contains(&numbers) && (is_ours || is_dead(path, numbers[0])?) {
                    std::fs::remove_file(&file).map_err(BatchError::write(file))?;
                }
            }
        }
        Ok(folder)
    }

    fn count(&mut self, shard: Shard, [index, part]: [u32; 2]) {
        if index == shard.index() {
            self.next_part = self.next_part.max(part.saturating_add(1));
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a task's clip was made, and kept or rejected.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.done.contains(&fingerprint(id))
    }

    /// The clips that were kept of a shard's tasks, in the order in which they were made, and those that
    /// others kept with another number of shards. What others of as many shards make is not read. `each` is
    /// told whether the number of shards was the same.
    pub(crate) fn kept(
        &self,
        shard: Shard,
        each: &mut dyn FnMut(bool, KeptClip),
    ) -> Result<(), BatchError> {
        for ([index, count], file) in &self.indices {
            if *count == shard.count() && *index != shard.index() {
                continue;
            }
            let path = file.checked(&self.path)?;
            for clip in read_kept(&path)? {
                each(*count == shard.count(), clip);
            }
        }
        Ok(())
    }

    pub(crate) fn take_part(&mut self) -> u32 {
        let part = self.next_part;
        self.next_part = part.saturating_add(1);
        part
    }
}

/// The manifests of a folder, in the order of their parts.
pub(crate) fn manifests(folder: &Path) -> Result<Vec<Manifest>, BatchError> {
    let mut all = Vec::new();
    for (_, path) in files(folder, "json")? {
        let manifest = Manifest::read(&path)?;
        if manifest.schema != SCHEMA {
            return Err(BatchError::Folder {
                path,
                message: format!("its schema is `{}`, not `{SCHEMA}`", manifest.schema),
            });
        }
        all.push(manifest);
    }
    Ok(all)
}

/// A folder holds one batch of one version: its samples must be alike.
fn fits(
    manifest: &Manifest,
    file: &Path,
    formats: &[SampleFormat],
    filters: Filters,
) -> Result<(), BatchError> {
    let version = env!("CARGO_PKG_VERSION");
    let message = if manifest.schema != SCHEMA {
        format!("its schema is `{}`, not `{SCHEMA}`", manifest.schema)
    } else if manifest.version != version {
        format!(
            "it was made by version {}, this is {version}",
            manifest.version
        )
    } else if manifest.formats != formats {
        "its samples have other formats".to_owned()
    } else if manifest.filters != filters {
        "its samples were filtered by other limits".to_owned()
    } else {
        return Ok(());
    };
    Err(BatchError::Folder {
        path: file.to_owned(),
        message: format!("{message}; write to another folder"),
    })
}

fn files(folder: &Path, extension: &str) -> Result<Vec<([u32; 2], PathBuf)>, BatchError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(BatchError::read(folder))? {
        let path = entry.map_err(BatchError::read(folder))?.path();
        let numbers = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .and_then(numbers_of);
        if path.extension().is_some_and(|own| own == extension)
            && let Some(numbers) = numbers
        {
            found.push((numbers, path));
        }
    }
    found.sort();
    Ok(found)
}

fn lock_path(folder: &Path, shard: u32) -> PathBuf {
    folder.join(format!(".shard-{shard:05}.lock"))
}

fn lock_file(path: &Path) -> Result<File, BatchError> {
    File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(BatchError::write(path))
}

/// Locks a process's own file. Others that look whether it lives hold the lock for a moment.
fn taken(own: &File) -> bool {
    const TRIES: u32 = 40;
    const PAUSE: Duration = Duration::from_millis(25);
    for _ in 0..TRIES {
        if own.try_lock().is_ok() {
            return true;
        }
        std::thread::sleep(PAUSE);
    }
    false
}

/// Takes the process's place in the folder.
fn locked(folder: &Path, shard: Shard) -> Result<File, BatchError> {
    let busy = |message: String| BatchError::Folder {
        path: folder.to_owned(),
        message,
    };
    let path = lock_path(folder, shard.index());
    let mut own = lock_file(&path)?;
    if !taken(&own) {
        return Err(busy(format!(
            "another process works on it as shard {}",
            shard.index()
        )));
    }
    let state = |error| BatchError::write::<std::io::Error>(&path)(error);
    own.set_len(0).map_err(state)?;
    own.write_all(shard.count().to_string().as_bytes())
        .map_err(state)?;
    for entry in std::fs::read_dir(folder).map_err(BatchError::read(folder))? {
        let other = entry.map_err(BatchError::read(folder))?.path();
        let is_lock = other
            .extension()
            .is_some_and(|extension| extension == "lock");
        if !is_lock || other == path || lock_file(&other)?.try_lock().is_ok() {
            continue;
        }
        let count = std::fs::read_to_string(&other).map_err(BatchError::read(&other))?;
        // A process that has not said its number yet looks at ours when it has.
        let fits = count.trim().is_empty() || count.trim() == shard.count().to_string();
        if !fits {
            return Err(busy(format!(
                "processes work on it as {} shards, not {}",
                count.trim(),
                shard.count()
            )));
        }
    }
    Ok(own)
}

/// Whether no process works as this shard.
fn is_dead(folder: &Path, shard: u32) -> Result<bool, BatchError> {
    Ok(lock_file(&lock_path(folder, shard))?.try_lock().is_ok())
}
