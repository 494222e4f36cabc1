//! Scenes: prompts, goals and obstacles as a JSON document.
//!
//! A scene states lengths in metres, times in seconds, angles in degrees; Y up, ground points are
//! (x, z), the clip starts at the origin facing +Z. Fields that are unknown are refused with the
//! nearest known name.
//!
//! | field | meaning | default |
//! |---|---|---|
//! | `schema` | 1 | – |
//! | `name`, `description` | for people | –, empty |
//! | `duration_secs` | length of the clip | – |
//! | `prompts` | `text`, and `from_secs`, `to_secs` of its part of the clip | –, whole clip |
//! | `goals` | see [`Goal`]; the field `kind` says which | none |
//! | `obstacles` | see [`Obstacle`] | none |
//!
//! Every goal and obstacle has a `weight`, at least 0, by default 1. A time that is absent is the
//! clip's end; a span is from `from_secs` to `to_secs`, by default the whole clip. Joints are named
//! as in [`kinograd_motion::JOINT_NAMES`].
//!
//! ```
//! use kinograd_guidance::scene::Scene;
//! let scene = Scene::parse(r#"{
//!     "schema": 1,
//!     "name": "to the door",
//!     "duration_secs": 5,
//!     "prompts": [{"text": "a person walks forwards"}],
//!     "goals": [{"kind": "root_target", "position_m": [0.5, 4]}],
//!     "obstacles": [{"shape": {"kind": "circle", "center_m": [0.2, 2], "radius_m": 0.4}}]
//! }"#)?;
//! assert_eq!(scene.frames(20.0), 100);
//! let typo = r#"{"schema": 1, "name": "x", "duration_sec": 5, "prompts": []}"#;
//! let message = Scene::parse(typo).unwrap_err().to_string();
//! assert!(message.contains("did you mean `duration_secs`?"), "{message}");
//! # Ok::<(), kinograd_guidance::GuidanceError>(())
//! ```

mod build;
mod goal;
mod measure;

pub use goal::{Goal, Obstacle, TimedPoint};
pub use measure::Distance;

use serde::{Deserialize, Serialize};

use crate::error::nearest_name;
use crate::{GroundGoals, GuidanceError, Waypoint};

/// The schema that this version reads and writes.
pub const SCHEMA: u32 = 1;
/// Longest scene, seconds.
const MAX_DURATION_SECS: f64 = 600.0;
/// Faster than anyone runs: a goal that needs more cannot be reached, m/s.
const MAX_SPEED_MPS: f64 = 12.5;

/// What is done, from when to when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// The words.
    pub text: String,
    /// Start, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_secs: Option<f64>,
    /// End, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_secs: Option<f64>,
}

/// A scene; the [module](self) documents its JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Its name.
    pub name: String,
    /// What it shows.
    #[serde(default)]
    pub description: String,
    /// Length of the clip, seconds.
    pub duration_secs: f64,
    /// What is done, in order of time.
    pub prompts: Vec<Prompt>,
    /// What shall be reached.
    #[serde(default)]
    pub goals: Vec<Goal>,
    /// What shall be left out.
    #[serde(default)]
    pub obstacles: Vec<Obstacle>,
}

impl Scene {
    /// Reads and checks a scene.
    ///
    /// # Errors
    /// [`GuidanceError::Json`], with line and column where known and the nearest known name for an
    /// unknown one; as [`Scene::check`].
    pub fn parse(json: &str) -> Result<Self, GuidanceError> {
        let scene: Self = serde_json::from_str(json).map_err(|error| explained(&error))?;
        scene.check()?;
        Ok(scene)
    }

    /// The scene as JSON, indented.
    ///
    /// # Errors
    /// [`GuidanceError::Json`] if a number is not finite.
    pub fn to_json(&self) -> Result<String, GuidanceError> {
        self.check()?;
        serde_json::to_string_pretty(self).map_err(|error| explained(&error))
    }

    /// Frames of the clip.
    #[must_use]
    pub fn frames(&self, fps: f64) -> usize {
        (self.duration_secs * fps).round() as usize
    }

