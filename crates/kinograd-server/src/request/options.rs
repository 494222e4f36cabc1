//! How clips are made.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::Value;

use super::form::read;
use crate::error::{ApiError, Code};
use crate::limits::{SAMPLES, STEPS, TRANSITION_FRAMES};

/// A seed: any whole number of 64 bits, with or without a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Seed {
    Plain(u64),
    Signed(i64),
}

impl Seed {
    pub(crate) fn bits(self) -> u64 {
        match self {
            Self::Plain(seed) => seed,
            Self::Signed(seed) => seed.cast_unsigned(),
        }
    }
}

/// How clips are made, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    /// The model's own if `None`.
    pub steps: Option<usize>,
    pub samples: usize,
    pub seed: Option<Seed>,
    pub post_processing: bool,
    /// Scale of classifier-free guidance; the model's own if `None`.
    pub cfg: Option<f64>,
    pub is_loop: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct OptionsForm {
    diffusion_steps: Option<u64>,
    num_samples: Option<u64>,
    seed: Option<Seed>,
    post_processing: Option<bool>,
    transition_frames: Option<u64>,
    guidance: Option<GuidanceForm>,
    r#loop: Option<bool>,
    keyframe_budget: Option<f64>,
    model_options: Option<serde_json::Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuidanceForm {
    r#type: GuidanceKind,
    #[serde(default)]
    weight: Vec<f64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum GuidanceKind {
    Nocfg,
    Regular,
    Separated,
}

impl Options {
    pub(super) fn read(value: Option<&Value>) -> Result<Self, ApiError> {
        let form: OptionsForm = match value {
            None | Some(Value::Null) => OptionsForm::default(),
            Some(value) => read(value, "options")?,
        };
        within("diffusion_steps", form.diffusion_steps, &STEPS)?;
        within("num_samples", form.num_samples, &SAMPLES)?;
        within(
            "transition_frames",
            form.transition_frames,
            &TRANSITION_FRAMES,
        )?;
        if form.keyframe_budget.is_some() {
            return Err(not_declared("keyframe_budget"));
        }
        if form.model_options.is_some_and(|sent| !sent.is_empty()) {
            return Err(not_declared("model_options"));
        }
        Ok(Self {
            steps: form.diffusion_steps.map(|steps| steps as usize),
            samples: form.num_samples.unwrap_or(1) as usize,
            seed: form.seed,
            post_processing: form.post_processing.unwrap_or(true),
            cfg: form.guidance.map(|guidance| guidance.cfg()).transpose()?,
            is_loop: form.r#loop.unwrap_or(false),
        })
    }
}

impl GuidanceForm {
    /// The scale for the prompt. Where a weight for constraints comes with it, that is left out:
    /// constraints are met as well as they can be.
    fn cfg(&self) -> Result<f64, ApiError> {
        let expected = match self.r#type {
            GuidanceKind::Nocfg => 0,
            GuidanceKind::Regular => 1,
            GuidanceKind::Separated => 2,
        };
        if self.weight.len() != expected {
            let message = format!("has {} numbers; {expected} are expected", self.weight.len());
            return Err(ApiError::schema("options.guidance.weight", message));
        }
        // Without guidance the network's answer to the prompt is taken as it is.
        Ok(self.weight.first().copied().unwrap_or(1.0))
    }
}

fn within(field: &str, value: Option<u64>, range: &RangeInclusive<u64>) -> Result<(), ApiError> {
    match value {
        Some(value) if !range.contains(&value) => {
            let message = format!("{value} is outside {} to {}", range.start(), range.end());
            Err(ApiError::schema(&format!("options.{field}"), message))
        }
        _ => Ok(()),
    }
}

fn not_declared(field: &str) -> ApiError {
    let message = format!("this model does not support options.{field}");
    ApiError::new(Code::InvalidOptions, message)
}
