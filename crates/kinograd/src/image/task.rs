//! A picture's task: what to make, with the same outside as a clip's.

use std::path::PathBuf;

use kinograd_runtime::Manifest;
use serde::{Deserialize, Serialize};

use super::{ImageOptimization, PictureGoal, PictureGoalKind};
use crate::task::limits::{MAX_AUGMENTATIONS, SCALE};
use crate::task::prompts::{check_text, normalize_text};
use crate::task::refuse::{refuse, within};
use crate::task::{
    Checked, GuidanceSchedule, SCHEMA, Sampling, SharedMut, Spec, TaskBuilder, json,
};
use crate::task::{bounds, check};
use crate::{Error, Method};

/// Denoising steps where neither task nor package says.
const USUAL_STEPS: usize = 50;
/// Steps with which strengths were tuned.
const TUNED_STEPS: usize = 20;

/// Which model packages take part, by name or folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageModels {
    /// Makes the images.
    pub denoiser: String,
    /// Embeds images and texts, and steers.
    pub embedding: String,
    /// Embeds them too and only judges; not used where it is not there.
    pub judge: String,
    /// Finds the foreground.
    pub segmentation: String,
}

impl Default for ImageModels {
    fn default() -> Self {
        Self {
            denoiser: "emoji-64".to_owned(),
            embedding: "emoji-clip".to_owned(),
            judge: "emoji-judge".to_owned(),
            segmentation: "emoji-seg".to_owned(),
        }
    }
}

/// What a picture's task says, unchecked: plain data with one JSON form. [`PictureTask`] is the same,
/// checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PictureSpec {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The model packages.
    pub models: ImageModels,
    /// What to steer towards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<PictureGoal>,
    /// What the denoiser itself is conditioned on.
    #[serde(skip_serializing_if = "PictureConditioning::is_empty")]
    pub conditioning: PictureConditioning,
    /// A .npy file of x_T, `f32 [count, channels, height, width]` of the model's samples, in place
    /// of the seed's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<PathBuf>,
    /// How pictures are drawn.
    pub sampling: Sampling,
    /// How goals steer.
    pub guidance: PictureGuidance,
    /// The loss is optimised round by round, in place of steering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimization: Option<ImageOptimization>,
}

impl Default for PictureSpec {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            models: ImageModels::default(),
            goals: Vec::new(),
            conditioning: PictureConditioning::default(),
            noise: None,
            sampling: Sampling::default(),
            guidance: PictureGuidance::default(),
            optimization: None,
        }
    }
}

/// What the denoiser itself is conditioned on, where it reads that.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PictureConditioning {
    /// A text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it is guided away from in place of no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative: Option<String>,
    /// The class that it makes, by number or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

impl PictureConditioning {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How goals steer pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PictureGuidance {
    /// The method.
    pub method: Method,
    /// Strength, in multiples of the method's own step; tuned for the method and the first goal if
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Random augmentations per step of what networks judge; 0 is off.
    pub augmentations: usize,
    /// When and how much the method acts.
    #[serde(skip_serializing_if = "GuidanceSchedule::is_default")]
    pub schedule: GuidanceSchedule,
}

impl Default for PictureGuidance {
    fn default() -> Self {
        Self {
            method: Method::Normalized,
            scale: None,
            augmentations: 10,
            schedule: GuidanceSchedule::default(),
        }
    }
}

/// A checked task for pictures.
///
/// ```
/// use kinograd::image::PictureTask;
/// let task = PictureTask::builder().prompt("a red heart").count(4).build()?;
/// assert_eq!(task.goals.len(), 1);
/// assert!(PictureTask::builder().steps(0).build().is_err());
/// assert_eq!(PictureTask::from_json(&task.to_json()?)?, task);
/// # Ok::<(), kinograd::Error>(())
/// ```
pub type PictureTask = Checked<PictureSpec>;

impl Spec for PictureSpec {
    fn normalize(&mut self) {
        let conditioning = &mut self.conditioning;
        let told = conditioning
            .text
            .iter_mut()
            .chain(&mut conditioning.negative);
        told.for_each(normalize_text);
        for goal in &mut self.goals {
            if let PictureGoalKind::Text { prompt } = &mut goal.kind {
                normalize_text(prompt);
            }
        }
    }

