//! What the numbers of a clip's frames are.

use serde::{Deserialize, Serialize};

/// What a model's features are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Representation {
    /// What the numbers of a frame mean.
    pub kind: RepresentationKind,
    /// Frames per second.
    pub fps: f64,
    /// Numbers per frame.
    pub features: usize,
    /// Shortest clip.
    pub min_frames: usize,
    /// Longest clip.
    pub max_frames: usize,
    /// The graph takes multiples of this many frames.
    #[serde(default = "one")]
    pub patch_frames: usize,
}

/// What the numbers of a frame mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RepresentationKind {
    /// HumanML3D's 263 (Guo et al. 2022): the root by its velocities.
    #[serde(rename = "humanml3d")]
    HumanMl3d,
    /// The same with the root by its place: half the heading, then x and z in the world, in the first
    /// three columns (Karunratanakul et al. 2023, GMD).
    #[serde(rename = "humanml3d-absolute-root")]
    HumanMl3dAbsoluteRoot,
}

impl RepresentationKind {
    /// What it is, in a line.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::HumanMl3d => "HumanML3D's features",
            Self::HumanMl3dAbsoluteRoot => "HumanML3D's features, the root by its place",
        }
    }
}

fn one() -> usize {
    1
}
