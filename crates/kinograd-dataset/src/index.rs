//! What a build writes beside the arrays.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::check::Quality;
use crate::segment::Segment;

/// Version of the index format.
pub const INDEX_SCHEMA: &str = "kinograd.dataset/1";

/// `index.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// [`INDEX_SCHEMA`].
    pub schema: String,
    /// Frame rate of the features.
    pub fps: f64,
    /// Clips in the order of `features.npy`.
    pub clips: Vec<ClipRecord>,
    /// Clips left out.
    pub dropped: Vec<Dropped>,
    /// What made the clips, where they were made and not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_from: Option<MadeFrom>,
}

/// What the clips of a data set were made by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MadeFrom {
    /// The version that made them.
    pub version: String,
    /// sha256 of each tar that they were read from.
    pub parts: BTreeMap<String, String>,
    /// sha256 of the files of each model, by role; models are named as clips name them.
    pub models: BTreeMap<String, BTreeMap<String, String>>,
}

/// What made a clip, where it was made and not recorded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MadeBy {
    /// The model's name.
    pub model: String,
    /// The model's version.
    pub model_version: String,
    /// The clip's own seed.
    pub seed: u64,
    /// The guidance method.
    pub method: String,
    /// The tar that it was read from.
    pub part: String,
}

impl MadeBy {
    /// The model and its version, as [`MadeFrom::models`] names them.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.model, self.model_version)
    }
}

/// A clip of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipRecord {
    /// Unique name; mirrored copies end in `_mirrored`.
    pub id: String,
    /// Name of the clip it was made from.
    pub source_id: String,
    /// Family of rigs.
    pub family: String,
    /// Label of the manifest, or the file's name.
    pub label: String,
    /// `train`, `val`, or what the manifest says.
    pub split: String,
    /// Whether left and right are exchanged.
    pub mirrored: bool,
    /// First row in `features.npy`.
    pub offset: usize,
    /// Number of rows.
    pub frames: usize,
    /// Captioned stretches.
    pub segments: Vec<Segment>,
    /// What made it, where it was made and not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<MadeBy>,
}

/// A clip that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Name of the clip.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// What a build did; written to `report.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildReport {
    /// Clips found in the input.
    pub clips_in: usize,
    /// Clips kept, without mirrored copies.
    pub clips_kept: usize,
    /// Clips left out.
    pub clips_dropped: usize,
    /// Rows written, with mirrored copies.
    pub frames: usize,
    /// Source frames read.
    pub source_frames: usize,
    /// Wall time, seconds.
    pub seconds: f64,
    /// Source frames read per second of wall time.
    pub source_frames_per_second: f64,
    /// Largest distance between a joint and the joint decoded from its features, metres.
    pub round_trip_max_m: f64,
    /// Share of frames in which a foot near the floor slides, over all kept clips.
    pub foot_skate_ratio: f64,
    /// Mean jerk of the joints, m/s³.
    pub jerk_m_s3: f64,
    /// Number of segments per action, without mirrored copies.
    pub segments_per_action: BTreeMap<String, usize>,
    /// Seconds of clip that segments of each action cover, without mirrored copies.
    #[serde(default)]
    pub seconds_per_action: BTreeMap<String, f64>,
    /// Seconds of clip that segments of each style cover, without mirrored copies.
    #[serde(default)]
    pub seconds_per_style: BTreeMap<String, f64>,
    /// Number of clips left out per reason.
    pub dropped_per_reason: BTreeMap<String, usize>,
    /// Clips of which a part was cut away, and why.
    pub cut: Vec<Dropped>,
    /// Measurements per kept clip or part, by id.
    pub quality: BTreeMap<String, Quality>,
}
