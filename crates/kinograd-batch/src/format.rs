//! The files of a sample.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A file of every sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SampleFormat {
    /// Joints, rotations and features as NumPy arrays.
    Npz,
    /// glTF 2.0.
    Glb,
    /// Biovision hierarchy.
    Bvh,
    /// The record: task, model's hashes, report.
    Json,
}

impl SampleFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Npz, Self::Glb, Self::Bvh, Self::Json];

    /// The extension of its files.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Npz => "npz",
            Self::Glb => "glb",
            Self::Bvh => "bvh",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for SampleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

impl FromStr for SampleFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|format| format.extension() == text)
            .ok_or_else(|| format!("`{text}`: choose npz, glb, bvh or json"))
    }
}
