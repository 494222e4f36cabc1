//! The character that a task's clips are made for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kinograd_formats::{Character, LoadOptions};
use kinograd_motion::mapping::MappingFile;
use kinograd_motion::rig::{RigOptions, Travel};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The character that clips are made for.
///
/// In JSON also a file alone: `"rig": "hero.vrm"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "RigForm")]
pub struct RigSettings {
    /// GLB, VRM, FBX, BVH, or a clip as NPZ.
    pub file: PathBuf,
    /// Which of its joints are which, where their names do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PathBuf>,
    /// How far the body travels.
    pub travel: TravelSetting,
}

/// How far a body travels on a character of another size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TravelSetting {
    /// In proportion to its legs, so that its feet do not slide.
    #[default]
    Scaled,
    /// As far as our body does.
    Kept,
}

impl From<TravelSetting> for Travel {
    fn from(setting: TravelSetting) -> Self {
        match setting {
            TravelSetting::Scaled => Self::Scaled,
            TravelSetting::Kept => Self::Kept,
        }
    }
}

/// What is accepted as [`RigSettings`].
#[derive(Deserialize)]
#[serde(untagged)]
enum RigForm {
    File(PathBuf),
    Whole(WholeRig),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WholeRig {
    file: PathBuf,
    #[serde(default)]
    mapping: Option<PathBuf>,
    #[serde(default)]
    travel: TravelSetting,
}

impl From<RigForm> for RigSettings {
    fn from(form: RigForm) -> Self {
        match form {
            RigForm::File(file) => Self::new(file),
            RigForm::Whole(WholeRig {
                file,
                mapping,
                travel,
            }) => Self {
                file,
                mapping,
                travel,
            },
        }
    }
}

impl RigSettings {
    /// A character whose joints are known by their names.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            mapping: None,
            travel: TravelSetting::default(),
        }
    }

    /// Reads the character.
    ///
    /// # Errors
    /// [`Error::Read`] with the file that is at fault.
    pub fn open(&self) -> Result<Arc<Character>, Error> {
        open_character(&self.file, self.mapping.as_deref())
    }

    /// How clips come onto the rig.
    #[must_use]
    pub fn options(&self) -> RigOptions {
        RigOptions {
            travel: self.travel.into(),
        }
    }
}

/// Reads a character, and the mapping of its joints where there is one.
///
/// # Errors
/// [`Error::Read`] with the file that is at fault.
pub fn open_character(file: &Path, mapping: Option<&Path>) -> Result<Arc<Character>, Error> {
    let mapping = mapping
        .map(|path| MappingFile::read(path).map_err(|error| Error::reading(path, error)))
        .transpose()?;
    let options = LoadOptions {
        mapping,
        ..LoadOptions::default()
    };
    let character = Character::read(file, &options);
    Ok(Arc::new(character.map_err(|e| Error::reading(file, e))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rig_is_a_file_or_more() {
        let rig: RigSettings = serde_json::from_value(json!("hero.vrm")).unwrap();
        assert_eq!(rig, RigSettings::new("hero.vrm"));
        let whole = json!({"file": "a.glb", "mapping": "a.json", "travel": "kept"});
        let rig: RigSettings = serde_json::from_value(whole.clone()).unwrap();
        assert_eq!(serde_json::to_value(&rig).unwrap(), whole);
        assert!(serde_json::from_value::<RigSettings>(json!({"fil": "a"})).is_err());
    }
}
