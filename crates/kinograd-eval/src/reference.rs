//! Real clips of a data set, to compare samples with.

use std::io::{BufReader, Read as _, Seek as _};
use std::path::Path;

use kinograd_dataset::captions::Action;
use kinograd_dataset::{ClipRecord, Index};
use kinograd_files::{Budget, check_npy_start};
use ndarray::{Array2, ArrayView2, s};
use ndarray_npy::ReadNpyExt as _;

use kinograd::Error;

/// Longest snippet, frames: what a model makes at most.
const MAX_FRAMES: usize = 200;
/// Shortest snippet, frames: what a model makes at least.
const MIN_FRAMES: usize = 20;

/// A data set in memory.
pub struct Reference {
    features: Array2<f32>,
    index: Index,
}

/// A captioned stretch of a real clip.
pub struct Snippet<'a> {
    /// Its captions, at least one, the plainest first.
    pub captions: &'a [String],
    /// What it shows, as data sets are balanced by.
    pub action: Action,
    /// How it is done, such as `zombie`.
    pub style: Option<&'a str>,
    /// `[frames, 263]`, not normalised.
    pub features: ArrayView2<'a, f32>,
}

impl<'a> Snippet<'a> {
    /// The first of its captions.
    #[must_use]
    pub fn caption(&self) -> &'a str {
        self.captions.first().map_or("", String::as_str)
    }
}

impl Reference {
    /// Reads a data set that `dataset build` wrote.
    ///
    /// # Errors
    /// [`Error::Read`] with the file and why.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let index_path = folder.join("index.json");
        let features_path = folder.join("features.npy");
        let index = kinograd_files::read_large(&index_path, Budget::of_process())
            .map_err(|error| read_error(&index_path, error))
            .and_then(|bytes| {
                serde_json::from_slice(&bytes).map_err(|error| read_error(&index_path, error))
            })?;
        let features = read_features(&features_path)?;
        Ok(Self { features, index })
    }

    /// The captioned stretches of a split, mirrored copies left out; of a long stretch its middle.
    #[must_use]
    pub fn snippets(&self, split: &str) -> Vec<Snippet<'_>> {
        self.snippets_of(|clip| clip.split == split && !clip.mirrored)
    }

    /// As [`snippets`](Self::snippets), with mirrored copies.
    #[must_use]
    pub fn snippets_of_both_sides(&self, split: &str) -> Vec<Snippet<'_>> {
        self.snippets_of(|clip| clip.split == split)
    }

    fn snippets_of(&self, is_wanted: impl Fn(&ClipRecord) -> bool) -> Vec<Snippet<'_>> {
        let mut snippets = Vec::new();
        for clip in &self.index.clips {
            if !is_wanted(clip) {
                continue;
            }
            for segment in &clip.segments {
                let frames = segment.frames.min(MAX_FRAMES);
                let start = clip.offset + segment.start + (segment.frames - frames) / 2;
                let is_usable = frames >= MIN_FRAMES && !segment.captions.is_empty();
                if is_usable && start + frames <= self.features.nrows() {
                    snippets.push(Snippet {
                        captions: &segment.captions,
                        action: segment.action,
                        style: segment.style.as_deref(),
                        features: self.features.slice(s![start..start + frames, ..]),
                    });
                }
            }
        }
        snippets
    }
}

/// Not read whole first: a data set may be large.
fn read_features(path: &Path) -> Result<Array2<f32>, Error> {
    /// More than the header has.
    const START_BYTES: u64 = 1 << 16;
    let io = |error| read_error(path, error);
    let mut file = kinograd_files::open(path).map_err(|error| io(error.into_io()))?;
    let total = file.metadata().map_err(io)?.len();
    let mut start = Vec::new();
    (&mut file)
        .take(START_BYTES)
        .read_to_end(&mut start)
        .map_err(io)?;
    check_npy_start(&start, total).map_err(|reason| io(std::io::Error::other(reason)))?;
    file.rewind().map_err(io)?;
    Array2::read_npy(BufReader::new(file)).map_err(|error| read_error(path, error))
}

fn read_error(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Read {
        path: path.to_path_buf(),
        source: Box::new(source),
    }
}
