//! What is sampled.

use kinograd::{Error, SamplerKind, Task};
use serde::Serialize;

use crate::prompts::PromptList;

/// Most clips per prompt and length.
const MOST_SEEDS: usize = 1000;

/// What to sample of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelProtocol {
    /// The prompts.
    pub prompts: PromptList,
    /// Only prompts that contain this text.
    pub only: Option<String>,
    /// Lengths at which each prompt is sampled, seconds.
    pub lengths_secs: Vec<f64>,
    /// Clips per prompt and length, with seeds from 0 on.
    pub seeds: usize,
    /// Sampling steps instead of the usual ones.
    pub steps: Option<usize>,
    /// Sampler instead of the usual one.
    pub sampler: Option<SamplerKind>,
    /// Classifier-free guidance scale instead of the model's own.
    pub cfg: Option<f64>,
    /// Weight of the text loss instead of none.
    pub text_guidance: Option<f64>,
    /// Draws for each clip, of which the best is kept.
    pub best_of: usize,
    /// Most captions of held-out clips to sample, where a data set is given.
    pub captions: usize,
}

impl Default for ModelProtocol {
    fn default() -> Self {
        Self {
            prompts: PromptList::All,
            only: None,
            lengths_secs: vec![2.0, 4.0, 6.0, 8.0],
            seeds: 16,
            steps: None,
            sampler: None,
            cfg: None,
            text_guidance: None,
            best_of: 1,
            captions: 96,
        }
    }
}

impl ModelProtocol {
    /// Refuses what cannot be sampled, before anything is.
    ///
    /// `made_secs`: shortest and longest clip of the model.
    pub(super) fn check(&self, made_secs: [f64; 2]) -> Result<(), Error> {
        let refuse = |field, message: String| Err(Error::Request { field, message });
        if !(1..=MOST_SEEDS).contains(&self.seeds) {
            let message = format!("{}; 1 to {MOST_SEEDS} are taken", self.seeds);
            return refuse("seeds", message);
        }
        if self.lengths_secs.is_empty() {
            return refuse("lengths", "none; one or more are expected".to_owned());
        }
        let [least, most] = made_secs;
        for (index, secs) in self.lengths_secs.iter().enumerate() {
            if !(least..=most).contains(secs) {
                let message = format!("{secs} s; the model makes clips of {least} to {most} s");
                return refuse("lengths", message);
            }
            if self.lengths_secs[..index].contains(secs) {
                return refuse("lengths", format!("{secs} s is there twice"));
            }
        }
        self.prompts.chosen(self.only.as_deref())?;
        self.task("a person walks", self.lengths_secs[0], self.seeds)?;
        Ok(())
    }

    /// The task of one prompt at one length.
    pub(super) fn task(&self, prompt: &str, secs: f64, clips: usize) -> Result<Task, Error> {
        let mut task = Task::builder(prompt)
            .duration(secs)
            .count(clips)
            .best_of(self.best_of);
        if let Some(steps) = self.steps {
            task = task.steps(steps);
        }
        if let Some(sampler) = self.sampler {
            task = task.sampler(sampler);
        }
        if let Some(cfg) = self.cfg {
            task = task.cfg(cfg);
        }
        if let Some(weight) = self.text_guidance {
            task = task.text_guidance(weight);
        }
        task.build()
    }

    /// The length at which sets of clips are compared: the one nearest to 4 s.
    pub(super) fn pair_secs(&self) -> f64 {
        let off = |secs: &f64| (secs - 4.0).abs();
        let lengths = self.lengths_secs.iter().copied();
        lengths
            .min_by(|a, b| off(a).total_cmp(&off(b)))
            .unwrap_or(4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_sampled_is_named() {
        let cases: [(ModelProtocol, &str); 7] = [
            (
                ModelProtocol {
                    seeds: 0,
                    ..ModelProtocol::default()
                },
                "seeds: 0; 1 to 1000",
            ),
            (
                ModelProtocol {
                    lengths_secs: vec![2.0, 12.0],
                    ..ModelProtocol::default()
                },
                "lengths: 12 s; the model makes clips of 1 to 10 s",
            ),
            (
                ModelProtocol {
                    lengths_secs: vec![],
                    ..ModelProtocol::default()
                },
                "lengths: none",
            ),
            (
                ModelProtocol {
                    lengths_secs: vec![f64::NAN],
                    ..ModelProtocol::default()
                },
                "lengths: NaN s",
            ),
            (
                ModelProtocol {
                    lengths_secs: vec![4.0, 4.0],
                    ..ModelProtocol::default()
                },
                "lengths: 4 s is there twice",
            ),
            (
                ModelProtocol {
                    only: Some("xyzzy".to_owned()),
                    ..ModelProtocol::default()
                },
                "only: no prompt",
            ),
            (
                ModelProtocol {
                    best_of: 0,
                    ..ModelProtocol::default()
                },
                "sampling.best_of: 0",
            ),
        ];
        for (protocol, part) in cases {
            let message = protocol.check([1.0, 10.0]).expect_err(part).to_string();
            assert!(message.contains(part), "{message} lacks {part}");
        }
        ModelProtocol::default().check([1.0, 10.0]).unwrap();
    }

    #[test]
    fn pairs_are_compared_at_about_four_seconds() {
        let of = |lengths_secs: &[f64]| {
            ModelProtocol {
                lengths_secs: lengths_secs.to_vec(),
                ..ModelProtocol::default()
            }
            .pair_secs()
        };
        assert_eq!(
            (of(&[2.0, 4.0, 8.0]), of(&[2.0, 8.0]), of(&[9.0])),
            (4.0, 2.0, 9.0)
        );
    }
}
