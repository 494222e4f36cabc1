//! Prompts in time.

use std::ops::Range;

use ndarray::Array2;

use super::limits::MODEL_FPS;
use super::prompts::check_text;
use super::refuse::refuse;
use super::spec::TaskSpec;
use crate::Error;

/// Seconds in which one prompt gives way to the next: about a step, looked at in clips that walk and
/// then sit.
const BLEND_SECS: f64 = 0.6;

/// A prompt and the frames that it is for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimedPrompt {
    pub text: String,
    pub frames: Range<usize>,
}

/// Start and end of each prompt, seconds, as they are stated or follow from their neighbours.
fn spans(task: &TaskSpec) -> Vec<(f64, f64)> {
    let mut before = 0.0;
    let mut spans = Vec::with_capacity(task.prompts.len());
    for (index, prompt) in task.prompts.iter().enumerate() {
        let next = task.prompts.get(index + 1);
        let follows = next.and_then(|next| next.from_secs);
        let from = prompt.from_secs.unwrap_or(before);
        let to = prompt.to_secs.or(follows).unwrap_or(task.duration_secs);
        spans.push((from, to));
        before = to;
    }
    spans
}

pub(super) fn check(task: &TaskSpec) -> Result<(), Error> {
    if task.prompts.is_empty() {
        return Err(refuse("prompts", "is empty; say what the person does"));
    }
    let mut end = 0.0;
    for (index, (prompt, (from, to))) in task.prompts.iter().zip(spans(task)).enumerate() {
        let path = |field: &str| format!("prompts[{index}].{field}");
        check_text(&path("text"), &prompt.text)?;
        if !(from >= end && from < task.duration_secs) {
            return Err(refuse(
                &path("from_secs"),
                format!(
                    "{from} must be at {end} or later, where the prompt before ends, and before the end at {}",
                    task.duration_secs
                ),
            ));
        }
        if !(to > from && to <= task.duration_secs) {
            let next = index + 1;
            if prompt.to_secs.is_none() && next < task.prompts.len() {
                return Err(refuse(
                    &format!("prompts[{next}].from_secs"),
                    format!(
                        "{to} must come after {from} and before the end at {}",
                        task.duration_secs
                    ),
                ));
            }
            return Err(refuse(
                &path("to_secs"),
                format!(
                    "{to} must be later than {from} and within the clip's {} s",
                    task.duration_secs
                ),
            ));
        }
        end = to;
    }
    Ok(())
}

/// A task's prompts, without gaps: where none is stated, the neighbours meet half-way.
pub(crate) fn timed(task: &TaskSpec) -> Vec<TimedPrompt> {
    let frames = task.frames();
    let frame = |seconds: f64| ((seconds * MODEL_FPS).round() as usize).min(frames);
    let spans = spans(task);
    let mut prompts = Vec::with_capacity(spans.len());
    let mut start = 0;
    for (index, prompt) in task.prompts.iter().enumerate() {
        let next = spans.get(index + 1);
        let end = next.map_or(frames, |next| frame(f64::midpoint(spans[index].1, next.0)));
        if end > start {
            prompts.push(TimedPrompt {
                text: prompt.text.trim().to_owned(),
                frames: start..end,
            });
        }
        start = start.max(end);
    }
    prompts
}

/// Weight of each prompt in each frame, `[prompts, frames]`, 1 in sum; smooth where they meet.
pub(crate) fn blend_weights(prompts: &[TimedPrompt]) -> Array2<f64> {
    let frames = prompts.last().map_or(0, |last| last.frames.end);
    let half = 0.5 * BLEND_SECS * MODEL_FPS;
    // How far the clip has come past a boundary, 0 to 1.
    let past = |frame: usize, boundary: usize| {
        let along = (frame as f64 + 0.5 - boundary as f64) / (2.0 * half) + 0.5;
        let along = along.clamp(0.0, 1.0);
        along * along * (3.0 - 2.0 * along)
    };
    let entered = |prompt: usize, frame: usize| match prompt {
        0 => 1.0,
        _ => prompts
            .get(prompt)
            .map_or(0.0, |prompt| past(frame, prompt.frames.start)),
    };
    Array2::from_shape_fn((prompts.len(), frames), |(prompt, frame)| {
        // Short prompts between two long ones may be left before they are fully entered.
        let reached = |at: usize| (0..=at).map(|at| entered(at, frame)).fold(1.0, f64::min);
        let next = if prompt + 1 < prompts.len() {
            reached(prompt + 1)
        } else {
            0.0
        };
        reached(prompt) - next
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Task;
    use crate::task::Prompt;

    #[test]
    fn weights_sum_to_one_and_each_prompt_has_its_time() {
        let task = Task::builder("walk")
            .then("hop", 3.5)
            .then("sit", 4.2)
            .duration(8.0)
            .build()
            .unwrap();
        let prompts = timed(&task);
        let frames: Vec<_> = prompts.iter().map(|p| p.frames.clone()).collect();
        assert_eq!(frames, [0..70, 70..84, 84..160]);
        let weights = blend_weights(&prompts);
        for column in weights.columns() {
            assert!((column.sum() - 1.0).abs() < 1e-12);
            assert!(column.iter().all(|weight| *weight >= 0.0));
        }
        for (prompt, frame) in [(0, 10), (1, 77), (2, 120)] {
            assert_eq!(weights[[prompt, frame]], 1.0, "{prompt}");
        }
        assert!(
            (weights[[0, 69]] + weights[[0, 70]] - 1.0).abs() < 1e-12,
            "they meet half-way"
        );
    }

    #[test]
    fn neighbours_share_the_time_that_none_is_stated_for() {
        let mut spec = TaskSpec::new("walk", 8.0);
        spec.prompts[0].to_secs = Some(3.0);
        spec.prompts.push(Prompt {
            from_secs: Some(5.0),
            ..Prompt::new("sit")
        });
        let frames: Vec<_> = timed(&spec).into_iter().map(|p| p.frames).collect();
        assert_eq!(frames, [0..80, 80..160]);
    }
}
