//! How a clip came to be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::MotionError;

/// The record that every written clip carries. Unknown keys survive reading and writing.
///
/// ```
/// use kinograd_motion::Provenance;
/// let mut record = Provenance::new();
/// record.seed = Some(7);
/// record.extra.insert("prompt".into(), "a person walks".into());
/// let json = serde_json::to_string(&record)?;
/// assert_eq!(serde_json::from_str::<Provenance>(&json)?, record);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The tool's name.
    pub tool: String,
    /// The tool's version.
    pub version: String,
    /// The command line, or what called the library, where that says more than the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The task that makes the same again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Value>,
    /// sha256 of each model file, by role or file name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub model_hashes: BTreeMap<String, String>,
    /// The seed of the noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The guidance method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Final value of each loss.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub losses: Map<String, Value>,
    /// Seconds spent, by part.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub timings_secs: Map<String, Value>,
    /// Anything else.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Provenance {
    /// A record of this version of Kinograd.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tool: "kinograd".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Self::default()
        }
    }

    /// With what made it.
    #[must_use]
    pub fn by_command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// The record as one line of JSON.
    ///
    /// # Errors
    /// [`MotionError::Format`] where a value cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, MotionError> {
        serde_json::to_string(self).map_err(|error| MotionError::Format {
            format: "provenance",
            message: error.to_string(),
        })
    }
}