    /// Checks all that doesn't depend on a model: numbers, names, times within the clip, goals that
    /// can be reached.
    ///
    /// # Errors
    /// [`GuidanceError`] naming the field, inside [`GuidanceError::In`] naming the goal or obstacle.
    pub fn check(&self) -> Result<(), GuidanceError> {
        let fault = |field, value: String, expected| GuidanceError::Field {
            field,
            value,
            expected,
        };
        if self.schema != SCHEMA {
            let value = self.schema.to_string();
            return Err(fault(
                "schema",
                value,
                "must be 1: this version reads no other",
            ));
        }
        let duration = self.duration_secs;
        if !(duration > 0.0 && duration <= MAX_DURATION_SECS) {
            return Err(fault(
                "duration_secs",
                duration.to_string(),
                "must be more than 0 and at most 600",
            ));
        }
        if self.prompts.is_empty() {
            return Err(fault("prompts", "[]".to_owned(), "must have at least one"));
        }
        let mut end = 0.0;
        for (index, prompt) in self.prompts.iter().enumerate() {
            let inside = |error: GuidanceError| error.inside(format!("prompts[{index}]"));
            if prompt.text.trim().is_empty() {
                let value = format!("`{}`", prompt.text);
                return Err(inside(fault("text", value, "must not be empty")));
            }
            let from = prompt.from_secs.unwrap_or(end);
            let to = prompt.to_secs.unwrap_or(duration);
            if !(from >= end && from < to && to <= duration) {
                return Err(inside(fault(
                    "from_secs, to_secs",
                    format!("{from}, {to}"),
                    "must follow the prompt before, within the clip",
                )));
            }
            end = to;
        }
        // Frame numbers only have to agree with each other here.
        self.terms(CHECKED_FPS).map(|_| ())?;
        self.check_reach()
    }

    /// The goals that are points and circles on the ground for the root, as methods take them that
    /// project the path: root targets and waypoints, and circles that hold for the pelvis all the
    /// time. [`Scene::trajectory_points`] has what trajectories add.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a time lies beyond the clip.
    pub fn ground_goals(&self, fps: f64) -> Result<GroundGoals, GuidanceError> {
        let mut goals = GroundGoals::default();
        for (position_m, time_secs) in self.goals.iter().flat_map(Goal::root_points) {
            goals.waypoints.push(Waypoint {
                position_m,
                frame: self.frame_at(time_secs, fps)?,
            });
        }
        let circles = self.obstacles.iter().filter_map(Obstacle::circle_for_root);
        goals.obstacles.extend(circles);
        Ok(goals)
    }

    /// Refuses root targets within an obstacle or too far to run to, and obstacles on the start.
    fn check_reach(&self) -> Result<(), GuidanceError> {
        let solid = |obstacle: &&Obstacle| obstacle.holds_for_root() && obstacle.weight > 0.0;
        let at_root_height = |[x, z]: [f64; 2]| [x, 0.9, z];
        for (index, obstacle) in self.obstacles.iter().enumerate() {
            let covers = obstacle.shape.distance_m(at_root_height([0.0, 0.0])).0 <= 0.0;
            if solid(&obstacle) && covers && obstacle.from_secs.is_none_or(|from| from == 0.0) {
                return Err(GuidanceError::Field {
                    field: "shape",
                    value: format!("{:?}", obstacle.shape),
                    expected: "must not cover the start at (0, 0)",
                }
                .inside(format!("obstacles[{index}]")));
            }
        }
        for (index, goal) in self.goals.iter().enumerate() {
            for (position, time) in goal.root_points() {
                let fault = |expected| {
                    GuidanceError::Field {
                        field: "position_m",
                        value: format!("{position:?}"),
                        expected,
                    }
                    .inside(format!("goals[{index}]"))
                };
                let time = time.unwrap_or(self.duration_secs);
                let covers = |obstacle: &Obstacle| {
                    obstacle.shape.distance_m(at_root_height(position)).0 <= 0.0
                        && obstacle.from_secs.is_none_or(|from| from <= time)
                        && obstacle.to_secs.is_none_or(|to| to >= time)
                };
                if self.obstacles.iter().filter(solid).any(covers) {
                    return Err(fault("must not lie within an obstacle"));
                }
                if position[0].hypot(position[1]) > MAX_SPEED_MPS * time {
                    return Err(fault("must be reachable from (0, 0) at 12.5 m/s"));
                }
            }
        }
        Ok(())
    }
}

/// A rate to check frame numbers with.
const CHECKED_FPS: f64 = 20.0;

/// A JSON error with the nearest known name, where serde lists the known ones.
fn explained(error: &serde_json::Error) -> GuidanceError {
    let message = error.to_string();
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let unknown = message.contains("unknown field") || message.contains("unknown variant");
    let nearest = match names.split_first() {
        Some((name, known)) if unknown => nearest_name(name, known.iter().copied()),
        _ => None,
    };
    GuidanceError::Json {
        message: match nearest {
            Some(nearest) => format!("{message}; did you mean `{nearest}`?"),
            None => message,
        },
    }
}
