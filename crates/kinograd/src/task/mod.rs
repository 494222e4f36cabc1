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
//! | `goals` | what shall be reached: [`Goal`]; `kind` says which | none |
//! | `obstacles` | what shall be left out: [`Obstacle`] | none |
//! | `losses` | networks to steer by: `onnx`, `weight` | none |
//! | `sampling` | [`Sampling`]: `seed`, `count`, `steps`, `sampler`, `cfg` | 20 steps of DDIM |
//! | `guidance` | [`GuidanceSettings`]: `method`, `scale`, `text`, `schedule` | `projection` |
//! | `output` | [`OutputSettings`]: `fps`, `foot_lock` | 20 fps, on |
//! | `optimization` | [`Optimization`]: a reward that rises round by round | none |
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

mod builder;
pub(crate) mod check;
mod checked;
pub(crate) mod json;
pub(crate) mod limits;
pub(crate) mod prompts;
mod schedule;
mod settings;

use kinograd_guidance::goal::{Goal, GoalSet, Obstacle, Timeline};
use serde::{Deserialize, Serialize};

pub use builder::TaskBuilder;
pub use checked::{Checked, SharedMut, Spec};
pub use limits::{MAX_COUNT, MAX_PROMPT_CHARS};
pub use prompts::Prompt;
pub use schedule::{GuidanceSchedule, Resampling};
pub use settings::{GuidanceSettings, NetworkLoss, OutputSettings, Sampling};

use crate::observer::Warning;
use crate::optimize::Optimization;
use crate::{Error, Method};

/// The schema that this version writes.
pub const SCHEMA: u32 = 2;
/// The schema of scenes, which tasks extend: its fields mean the same, and what it lacks has defaults.
const SCENE_SCHEMA: u32 = 1;
/// Frames per second the model works at.
pub(crate) const MODEL_FPS: f64 = 20.0;
/// The package that is taken where a task names none.
pub const DEFAULT_MODEL: &str = "motion-base";

/// What a task says, unchecked: plain data with the JSON form that the [module](self) documents.
/// [`Task`] is the same, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// [`SCHEMA`].
    #[serde(default = "json::schema")]
    pub schema: u32,
    /// Its name, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it shows, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The model package, a name or a folder; [`DEFAULT_MODEL`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Length of the clip, seconds.
    pub duration_secs: f64,
    /// What the person does, in order of time.
    pub prompts: Vec<Prompt>,
    /// What shall be reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<Goal>,
    /// What shall be left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<Obstacle>,
    /// Networks whose scores are made small.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<NetworkLoss>,
    /// How clips are drawn.
    #[serde(default)]
    pub sampling: Sampling,
    /// How goals steer.
    #[serde(default)]
    pub guidance: GuidanceSettings,
    /// How clips are finished.
    #[serde(default)]
    pub output: OutputSettings,
    /// A reward that rises round by round, for [`MotionGenerator::optimize`].
    ///
    /// [`MotionGenerator::optimize`]: crate::MotionGenerator::optimize
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimization: Option<Optimization>,
}

impl TaskSpec {
    /// One prompt for a clip of this length, seconds, and all else as by default.
    #[must_use]
    pub fn new(prompt: impl Into<String>, duration_secs: f64) -> Self {
        Self {
            schema: SCHEMA,
            name: String::new(),
            description: String::new(),
            model: None,
            duration_secs,
            prompts: vec![Prompt::new(prompt)],
            goals: Vec::new(),
            obstacles: Vec::new(),
            losses: Vec::new(),
            sampling: Sampling::default(),
            guidance: GuidanceSettings::default(),
            output: OutputSettings::default(),
            optimization: None,
        }
    }

    /// Checks it.
    ///
    /// # Errors
    /// [`Error::Task`] that names the field by its path, what came and what was expected.
    pub fn check(self) -> Result<Task, Error> {
        Task::new(self)
    }

