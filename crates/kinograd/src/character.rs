//! Clips on a character of the user's.

use std::sync::Arc;

use glam::DVec3;
use kinograd_formats::Character;
use kinograd_guidance::DecodedMotion;
use kinograd_motion::ik::Place;
use kinograd_motion::rig::{OnRig, RigOptions, Travel};
use kinograd_motion::{Motion, Provenance};
use serde_json::{Value, json};

use crate::{Clip, Error, Method, TaskSpec};

impl Clip {
    /// The clip on a character: [`Clip::save`] writes a GLB with the character's own mesh.
    ///
    /// # Errors
    /// [`Error::Motion`] for a clip whose joints cannot be told.
    pub fn on_character(
        self,
        character: &Arc<Character>,
        options: &RigOptions,
    ) -> Result<Self, Error> {
        let mut clip = self.on_canonical_body()?;
        let on_rig = character.retarget(&clip.motion, options)?;
        note(&mut clip.provenance, character, &on_rig)?;
        clip.take(character, on_rig);
        Ok(clip)
    }

    pub(crate) fn take(&mut self, character: &Arc<Character>, on_rig: OnRig) {
        self.motion = on_rig.motion;
        self.features = None;
        self.rig_report = Some(on_rig.report);
        self.character = Some(character.clone());
    }
}

/// Puts what character a clip is on into its record.
fn note(record: &mut Provenance, character: &Character, on_rig: &OnRig) -> Result<(), Error> {
    let name = character.path().file_name().unwrap_or_default();
    let report = serde_json::to_value(&on_rig.report);
    record.extra.insert(
        "rig".to_owned(),
        json!({
            "file": name.to_string_lossy(),
            "report": report.map_err(|error| Error::Internal(error.to_string()))?,
        }),
    );
    Ok(())
}

/// A run for a character: the task as our body would do it, of lengths over the character's scale.
pub(crate) struct OnCharacter {
    character: Arc<Character>,
    options: RigOptions,
    pub spec: TaskSpec,
}

impl OnCharacter {
    /// For a task that asks for one.
    pub fn of(task: &TaskSpec) -> Result<Option<Self>, Error> {
        let Some(rig) = &task.output.rig else {
            return Ok(None);
        };
        Ok(Some(Self::with(task, rig.open()?, rig.options())?))
    }

    /// For a character that the caller has.
    pub fn with(
        task: &TaskSpec,
        character: Arc<Character>,
        options: RigOptions,
    ) -> Result<Self, Error> {
        let spec = match options.travel {
            Travel::Scaled => in_body_lengths(task, 1.0 / character.rig().scale())?,
            Travel::Kept => task.clone(),
        };
        Ok(Self {
            character,
            options,
            spec,
        })
    }

    /// What lengths of our body's run are multiplied by.
    pub fn scale(&self) -> f64 {
        match self.options.travel {
            Travel::Scaled => self.character.rig().scale(),
            Travel::Kept => 1.0,
        }
    }

    /// The clip on the character, with hands and feet at the places that the task asks for.
    pub fn retarget(&self, task: &TaskSpec, motion: &Motion) -> Result<OnRig, Error> {
        let rig = self.character.rig();
        let first = rig.retarget(motion, &self.options)?;
        let places = places_of(task, &self.decoded(&first.motion)?)?;
        if places.is_empty() {
            return Ok(first);
        }
        Ok(rig.retarget_to(motion, &self.options, &places)?)
    }

    /// Joints of a clip on the character in the order of our body, for the task's measures.
    pub fn decoded(&self, motion: &Motion) -> Result<DecodedMotion, Error> {
        let joints = self.character.rig().canonical_joints(motion);
        Ok(DecodedMotion::from_joints(joints, motion.fps)?)
    }

    /// Puts the clip in the place of that of our body.
    pub fn finish(&self, clip: &mut Clip, on_rig: OnRig) -> Result<(), Error> {
        note(&mut clip.provenance, &self.character, &on_rig)?;
        clip.take(&self.character, on_rig);
        Ok(())
    }
}

/// Where the goals of a task that steers ask hands and feet to be, frame by frame.
pub(crate) fn places_of(task: &TaskSpec, motion: &DecodedMotion) -> Result<Vec<Place>, Error> {
    if task.guidance.method == Method::None {
        return Ok(Vec::new());
    }
    let places = task.goal_set().joint_places(motion)?.into_iter();
    Ok(places
        .map(|(joint, frame, place)| Place {
            joint,
            frame,
            position_m: DVec3::from_array(place),
        })
        .collect())
}

/// A task whose lengths are multiplied by `factor`: keys of goals and obstacles say their unit.
fn in_body_lengths(task: &TaskSpec, factor: f64) -> Result<TaskSpec, Error> {
    let internal = |error: serde_json::Error| Error::Internal(error.to_string());
    let mut value = serde_json::to_value(task).map_err(internal)?;
    for key in ["goals", "obstacles"] {
        if let Some(part) = value.get_mut(key) {
            scale_lengths(part, factor);
        }
    }
    serde_json::from_value(value).map_err(internal)
}

fn scale_lengths(value: &mut Value, factor: f64) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|part| scale_lengths(part, factor)),
        Value::Object(fields) => {
            for (key, field) in fields {
                if key.ends_with("_m") || key.ends_with("_mps") {
                    scale_numbers(field, factor);
                } else {
                    scale_lengths(field, factor);
                }
            }
        }
        _ => {}
    }
}

fn scale_numbers(value: &mut Value, factor: f64) {
    match value {
        Value::Number(number) => {
            let scaled = number
                .as_f64()
                .and_then(|n| serde_json::Number::from_f64(n * factor));
            if let Some(scaled) = scaled {
                *number = scaled;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|part| scale_numbers(part, factor)),
        Value::Object(fields) => fields
            .iter_mut()
            .for_each(|(_, part)| scale_numbers(part, factor)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_by_their_keys() {
        let mut value = json!([
            {"kind": "root_target", "position_m": [2, 3.0], "time_secs": 6, "weight": 2},
            {"shape": {"kind": "circle", "center_m": [1, 1.5], "radius_m": 0.5}, "speed_mps": 1}
        ]);
        scale_lengths(&mut value, 2.0);
        let expected = json!([
            {"kind": "root_target", "position_m": [4.0, 6.0], "time_secs": 6, "weight": 2},
            {"shape": {"kind": "circle", "center_m": [2.0, 3.0], "radius_m": 1.0}, "speed_mps": 2.0}
        ]);
        assert_eq!(value, expected);
    }
}
