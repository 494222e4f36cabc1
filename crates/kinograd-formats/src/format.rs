//! What a format of clips is.

use std::path::Path;

use kinograd_motion::retarget::to_canonical_body;
use kinograd_motion::{Motion, MotionError, Provenance};
use ndarray::Array2;

/// Reads the record in a file, if there is one.
pub type ReadRecord = fn(&Path) -> Result<Option<Provenance>, MotionError>;

/// One format of clips: its extension, how it is read and written, and what it can hold.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The name that people know it by.
    pub name: &'static str,
    /// The extension, in small letters, without the dot.
    pub extension: &'static str,
    /// Whether it holds a model's features beside the motion.
    pub holds_features: bool,
    /// Reads a file.
    pub read: fn(&Path, LoadOptions) -> Result<StoredClip, MotionError>,
    /// Writes a file, whole or not at all.
    pub write: fn(&Path, ClipRef<'_>) -> Result<(), MotionError>,
    /// Reads only the record of how the clip came to be; `None` where the format holds none.
    pub read_record: Option<ReadRecord>,
}

/// Formats are equal where their extensions are.
impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.extension == other.extension
    }
}

impl Eq for Format {}

impl Format {
    /// Reads a clip, on the canonical body if the options ask for it.
    ///
    /// # Errors
    /// [`MotionError`] that says what is wrong with the file, or that its rig cannot be mapped.
    pub fn load(&self, path: &Path, options: LoadOptions) -> Result<StoredClip, MotionError> {
        let mut clip = (self.read)(path, options)?;
        if options.retarget
            && let Some(motion) = to_canonical_body(&clip.motion)?
        {
            clip.motion = motion;
            clip.features = None;
        }
        Ok(clip)
    }
}

/// How a clip is read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LoadOptions {
    /// Metres per unit of a BVH; guessed from the body's size if `None`.
    pub unit_to_metre: Option<f64>,
    /// Puts the motion on the canonical 22-joint body.
    pub retarget: bool,
}

/// What a file held.
#[derive(Debug, Clone)]
pub struct StoredClip {
    /// The motion: metres, Y up.
    pub motion: Motion,
    /// Features, `[frames, 263]`, not normalised, where the file has them.
    pub features: Option<Array2<f32>>,
    /// How the clip came to be, where the file says so.
    pub provenance: Option<Provenance>,
}

/// What is written to a file; what a format cannot hold is left out.
#[derive(Debug, Clone, Copy)]
pub struct ClipRef<'a> {
    /// The motion: metres, Y up.
    pub motion: &'a Motion,
    /// Features, `[frames, 263]`, not normalised.
    pub features: Option<&'a Array2<f32>>,
    /// How the clip came to be.
    pub provenance: &'a Provenance,
}