    /// The model's name or folder.
    #[must_use]
    pub fn model(&self) -> &str {
        self.model.as_deref().unwrap_or(DEFAULT_MODEL)
    }

    /// Frames the model makes, at 20 per second.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.timeline().frames()
    }

    pub(crate) fn timeline(&self) -> Timeline {
        Timeline::new(self.duration_secs, MODEL_FPS)
    }

    /// All goals and obstacles.
    #[must_use]
    pub fn goal_set(&self) -> GoalSet<'_> {
        GoalSet::new(&self.goals, &self.obstacles, self.timeline())
    }

    /// Whether anything steers the clip.
    #[must_use]
    pub fn is_guided(&self) -> bool {
        self.guidance.method != Method::None && self.asks_for_steering()
    }

    fn asks_for_steering(&self) -> bool {
        !self.goal_set().is_empty()
            || self.guidance.text.is_some_and(|weight| weight > 0.0)
            || !self.losses.is_empty()
    }

    /// Weight of the text loss, for a model with or without a motion embedding.
    pub(crate) fn text_weight(&self, has_embedding: bool) -> f64 {
        let by_default = self.guidance.method == Method::Projection
            && self.goal_set().has_path()
            && has_embedding;
        let default = if by_default {
            GuidanceSettings::TEXT_BESIDE_GOALS
        } else {
            0.0
        };
        self.guidance.text.unwrap_or(default)
    }

    /// All prompts as one line.
    #[must_use]
    pub fn prompts_in_words(&self) -> String {
        let texts: Vec<&str> = self.prompts.iter().map(|p| p.text.trim()).collect();
        texts.join(", then ")
    }

    /// The target: the place of the last root target.
    pub(crate) fn target(&self) -> Option<kinograd_guidance::goal::RootTarget> {
        let targets = self.goals.iter().filter_map(|goal| match goal {
            Goal::RootTarget(target) if goal.weight() > 0.0 => Some(target.clone()),
            _ => None,
        });
        let end = self.duration_secs;
        targets.max_by(|a, b| {
            let times = [a, b].map(|target| target.time_secs.unwrap_or(end));
            times[0].total_cmp(&times[1])
        })
    }
}

/// A checked task for clips.
pub type Task = Checked<TaskSpec>;

impl Spec for TaskSpec {
    fn validate(&self) -> Result<(), Error> {
        check::check(self)
    }

    fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    fn method(&self) -> Method {
        self.guidance.method
    }

    fn guidance_scale(&self) -> f64 {
        self.guidance.scale()
    }

    fn schedule(&self) -> &GuidanceSchedule {
        &self.guidance.schedule
    }

    fn shared_mut(&mut self) -> SharedMut<'_> {
        SharedMut {
            sampling: &mut self.sampling,
            method: &mut self.guidance.method,
            scale: &mut self.guidance.scale,
            schedule: &mut self.guidance.schedule,
        }
    }
}

impl Task {
    /// Starts a task with one prompt.
    pub fn builder(prompt: impl Into<String>) -> TaskBuilder {
        TaskBuilder::new(prompt)
    }

    /// Reads and checks a task, or a scene of schema 1.
    ///
    /// # Errors
    /// [`Error::Json`] with line and column where known and the nearest known name for an unknown
    /// one; [`Error::Task`] that names the field.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let mut spec: TaskSpec = json::parse(json)?;
        if spec.schema == SCENE_SCHEMA {
            spec.schema = SCHEMA;
        }
        spec.check()
    }

    /// Reads and checks a task's file.
    ///
    /// # Errors
    /// [`Error::Read`] with the path and why.
    pub fn read(path: &std::path::Path) -> Result<Self, Error> {
        json::read(path, Self::from_json)
    }

    /// What the user should know before the run.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = check::fast_places(self);
        if self.guidance.method == Method::None && self.asks_for_steering() {
            warnings.push(Warning::Other(
                "method none: goals and obstacles are measured, but nothing steers".to_owned(),
            ));
        }
        warnings
    }
}
