//! What a task says.

use kinograd_guidance::goal::{Goal, GoalSet, Obstacle, RootTarget, Timeline};
use serde::{Deserialize, Serialize};

use super::json::schema;
use super::limits::{DEFAULT_MODEL, MODEL_FPS, SCHEMA};
use super::prompts::Prompt;
use super::settings::{GuidanceSettings, NetworkLoss, OutputSettings, Sampling};
use crate::Method;
use crate::optimize::Optimization;

/// What a task says, unchecked: plain data with the JSON form that the [module](super) documents.
/// [`Task`](super::Task) is the same, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// [`SCHEMA`].
    #[serde(default = "schema")]
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

    pub(super) fn asks_for_steering(&self) -> bool {
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
    pub(crate) fn target(&self) -> Option<RootTarget> {
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
