//! The task: all that is asked for, as one type with one JSON form.
//!
//! A task is the only input of the generator, the command line, the viewer, benchmarks and
//! diagnosis, and it is what every output's record holds, so that a clip can be made again.
//!
//! Lengths are metres, times seconds, angles degrees. World: Y up, ground points are (x, z), a clip
//! starts at the origin facing +Z. Only `duration_secs` and `prompts` must be there; fields that are
//! unknown are refused with the nearest known name.
//!
//! | field | meaning | default |
//! |---|---|---|
//! | `schema` | 2; 1, a scene of earlier versions, is brought up | 2 |
//! | `name`, `description` | for people | none |
//! | `model` | package, a name or a folder | `motion-base` |
//! | `duration_secs` | length of the clip | – |
//! | `prompts` | `text`, and `from_secs`, `to_secs` of its part of the clip | –, whole clip |
//! | `goals` | what shall be reached: [`Goal`](crate::Goal); `kind` says which | none |
//! | `obstacles` | what shall be left out: [`Obstacle`](crate::Obstacle) | none |
//! | `losses` | networks to steer by: `onnx`, `weight` | none |
//! | `sampling` | [`Sampling`]: `seed`, `count`, `steps`, `sampler`, `cfg` | 20 steps of DDIM |
//! | `guidance` | [`GuidanceSettings`]: `method`, `scale`, `text`, `schedule` | `projection` |
//! | `output` | [`OutputSettings`]: `fps`, `foot_lock`, `rig` | 20 fps, on, our body |
//! | `optimization` | [`Optimization`](crate::optimize::Optimization): a reward that rises round by round | none |
//!
//! ```
//! use kinograd::Task;
//!
//! let task = Task::from_json(r#"{
//!     "schema": 2,
//!     "duration_secs": 5,
//!     "prompts": [{"text": "a person walks"}, {"text": "a person sits down", "from_secs": 3}],
//!     "goals": [{"kind": "root_target", "position_m": [0.5, 3], "time_secs": 3}],
//!     "sampling": {"seed": 7}
//! }"#)?;
//! assert_eq!(task.frames(), 100);
//! let typo = r#"{"duration_sec": 5, "prompts": []}"#;
//! let message = Task::from_json(typo).unwrap_err().to_string();
//! assert!(message.contains("did you mean `duration_secs`?"), "{message}");
//! let late = task.edited(|spec| spec.prompts[1].from_secs = Some(9.0)).unwrap_err();
//! assert!(late.to_string().starts_with("prompts[1].from_secs: 9"), "{late}");
//! # Ok::<(), kinograd::Error>(())
//! ```

pub(crate) mod bounds;
mod builder;
pub(crate) mod check;
mod checked;
pub(crate) mod json;
mod lengths;
pub(crate) mod limits;
mod motion_task;
pub(crate) mod prompts;
pub(crate) mod refuse;
mod rig;
mod schedule;
mod settings;
mod spec;
pub(crate) mod stages;
pub(crate) mod timed_prompts;

pub use builder::TaskBuilder;
pub use checked::{Checked, SharedMut, Spec};
pub use lengths::usual_duration_secs;
pub(crate) use limits::MODEL_FPS;
pub use limits::{DEFAULT_MODEL, MAX_COUNT, MAX_PROMPT_CHARS, SCHEMA};
pub use motion_task::Task;
pub use prompts::Prompt;
pub use rig::{RigSettings, TravelSetting, open_character};
pub use schedule::{GuidanceSchedule, Resampling};
pub use settings::{GuidanceSettings, NetworkLoss, OutputSettings, Sampling};
pub use spec::TaskSpec;
