//! Real clips of a data set, to compare samples with.

use std::path::Path;

use kinograd_dataset::Index;
use ndarray::{Array2, ArrayView2, s};

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
    /// One of its captions.
    pub caption: &'a str,
    /// `[frames, 263]`, not normalised.
    pub features: ArrayView2<'a, f32>,
}

impl Reference {
    /// Reads a data set that `dataset build` wrote.
    ///
    /// # Errors
    /// [`Error::Read`] with the file and why.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let index_path = folder.join("index.json");
        let features_path = folder.join("features.npy");
        let index = std::fs::read(&index_path)
            .map_err(|error| read_error(&index_path, error))
            .and_then(|bytes| {
                serde_json::from_slice(&bytes).map_err(|error| read_error(&index_path, error))
            })?;
        let features = ndarray_npy::read_npy(&features_path)
            .map_err(|error| read_error(&features_path, error))?;
        Ok(Self { features, index })
    }

    /// The captioned stretches of a split, mirrored copies left out; of a long stretch its middle.
    #[must_use]
    pub fn snippets(&self, split: &str) -> Vec<Snippet<'_>> {
        let mut snippets = Vec::new();
        for clip in &self.index.clips {
            if clip.split != split || clip.mirrored {
                continue;
            }
            for segment in &clip.segments {
                let frames = segment.frames.min(MAX_FRAMES);
                let start = clip.offset + segment.start + (segment.frames - frames) / 2;
                let (Some(caption), true) = (segment.captions.first(), frames >= MIN_FRAMES) else {
                    continue;
                };
                if start + frames <= self.features.nrows() {
                    snippets.push(Snippet {
                        caption,
                        features: self.features.slice(s![start..start + frames, ..]),
                    });
                }
            }
        }
        snippets
    }
}

fn read_error(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Read {
        path: path.to_path_buf(),
        source: Box::new(source),
    }
}
