//! Prompts in time.

use std::ops::Range;

use ndarray::Array2;

use crate::GenerateRequest;
use crate::request::MODEL_FPS;

/// Seconds in which one prompt gives way to the next.
const BLEND_SECS: f64 = 0.6;

/// A prompt and the frames that it is for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimedPrompt {
    pub text: String,
    pub frames: Range<usize>,
}

/// The request's prompts, without gaps.
pub(crate) fn of_request(request: &GenerateRequest) -> Vec<TimedPrompt> {
    let frames = request.frames();
    let frame = |seconds: f64| ((seconds * MODEL_FPS).round() as usize).min(frames);
    let starts = request.then.iter().map(|then| frame(then.seconds));
    let ends: Vec<usize> = starts.chain([frames]).collect();
    let texts = request.then.iter().map(|then| &then.prompt);
    let mut start = 0;
    let mut prompts = Vec::with_capacity(ends.len());
    for (text, end) in std::iter::once(&request.prompt).chain(texts).zip(ends) {
        if end > start {
            prompts.push(TimedPrompt {
                text: text.clone(),
                frames: start..end,
            });
        }
        start = end;
    }
    prompts
}

/// Share of each prompt in each frame, `[prompts, frames]`, 1 in sum; smooth where they meet.
pub(crate) fn shares(prompts: &[TimedPrompt]) -> Array2<f64> {
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

    #[test]
    fn shares_sum_to_one_and_each_prompt_has_its_time() {
        let request = GenerateRequest::builder("walk")
            .then("hop", 3.5)
            .then("sit", 4.2)
            .seconds(8.0)
            .build()
            .unwrap();
        let prompts = of_request(&request);
        let frames: Vec<_> = prompts.iter().map(|p| p.frames.clone()).collect();
        assert_eq!(frames, [0..70, 70..84, 84..160]);
        let shares = shares(&prompts);
        for column in shares.columns() {
            assert!((column.sum() - 1.0).abs() < 1e-12);
            assert!(column.iter().all(|share| *share >= 0.0));
        }
        for (prompt, frame) in [(0, 10), (1, 77), (2, 120)] {
            assert_eq!(shares[[prompt, frame]], 1.0, "{prompt}");
        }
        assert!(
            (shares[[0, 69]] + shares[[0, 70]] - 1.0).abs() < 1e-12,
            "they meet half-way"
        );
    }
}
