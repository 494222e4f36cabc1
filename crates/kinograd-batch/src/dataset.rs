//! A batch as training data.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use kinograd::{Clip, LoadOptions};
use kinograd_dataset::{
    BuildOptions, BuildReport, MadeBy, MadeClip, MadeFrom, Progress, build_made,
};
use parquet::errors::ParquetError;
use parquet::record::{Row, RowAccessor as _};
use tempfile::TempDir;

use crate::index::{ID, LABEL, METHOD, MODEL, MODEL_VERSION, PROMPT, SEED};
use crate::kept::{rows, text_or_none};
use crate::manifest::{Manifest, manifests};
use crate::{BatchError, SampleFormat};

/// The columns, in the order of [`told`].
const COLUMNS: [&str; 7] = [ID, PROMPT, LABEL, MODEL, MODEL_VERSION, SEED, METHOD];

/// Makes a data set of a batch's clips, as `kinograd dataset build` writes it, in folder `out`: a clip is one
/// segment whose caption is its prompt. The index says what made each clip, and the hashes of the tars and of the
/// models' files. What filters rejected is not there.
///
/// # Errors
/// [`BatchError::Folder`] if it is no batch, its samples have no NPZ, or a file is not as its manifest says;
/// [`BatchError::Dataset`] if no clip is usable or `out` exists; [`BatchError::Cancelled`] if `progress` asks to
/// stop.
pub fn dataset_from_batch(
    folder: &Path,
    out: &Path,
    without_mirrored: bool,
    progress: &dyn Progress,
) -> Result<BuildReport, BatchError> {
    let parts = manifests(folder)?;
    let count = parts.iter().map(|manifest| manifest.samples.len()).sum();
    let bad = |message: String| BatchError::Folder {
        path: folder.to_owned(),
        message,
    };
    if count == 0 {
        return Err(bad("there is no clip of a batch in it".to_owned()));
    }
    let mut from = MadeFrom::default();
    let mut seen = HashSet::new();
    for manifest in &parts {
        if !manifest.formats.contains(&SampleFormat::Npz) {
            return Err(bad(
                "its samples have no NPZ; make the batch with --formats npz,json".to_owned(),
            ));
        }
        from.version.clone_from(&manifest.version);
        let tar = manifest.tar.iter();
        from.parts
            .extend(tar.map(|tar| (tar.path.clone(), tar.sha256.clone())));
        if let Some(twice) = manifest.samples.iter().find(|id| !seen.insert(id.as_str())) {
            return Err(bad(format!("the sample {twice} is there twice")));
        }
    }
    let scratch = tempfile::tempdir().map_err(BatchError::write(std::env::temp_dir()))?;
    let clips = parts.iter().flat_map(|manifest| {
        let part = Part::open(folder, manifest, &scratch);
        let (part, failed) = match part {
            Ok(part) => (part, None),
            Err(error) => (None, Some(Err(error))),
        };
        failed.into_iter().chain(part.into_iter().flatten())
    });
    let options = BuildOptions {
        without_mirrored,
        ..BuildOptions::default()
    };
    build_made(clips, count, from, &options, out, progress)
}

/// What the index says of a clip.
struct Told {
    prompt: String,
    label: Option<String>,
    made: MadeBy,
}

fn told(row: &Row, tar: &str) -> Result<(String, Told), ParquetError> {
    let text = |column: usize| row.get_string(column).cloned();
    let made = MadeBy {
        model: text(3)?,
        model_version: text(4)?,
        seed: row.get_long(5)?.cast_unsigned(),
        method: text(6)?,
        part: tar.to_owned(),
    };
    let told = Told {
        prompt: text(1)?,
        label: text_or_none(row, 2)?,
        made,
    };
    Ok((text(0)?, told))
}

/// The clips of a tar, read one after another.
struct Part<'a> {
    path: PathBuf,
    tar: File,
    /// Id, first byte and size of each NPZ.
    members: std::vec::IntoIter<(String, u64, u64)>,
    told: BTreeMap<String, Told>,
    scratch: &'a TempDir,
}

impl<'a> Part<'a> {
    /// `None` where all clips were rejected.
    fn open(
        folder: &Path,
        manifest: &Manifest,
        scratch: &'a TempDir,
    ) -> Result<Option<Self>, BatchError> {
        let (Some(tar), Some(index)) = (&manifest.tar, &manifest.index) else {
            return Ok(None);
        };
        let path = tar.checked(folder)?;
        let index = index.checked(folder)?;
        let told: BTreeMap<String, Told> = rows(&index, &COLUMNS, |row| told(row, &tar.path))?
            .into_iter()
            .collect();
        let members = members(&path)?;
        let there: HashSet<&str> = members.iter().map(|(id, _, _)| id.as_str()).collect();
        let lacks = |id: &&String| !told.contains_key(*id) || !there.contains(id.as_str());
        if let Some(id) = manifest.samples.iter().find(lacks) {
            return Err(BatchError::Folder {
                path,
                message: format!("it or its index lacks the sample {id}"),
            });
        }
        let file = kinograd_files::open(&path).map_err(|e| BatchError::read(&path)(e.into_io()))?;
        Ok(Some(Self {
            path,
            tar: file,
            members: members.into_iter(),
            told,
            scratch,
        }))
    }

    fn clip(&mut self, id: &str, at: u64, bytes: u64) -> Result<Option<MadeClip>, BatchError> {
        let Some(told) = self.told.remove(id) else {
            return Ok(None);
        };
        let read = |error: std::io::Error| BatchError::read(&self.path)(error);
        self.tar.seek(SeekFrom::Start(at)).map_err(read)?;
        // Clips are read from files, each under the budget of one.
        let path = self.scratch.path().join("clip.npz");
        let mut file = File::create(&path).map_err(BatchError::write(&path))?;
        let mut member = (&mut self.tar).take(bytes);
        std::io::copy(&mut member, &mut file).map_err(read)?;
        let clip = Clip::load(&path, &LoadOptions::default());
        let clip = clip.map_err(|error| BatchError::Read {
            path: self.path.join(format!("{id}.npz")),
            source: Box::new(error),
        })?;
        Ok(Some(MadeClip {
            id: id.to_owned(),
            motion: clip.motion,
            prompt: told.prompt,
            label: told.label.unwrap_or_default(),
            made: told.made,
            model_hashes: clip.provenance.model_hashes,
        }))
    }
}

impl Iterator for Part<'_> {
    type Item = Result<MadeClip, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (id, at, bytes) = self.members.next()?;
            if let Some(item) = self.clip(&id, at, bytes).transpose() {
                return Some(item);
            }
        }
    }
}

/// Id, first byte and size of each NPZ of a tar.
fn members(path: &Path) -> Result<Vec<(String, u64, u64)>, BatchError> {
    let fail = BatchError::read;
    let file = kinograd_files::open(path).map_err(|error| fail(path)(error.into_io()))?;
    let mut archive = tar::Archive::new(file);
    let mut found = Vec::new();
    for entry in archive.entries_with_seek().map_err(fail(path))? {
        let entry = entry.map_err(fail(path))?;
        let name = entry.path().map_err(fail(path))?;
        if let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".npz")) {
            found.push((id.to_owned(), entry.raw_file_position(), entry.size()));
        }
    }
    Ok(found)
}