    fn validate(&self) -> Result<(), Error> {
        if self.schema != SCHEMA {
            let message = format!("{} is not {SCHEMA}, the one that is read here", self.schema);
            return Err(refuse("schema", message));
        }
        bounds::check(self)?;
        check::sampling(&self.sampling)?;
        let augmentations = self.guidance.augmentations;
        if augmentations > MAX_AUGMENTATIONS {
            return Err(refuse(
                "guidance.augmentations",
                format!("{augmentations} is outside 0 to {MAX_AUGMENTATIONS}"),
            ));
        }
        if let Some(scale) = self.guidance.scale {
            within("guidance.scale", scale, &SCALE)?;
        }
        let method = self.guidance.method;
        self.guidance
            .schedule
            .check(method, self.sampling.sampler)?;
        if !method.follows_any_loss() {
            let others = Method::STEERING
                .into_iter()
                .filter(|m| m.follows_any_loss());
            let names: Vec<&str> = others.map(Method::name).collect();
            return Err(refuse(
                "guidance.method",
                format!(
                    "{method} follows paths on the ground; pictures take {}",
                    names.join(", ")
                ),
            ));
        }
        if let Some(text) = &self.conditioning.text {
            check_text("conditioning.text", text)?;
        }
        for (index, goal) in self.goals.iter().enumerate() {
            within(&format!("goals[{index}].weight"), goal.weight, &SCALE)?;
            if let PictureGoalKind::Text { prompt } = &goal.kind {
                check_latin(&format!("goals[{index}].prompt"), prompt)?;
            }
        }
        if self.noise.is_some() {
            check::drawn_once(&self.sampling, "the noise is given")?;
        }
        if self.optimization.is_some() {
            check::drawn_once(&self.sampling, "an optimisation draws it once")?;
        }
        match &self.optimization {
            Some(optimization) => optimization.check(self.goals.len()),
            None => Ok(()),
        }
    }

    fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    fn method(&self) -> Method {
        self.guidance.method
    }

    /// If none is given it is what was tuned for the method on goals like the first, with 20 steps. The
    /// normalised step has one length however many there are: more of them are shorter, by the root of
    /// how many more, which loses nothing by the held-out evaluator and keeps colours from running full.
    fn guidance_scale(&self) -> f64 {
        let steps = self.sampling.steps.unwrap_or(USUAL_STEPS);
        let method = self.guidance.method;
        self.guidance.scale.unwrap_or_else(|| {
            let first = self.goals.iter().find(|goal| goal.weight > 0.0);
            let tuned = first.map_or(1.0, |goal| method.tuned_scale(goal.kind.tuned_on()));
            match method {
                Method::Normalized if steps > TUNED_STEPS => {
                    tuned * (TUNED_STEPS as f64 / steps as f64).sqrt()
                }
                _ => tuned,
            }
        })
    }

    fn schedule(&self) -> &GuidanceSchedule {
        &self.guidance.schedule
    }

    fn settle(&mut self, manifest: &Manifest) {
        let (defaults, method) = (&manifest.defaults, self.guidance.method);
        self.sampling.settle(method, defaults, USUAL_STEPS);
        // A scale is refused where there is nothing to be guided away from.
        if manifest.has_null_condition() {
            self.sampling.cfg = self.sampling.cfg.or(defaults.cfg);
        }
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

/// The text encoders read English: a prompt without one Latin letter means nothing to them.
fn check_latin(path: &str, prompt: &str) -> Result<(), Error> {
    check_text(path, prompt)?;
    if prompt.chars().any(|c| c.is_ascii_alphabetic()) {
        return Ok(());
    }
    let prompt = prompt.trim();
    let message = format!("`{prompt}` has no Latin letter; the text model reads English");
    Err(refuse(path, message))
}

impl PictureSpec {
    /// Whether anything steers.
    #[must_use]
    pub fn is_guided(&self) -> bool {
        self.guidance.method != Method::None && self.goals.iter().any(|goal| goal.weight > 0.0)
    }

    /// The first text among the goals.
    #[must_use]
    pub fn prompt(&self) -> Option<&str> {
        self.goals.iter().find_map(|goal| match &goal.kind {
            PictureGoalKind::Text { prompt } => Some(prompt.as_str()),
            _ => None,
        })
    }
}

impl PictureTask {
    /// Starts a task.
    pub fn builder() -> PictureTaskBuilder {
        PictureSpec::default().into()
    }

    /// Reads and checks a picture's task.
    ///
    /// # Errors
    /// [`Error::Json`] with line and column where known and the nearest known name for an unknown
    /// one; [`Error::Task`] that names the field.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        Self::new(json::parse(json)?)
    }

    /// Reads and checks the file of a picture's task.
    ///
    /// # Errors
    /// [`Error::Read`] with the path and why.
    pub fn read(path: &std::path::Path) -> Result<Self, Error> {
        json::read(path, Self::from_json)
    }
}

/// Collects a [`PictureTask`].
pub type PictureTaskBuilder = TaskBuilder<PictureSpec>;

/// What pictures have of their own.
impl PictureTaskBuilder {
    /// Steers towards a text, with weight 1.
    pub fn prompt(self, prompt: impl Into<String>) -> Self {
        let prompt = prompt.into();
        self.goal(PictureGoal {
            kind: PictureGoalKind::Text { prompt },
            weight: 1.0,
        })
    }

