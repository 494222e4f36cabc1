//! Characters.

use std::path::PathBuf;
use std::sync::Arc;

use kinograd::task::{TravelSetting, open_character};
use kinograd::{Character, RigSettings};
use pyo3::prelude::*;

use crate::error::{Failure, detached, refused};

/// A character from a GLB, VRM, FBX or BVH, or a clip as NPZ.
#[pyclass(frozen, module = "kinograd._kinograd")]
pub(crate) struct Rig {
    pub character: Arc<Character>,
}

#[pymethods]
impl Rig {
    #[new]
    #[pyo3(signature = (file, mapping = None))]
    fn new(py: Python<'_>, file: PathBuf, mapping: Option<PathBuf>) -> PyResult<Self> {
        let opened = detached(py, || Ok(open_character(&file, mapping.as_deref())?));
        Ok(Self { character: opened? })
    }

    /// What was found in the file, as JSON.
    #[getter]
    fn report_json(&self) -> PyResult<String> {
        let report = serde_json::to_string(&self.character.report());
        report.map_err(|error| refused(format!("internal: {error}")))
    }

    fn __repr__(&self) -> String {
        format!("<kinograd.Rig {}>", self.character.path().display())
    }
}

impl Rig {
    /// A clip on the character. `travel` is `scaled`, in proportion to its legs, or `kept`.
    pub fn put_on(&self, clip: kinograd::Clip, travel: &str) -> Result<kinograd::Clip, Failure> {
        let travel = match travel {
            "scaled" => TravelSetting::Scaled,
            "kept" => TravelSetting::Kept,
            other => {
                let message = format!("travel is `{other}`; choose one of scaled, kept");
                return Err(refused(message).into());
            }
        };
        let settings = RigSettings {
            travel,
            ..RigSettings::new(self.character.path())
        };
        Ok(clip.on_character(&self.character, &settings.options())?)
    }
}
