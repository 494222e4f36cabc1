//! What was chosen while a clip was read.

use kinograd_motion::mapping::Up;
use serde::Serialize;

/// How something about a file was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KnownBy {
    /// The caller said so.
    Option,
    /// The file or its format says so.
    File,
    /// The mapping file says so.
    Mapping,
    /// It was guessed from the body.
    Body,
    /// Nothing says it; the usual was taken.
    Custom,
}

impl std::fmt::Display for KnownBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Option => "as told",
            Self::File => "by the file",
            Self::Mapping => "by the mapping file",
            Self::Body => "guessed from the body",
            Self::Custom => "by custom",
        })
    }
}

/// What was chosen and noticed while a clip was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// Metres per unit of the file.
    pub unit_to_metre: f64,
    /// How the unit was known.
    pub unit_known_by: KnownBy,
    /// The axis of the file that points up.
    pub up: Up,
    /// How the axis was known.
    pub up_known_by: KnownBy,
    /// The joint that is the skeleton's root.
    pub root: String,
    /// The animation that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub animation: Option<String>,
    /// All animations of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub animations: Vec<String>,
    /// Largest distance of a joint of the clip from the file's own, over sampled frames, metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation_m: Option<f64>,
    /// What a user should know.
    pub warnings: Vec<String>,
}
