//! Diffusion as an optimiser of pictures: Algorithm 1 of Guo et al. 2024.

use std::cell::Cell;
use std::fmt;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Instant;

use kinograd_diffusion::{Layout, Progress};
use kinograd_guidance::Lookahead;
use kinograd_guidance::optimize::{Frozen, Optimizer, OptimizerOptions, Pull, Round, Sampling};
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::generator::{ImageGenerator, Plan, Way};
use super::losses::{PairEncoders, on_samples, sum, terms};
use super::trace::Noise;
use super::{GeneratedImage, PictureSpec, PictureTask};
use crate::Error;
use crate::generator::emit;
use crate::observer::{Event, Observer};
use crate::optimize::mean;
use crate::optimize::residuals;
use crate::task::check::refuse;

/// Most rounds of one run.
const MAX_ROUNDS: usize = 1000;

/// How pictures are optimised. The reward is minus the weighted sum of a task's goals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageOptimization {
    /// Times that the reward is linearised and the pictures generated.
    pub rounds: usize,
    /// δ: how far above the present reward each round aims. A network's reward is so bent that the
    /// aim must lie far beyond what a round reaches.
    pub delta: f64,
    /// σ: how exactly the aim is met, and naturalness given up for it.
    pub sigma: f64,
    /// How the gradient enters the score.
    pub lookahead: Lookahead,
}

impl Default for ImageOptimization {
    fn default() -> Self {
        Self {
            rounds: 10,
            delta: 10.0,
            sigma: 0.1,
            lookahead: Lookahead::Loss,
        }
    }
}

/// What a round gave, a number per picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ImageRound {
    /// Which round; 0 is the unguided pictures.
    pub round: usize,
    /// Minus the weighted sum of the goals, as it was optimised: with augmentations.
    pub rewards: Vec<f64>,
    /// Cosine between picture and prompt by the encoders that may have steered; empty without a prompt.
    pub text_scores: Vec<f64>,
    /// The same by encoders that did not.
    pub judge_scores: Vec<f64>,
    /// Root mean square of `x − x̂0(x_t)` at 10 % of the schedule, with the same noise in every
    /// round: how far a picture is from what the model expects.
    pub residuals: Vec<f64>,
    /// Wall time, seconds.
    pub seconds: f64,
}

/// The pictures of the last round, and every round.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OptimizedImages {
    /// The pictures; their strips show a round each.
    pub images: Vec<GeneratedImage>,
    /// What the rounds gave.
    pub rounds: Vec<ImageRound>,
}

/// Rounds as a table.
pub struct ImageRounds<'a>(pub &'a [ImageRound]);

impl fmt::Display for ImageRounds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "round   reward    text   judge  residual  seconds")?;
        for round in self.0 {
            let shown = |values: &[f64], digits: usize| {
                mean(values).map_or("-".to_owned(), |value| format!("{value:.digits$}"))
            };
            writeln!(
                f,
                "{:>5} {:>8} {:>7} {:>7} {:>9} {:>8.2}",
                round.round,
                shown(&round.rewards, 4),
                shown(&round.text_scores, 3),
                shown(&round.judge_scores, 3),
                shown(&round.residuals, 4),
                round.seconds
            )?;
        }
        Ok(())
    }
}

/// The rounds of pictures that are made together.
struct RoundHistory {
    batches: Vec<ArrayD<f32>>,
    rewards: Vec<Vec<f64>>,
    seconds: Vec<f64>,
}

impl ImageOptimization {
    pub(super) fn check(&self, task: &PictureSpec) -> Result<(), Error> {
        if !(1..=MAX_ROUNDS).contains(&self.rounds) {
            return Err(refuse(
                "optimization.rounds",
                format!("{} is outside 1 to {MAX_ROUNDS}", self.rounds),
            ));
        }
        if task.goals.is_empty() {
            let message = "is empty: there is nothing to optimise; say what the picture shows, or name a loss";
            return Err(refuse("goals", message));
        }
        for (field, value) in [("delta", self.delta), ("sigma", self.sigma)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(refuse(
                    &format!("optimization.{field}"),
                    format!("{value}; it must be a number at least 0"),
                ));
            }
        }
        Ok(())
    }
}

