//! What a format of clips is.

use std::path::Path;

use kinograd_motion::mapping::{Mapping, MappingFile, Up};
use kinograd_motion::{Motion, MotionError, Provenance};
use ndarray::Array2;

use crate::reading::Reading;

/// Reads the record in a file, if there is one.
pub type ReadRecord = fn(&Path) -> Result<Option<Provenance>, MotionError>;

/// One format of clips: its extension, how it is read and written, and what it can hold.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The name that people know it by.
    pub name: &'static str,
    /// The extension that it is written with, in small letters, without the dot.
    pub extension: &'static str,
    /// Other extensions that are read.
    pub also_reads: &'static [&'static str],
    /// Whether it holds a model's features beside the motion.
    pub holds_features: bool,
    /// Reads a file, in its own unit and axes.
    pub read: fn(&Path, &LoadOptions) -> Result<SourceClip, MotionError>,
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

/// How a clip is read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadOptions {
    /// Metres per unit of the file, of any format. Where `None`, what the format says; a BVH's is
    /// guessed from the body's size.
    pub unit_to_metre: Option<f64>,
    /// The axis that points up in the file. Where `None`, what the format says; a BVH's is found by
    /// the body.
    pub up: Option<Up>,
    /// Frames per second at which curves are sampled; at least 30 where `None`. Clips that are
    /// frames already keep theirs.
    pub fps: Option<f64>,
    /// Frames per second of a file that does not say, as arrays of joints.
    pub source_fps: Option<f64>,
    /// Which animation, or which clip of several: its name or its number from 0.
    pub animation: Option<String>,
    /// Which joints are which, where their names do not tell.
    pub mapping: Option<MappingFile>,
    /// Puts the motion on the canonical 22-joint body.
    pub retarget: bool,
}

/// What a reader found, in the file's own unit and axes.
#[derive(Debug, Clone)]
pub struct SourceClip {
    /// The motion.
    pub motion: Motion,
    /// Joint positions in some frames by the file's own rules, `(frame, [joint])`: what the
    /// motion's forward kinematics must give.
    pub probes: Vec<(usize, Vec<glam::DVec3>)>,
    /// Metres per unit, where the format says so.
    pub unit_to_metre: Option<f64>,
    /// The axis that points up, where the format says so.
    pub up: Option<Up>,
    /// The animation that was taken, and all that there are.
    pub animation: Option<String>,
    /// Names of all animations.
    pub animations: Vec<String>,
    /// Which joints are which, where the file says so, as a VRM does.
    pub mapping: Option<Mapping>,
    /// Features, `[frames, 263]`, not normalised, where the file has them.
    pub features: Option<Array2<f32>>,
    /// How the clip came to be, where the file says so.
    pub provenance: Option<Provenance>,
    /// What a user should know: irregularities that were read over, choices that were made.
    pub warnings: Vec<String>,
}

impl SourceClip {
    /// A motion in metres with Y up, as most formats have it.
    #[must_use]
    pub fn in_metres(motion: Motion) -> Self {
        Self {
            motion,
            probes: Vec::new(),
            unit_to_metre: Some(1.0),
            up: Some(Up::Y),
            animation: None,
            animations: Vec::new(),
            mapping: None,
            features: None,
            provenance: None,
            warnings: Vec::new(),
        }
    }
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
    /// What was chosen and noticed while reading.
    pub reading: Reading,
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
    /// Metres per unit of a format without a unit of its own (BVH).
    pub unit_to_metre: f64,
}