    /// Steers towards something.
    pub fn goal(mut self, goal: PictureGoal) -> Self {
        self.spec.goals.push(goal);
        self
    }

    /// Tells the denoiser itself, where it is ([`super::is_text_conditioned`]); the goals may hold the
    /// same text as a loss beside it.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.spec.conditioning.text = Some(text.into());
        self
    }

    /// What to guide away from in place of no text, where the denoiser reads text.
    pub fn negative(mut self, text: impl Into<String>) -> Self {
        self.spec.conditioning.negative = Some(text.into());
        self
    }

    /// The class to make, by number or name, where the denoiser has classes.
    pub fn class(mut self, class: impl Into<String>) -> Self {
        self.spec.conditioning.class = Some(class.into());
        self
    }

    /// A .npy file of x_T in place of the seed's.
    pub fn noise(mut self, path: impl Into<PathBuf>) -> Self {
        self.spec.noise = Some(path.into());
        self
    }

    /// Optimises the loss round by round in place of steering.
    pub fn optimization(mut self, optimization: ImageOptimization) -> Self {
        self.spec.optimization = Some(optimization);
        self
    }

    /// Random augmentations per step of what networks judge; 0 is off.
    pub fn augmentations(mut self, augmentations: usize) -> Self {
        self.spec.guidance.augmentations = augmentations;
        self
    }

    /// The package that makes the images.
    pub fn denoiser(mut self, model: impl Into<String>) -> Self {
        self.spec.models.denoiser = model.into();
        self
    }

    /// The package that steers towards texts and likenesses.
    pub fn embedding(mut self, model: impl Into<String>) -> Self {
        self.spec.models.embedding = model.into();
        self
    }

    /// The package that judges.
    pub fn judge(mut self, model: impl Into<String>) -> Self {
        self.spec.models.judge = model.into();
        self
    }

    /// The package that finds the foreground.
    pub fn segmentation(mut self, model: impl Into<String>) -> Self {
        self.spec.models.segmentation = model.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let heart = || PictureTask::builder().prompt("a red heart");
        for (builder, part) in [
            (PictureTask::builder().prompt(" \t"), "is empty"),
            (
                PictureTask::builder().prompt("x".repeat(10_000)),
                "prompt: has 10000 characters; at most 1000",
            ),
            (
                PictureTask::builder().prompt("красное сердце"),
                "prompt: `красное сердце` has no Latin letter",
            ),
            (PictureTask::builder().prompt("赤い 42"), "no Latin letter"),
            (heart().count(0), "sampling.count: 0 is"),
            (heart().count(1001), "sampling.count: 1001 is"),
            (heart().steps(0), "steps: 0 is outside"),
            (heart().steps(1001), "steps: 1001 is outside"),
            (
                heart().augmentations(1000),
                "augmentations: 1000 is outside",
            ),
            (heart().guidance_scale(-1.0), "guidance.scale: -1"),
            (heart().guidance_scale(f64::NAN), "guidance.scale: NaN"),
            (heart().cfg(f64::INFINITY), "sampling.cfg: inf is outside"),
            (PictureTask::builder().text(" "), "is empty"),
            (
                heart().method(Method::Projection),
                "method: projection follows paths",
            ),
        ] {
            let message = builder.build().expect_err(part).to_string();
            assert!(message.contains(part), "{message} lacks {part}");
        }
        // Some Latin letters are enough.
        assert!(
            PictureTask::builder()
                .prompt("ein rotes Herz ♥")
                .build()
                .is_ok()
        );
    }

    #[test]
    fn the_strength_is_the_tuned_one_of_the_first_goal_unless_it_is_given() {
        use kinograd_guidance::TunedOn;
        let build = |goal: &str| {
            let goal = PictureGoal::parse(goal).unwrap().remove(0);
            let request = PictureTask::builder()
                .goal(goal)
                .steps(20)
                .method(Method::Dps);
            request.build().unwrap().guidance_scale()
        };
        for (goal, like) in [
            ("text=a heart", TunedOn::Text),
            ("class=c.onnx:1", TunedOn::Text),
            ("seg=m.png", TunedOn::Seg),
            ("blur=1.5,image=a.png", TunedOn::Sketch),
        ] {
            assert_eq!(build(goal), Method::Dps.tuned_scale(like), "{goal}");
        }
        let given = PictureTask::builder().prompt("a heart").guidance_scale(3.0);
        assert_eq!(given.build().unwrap().guidance_scale(), 3.0);
    }
}