impl ImageGenerator {
    /// Makes pictures and lets minus the loss of the task's goals rise, round by round, by
    /// gradient guidance, as the task's `optimization` says. Its method and strength are not used.
    ///
    /// # Errors
    /// [`Error::Task`] if the task has no `optimization`; otherwise as [`generate`](Self::generate).
    pub fn optimize(
        &mut self,
        task: &PictureTask,
        observer: &mut dyn Observer,
    ) -> Result<OptimizedImages, Error> {
        let Some(optimization) = &task.optimization else {
            return Err(refuse("optimization", "is missing"));
        };
        if self.keep.trace {
            return Err(Error::Request {
                field: "save-steps",
                message: "rounds are kept as pictures: name a .png".to_owned(),
            });
        }
        let plan = self.plan(task)?;
        self.denoiser
            .prepare(optimization.lookahead != Lookahead::Naive)?;
        let batches = plan.batches(task);
        let total = (plan.steps.len() * (optimization.rounds + 1) * batches.len()) as u64;
        let work = "optimising";
        emit(observer, Event::Started { work, total })?;
        let mut taken = 0;
        let mut images = Vec::with_capacity(task.sampling.count);
        let mut rounds: Vec<ImageRound> = Vec::new();
        for (seeds, mut noise) in batches {
            let mut step_done = |_: &Progress<'_>| {
                taken += 1;
                observer.event(&Event::Advanced { done: taken })
            };
            let history = self.history(task, optimization, &plan, &mut noise, &mut step_done)?;
            self.measure_rounds(task, &plan, &history, &mut rounds)?;
            let Some(last) = history.batches.last() else {
                return Err(Error::Internal("no round was run".to_owned()));
            };
            let last = last.clone();
            let way = Way {
                strip: if self.keep.strip {
                    history.batches
                } else {
                    Vec::new()
                },
                ..Way::default()
            };
            images.extend(self.finish(task, &plan, &last, &way, &seeds)?);
        }
        for (index, image) in images.iter_mut().enumerate() {
            let record = &mut image.provenance;
            record.method = Some("optimize loss".to_owned());
            let rewards: Vec<f64> = rounds.iter().map(|round| round.rewards[index]).collect();
            let stated = json!({ "rewards": rewards });
            record.extra.insert("optimize".to_owned(), stated);
        }
        emit(observer, Event::Finished)?;
        Ok(OptimizedImages { images, rounds })
    }

    fn history(
        &mut self,
        task: &PictureSpec,
        optimization: &ImageOptimization,
        plan: &Plan,
        noise: &mut Noise,
        observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<RoundHistory, Error> {
        let cost = sum(
            &terms(task, &plan.prepared),
            &mut self.networks,
            task.guidance.augmentations,
            task.sampling.seed,
            Rc::new(Cell::new(f64::NAN)),
        )?;
        let cost = on_samples(cost, self.decoder.as_mut());
        let mut optimizer = Optimizer::new(
            OptimizerOptions {
                rounds: optimization.rounds,
                lookahead: optimization.lookahead,
                deviation: optimization.sigma,
                pull: Pull::Constant {
                    delta: optimization.delta,
                },
                at_mean: false,
                same_noise: true,
                max_step_rms: task.guidance.schedule.max_step_rms,
            },
            cost,
        )?;
        let [channels, height, width] = self.sample_size;
        let layout = Layout::full(&[noise.batch(), channels, height, width])?;
        let mut history = RoundHistory {
            batches: Vec::new(),
            rewards: Vec::new(),
            seconds: Vec::new(),
        };
        let mut started = Instant::now();
        let mut round_done = |round: &Round<'_>| {
            history.batches.push(round.batch.clone());
            history.rewards.push(round.rewards.to_vec());
            history.seconds.push(started.elapsed().as_secs_f64());
            started = Instant::now();
            ControlFlow::Continue(())
        };
        let mut observer = observer;
        let mut denoiser = plan.told.denoiser(&mut self.denoiser)?;
        optimizer.run(
            &mut Frozen(denoiser.as_mut()),
            &mut Sampling {
                sampler: task
                    .sampling
                    .sampler_for(task.guidance.method)
                    .make()
                    .as_mut(),
                steps: &plan.steps,
                layout: &layout,
                noise,
                observer: &mut observer,
            },
            &mut round_done,
        )?;
        Ok(history)
    }

    /// Adds what a history gave to the rounds of the pictures before.
    fn measure_rounds(
        &mut self,
        task: &PictureSpec,
        plan: &Plan,
        history: &RoundHistory,
        rounds: &mut Vec<ImageRound>,
    ) -> Result<(), Error> {
        for (index, batch) in history.batches.iter().enumerate() {
            if rounds.len() == index {
                rounds.push(ImageRound {
                    round: index,
                    rewards: Vec::new(),
                    text_scores: Vec::new(),
                    judge_scores: Vec::new(),
                    residuals: Vec::new(),
                    seconds: 0.0,
                });
            }
            let round = &mut rounds[index];
            let clear = self.pictures(batch)?.mapv(|value| value.clamp(-1.0, 1.0));
            let score = |encoders: &mut Option<PairEncoders>| match (encoders, task.prompt()) {
                (Some(encoders), Some(prompt)) => encoders.scores(&clear, prompt),
                _ => Ok(Vec::new()),
            };
            round
                .text_scores
                .extend(score(&mut self.networks.encoders)?);
            round.judge_scores.extend(score(&mut self.judge)?);
            let mut denoiser = plan.told.denoiser(&mut self.denoiser)?;
            let far = residuals(&mut denoiser.as_mut(), &self.schedule, batch)?;
            round.residuals.extend(far);
            round.rewards.extend(&history.rewards[index]);
            round.seconds += history.seconds[index];
        }
        Ok(())
    }
}
