//! The one check of tasks.

use kinograd_guidance::GuidanceError;

use super::bounds;
use super::limits::{
    CFG, FAST_M_PER_S, FPS, MAX_BEST_OF, MAX_COUNT, MAX_DURATION_SECS, MAX_STEPS, MODEL_FPS, SCALE,
    SCHEMA,
};
use super::refuse::{refuse, within};
use super::settings::{GuidanceSettings, Sampling};
use super::spec::TaskSpec;
use super::timed_prompts;
use crate::Error;
use crate::warning::Warning;

pub(super) fn check(task: &TaskSpec) -> Result<(), Error> {
    if task.schema != SCHEMA {
        return Err(refuse(
            "schema",
            format!("{} is not {SCHEMA}, the one that is read here", task.schema),
        ));
    }
    let duration = task.duration_secs;
    if !(duration > 0.0 && duration <= MAX_DURATION_SECS) {
        return Err(refuse(
            "duration_secs",
            format!("{duration} must be above 0 and at most {MAX_DURATION_SECS}"),
        ));
    }
    bounds::check(task)?;
    timed_prompts::check(task)?;
    sampling(&task.sampling)?;
    guidance(&task.guidance, &task.sampling)?;
    within("output.fps", task.output.fps, &FPS)?;
    for (index, loss) in task.losses.iter().enumerate() {
        within(&format!("losses[{index}].weight"), loss.weight, &SCALE)?;
    }
    if let Some(optimization) = &task.optimization {
        drawn_once(&task.sampling, "an optimisation draws it once")?;
        optimization.check(task.sampling.count, task.prompts.len(), duration)?;
    }
    task.goal_set().check().map_err(named)
}

/// Refuses several draws where each sample is drawn once.
pub(crate) fn drawn_once(sampling: &Sampling, because: &str) -> Result<(), Error> {
    if sampling.best_of == 1 {
        return Ok(());
    }
    let message = format!("{} draws for each sample: {because}", sampling.best_of);
    Err(refuse("sampling.best_of", message))
}

/// Checks how samples are drawn; pictures have the same.
pub(crate) fn sampling(sampling: &Sampling) -> Result<(), Error> {
    let (count, steps) = (sampling.count, sampling.steps);
    if !(1..=MAX_COUNT).contains(&count) {
        return Err(refuse(
            "sampling.count",
            format!("{count} is outside 1 to {MAX_COUNT}"),
        ));
    }
    let best_of = sampling.best_of;
    if !(1..=MAX_BEST_OF).contains(&best_of) || count * best_of > MAX_COUNT {
        return Err(refuse(
            "sampling.best_of",
            format!(
                "{best_of} is outside 1 to {MAX_BEST_OF}, or more than {MAX_COUNT} draws in all"
            ),
        ));
    }
    if let Some(steps) = steps.filter(|steps| !(1..=MAX_STEPS).contains(steps)) {
        return Err(refuse(
            "sampling.steps",
            format!("{steps} is outside 1 to {MAX_STEPS}"),
        ));
    }
    sampling
        .cfg
        .map_or(Ok(()), |cfg| within("sampling.cfg", cfg, &CFG))
}

fn guidance(guidance: &GuidanceSettings, sampling: &Sampling) -> Result<(), Error> {
    if let Some(scale) = guidance.scale {
        within("guidance.scale", scale, &SCALE)?;
    }
    if let Some(weight) = guidance.text {
        within("guidance.text", weight, &SCALE)?;
    }
    guidance.schedule.check(guidance.method, sampling.sampler)
}

/// Places that can only be reached faster than the model's people move, or not at all.
pub(super) fn hard_places(task: &TaskSpec) -> Vec<Warning> {
    let last = task.frames().saturating_sub(1);
    let mut warnings = Vec::new();
    // A checked task's points are all within the clip.
    for leg in task.goal_set().legs().unwrap_or_default() {
        let secs = |frame: usize| match frame {
            frame if frame == last => task.duration_secs,
            frame => frame as f64 / MODEL_FPS,
        };
        let (from, seconds) = (secs(leg.frames.0), secs(leg.frames.1));
        let speed_m_per_s = leg.length_m / (seconds - from).max(1.0 / MODEL_FPS);
        if speed_m_per_s > FAST_M_PER_S {
            warnings.push(Warning::FastTarget {
                speed_m_per_s,
                seconds,
            });
        }
        if leg.line_m.is_none() {
            let position_m = leg.to_m;
            warnings.push(Warning::NoWay { position_m });
        }
    }
    warnings
}

/// A guidance error with the field's whole path.
fn named(error: GuidanceError) -> Error {
    let mut path = String::new();
    let mut error = error;
    loop {
        match error {
            GuidanceError::In { place, source } => {
                path = joined(&path, &place);
                error = *source;
            }
            GuidanceError::Field {
                field,
                value,
                expected,
            } => {
                return Error::Task {
                    path: joined(&path, field),
                    message: format!("{value} {expected}"),
                };
            }
            other => {
                return Error::Task {
                    path,
                    message: other.to_string(),
                };
            }
        }
    }
}

fn joined(path: &str, field: &str) -> String {
    if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}
