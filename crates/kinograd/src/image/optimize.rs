//! Diffusion as an optimiser of pictures: Algorithm 1 of Guo et al. 2024.

use kinograd_guidance::Lookahead;
use kinograd_guidance::optimize::{Frozen, OptimizerOptions, Pull};
use serde_json::json;

use super::generator::ImageGenerator;
use super::losses::PairEncoders;
use super::{GeneratedImage, PictureSpec, PictureTask};
use crate::Error;
use crate::generator::{Modality as _, emit};
use crate::observer::{Event, Observer};
use crate::optimize::rounds::{self, Done, RoundSampling};
use crate::optimize::{RoundReport, residuals};
use crate::task::refuse::refuse;

/// The pictures of the last round, and every round.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OptimizedImages {
    /// The pictures; their strips show a round each.
    pub images: Vec<GeneratedImage>,
    /// What the rounds gave.
    pub rounds: Vec<RoundReport>,
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
        let task = &self.resolved(task)?;
        let Some(optimization) = &task.optimization else {
            return Err(refuse("optimization", "is missing"));
        };
        if self.modality.keep.trace {
            return Err(Error::Request {
                field: "save-steps",
                message: "rounds are kept as pictures: name a .png".to_owned(),
            });
        }
        let mut plan = self.plan(task, observer)?;
        self.model
            .denoiser
            .prepare(optimization.lookahead != Lookahead::Naive)?;
        let (seeds, steps) = (
            task.sampling.seeds(),
            self.model.steps(task.sampling.steps_or_usual())?,
        );
        let batches = self.batches(&seeds, None);
        let total = (steps.len() * (optimization.rounds + 1) * batches.len()) as u64;
        let work = "optimising";
        emit(observer, Event::Started { work, total })?;
        let mut taken = 0;
        let mut images = Vec::with_capacity(task.sampling.count);
        let mut rounds: Vec<RoundReport> = Vec::new();
        for rows in batches {
            let Self {
                model, modality, ..
            } = self;
            let seeds = &seeds[rows.clone()];
            let mut noise = modality.noise(&plan, rows.clone(), seeds);
            let conditions = modality.conditions(model, task, &plan, rows.len());
            model.denoiser.set_batch(conditions)?;
            let sampling = RoundSampling {
                sampler: task.sampling.sampler_for(task.guidance.method),
                steps: &steps,
                shape: &modality.shape(task, rows.len()),
                noise: noise.as_mut(),
                done: &mut taken,
            };
            let settings = OptimizerOptions {
                rounds: optimization.rounds,
                lookahead: optimization.lookahead,
                deviation: optimization.sigma,
                pull: Pull::Constant {
                    delta: optimization.delta,
                },
                at_mean: false,
                same_noise: true,
                max_step_rms: task.guidance.schedule.max_step_rms,
            };
            let cost = modality.cost(task, &plan)?;
            let mut frozen = Frozen(&mut model.denoiser);
            let done = rounds::run(settings, cost, &mut frozen, false, sampling, observer)?;
            self.measure_rounds(task, &done, &mut rounds)?;
            let Some(last) = done.last().map(|round| round.batch.clone()) else {
                return Err(Error::Internal("no round was run".to_owned()));
            };
            let Self {
                model, modality, ..
            } = self;
            let mut trajectory = modality.trajectory(&plan, steps.len());
            if modality.keep.strip {
                trajectory.strip = done.into_iter().map(|round| round.batch).collect();
            }
            images.extend(modality.finish(model, task, &mut plan, &last, &trajectory, seeds)?);
        }
        self.note_warnings(&mut images);
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

    /// Adds the rounds of a batch to those of the pictures before.
    fn measure_rounds(
        &mut self,
        task: &PictureSpec,
        done: &[Done],
        rounds: &mut Vec<RoundReport>,
    ) -> Result<(), Error> {
        let Self {
            model, modality, ..
        } = self;
        for (index, Done { batch, report }) in done.iter().enumerate() {
            if rounds.len() == index {
                rounds.push(RoundReport::new(index));
            }
            let round = &mut rounds[index];
            let clear = modality
                .pictures(batch)?
                .mapv(|value| value.clamp(-1.0, 1.0));
            let score = |encoders: &mut Option<PairEncoders>| match (encoders, task.prompt()) {
                (Some(encoders), Some(prompt)) => encoders.scores(&clear, prompt),
                _ => Ok(Vec::new()),
            };
            round
                .text_scores
                .extend(score(&mut modality.networks.encoders)?);
            round.judge_scores.extend(score(&mut modality.judge)?);
            let far = residuals(&mut model.denoiser, &model.schedule, batch)?;
            round.residuals.extend(far);
            round.rewards.extend(&report.rewards);
            round.seconds += report.seconds;
        }
        Ok(())
    }
}
