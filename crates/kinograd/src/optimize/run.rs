//! From a task to clips with more reward.

use std::ops::ControlFlow;
use std::time::Instant;

use kinograd_diffusion::{Layout, Progress, SeededNoise, Spacing};
use kinograd_guidance::optimize::{Frozen, Optimizer, OptimizerOptions, Pull, Round, Sampling};
use kinograd_guidance::{Loss, Method, MotionLossAdapter};
use kinograd_motion::FEATURES;
use kinograd_runtime::{
    DenoiserSpec, DenoiserTrainer, OnnxDenoiser, Role, ScoreNetwork, SessionOptions, WeightChoice,
};
use ndarray::{ArrayD, Axis};

use super::learner::Learner;
use super::measure::measured;
use super::{FineTune, FineTuned, Optimization, OptimizeReport, Reward, RoundReport};
use crate::generator::{EncodedPrompts, emit};
use crate::network_loss::NetworkLoss;
use crate::{Clip, Error, Event, MotionGenerator, Observer, Task};

/// What an optimisation gives.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Optimized {
    /// The clips of the last round.
    pub clips: Vec<Clip>,
    /// Every round.
    pub report: OptimizeReport,
    /// The denoiser of Algorithm 2.
    pub fine_tuned: Option<FineTuned>,
}

/// What the rounds give.
struct Rounds {
    done: Vec<Done>,
    fine_tuned: Option<FineTuned>,
}

/// A round's clips, before they are measured.
struct Done {
    clips: ArrayD<f32>,
    report: RoundReport,
}

impl MotionGenerator {
    /// Generates a task's clips and makes their reward rise, round by round, as its `optimization`
    /// says. Goals on the ground are not followed.
    ///
    /// # Errors
    /// [`Error::Task`] if the task has no `optimization`; [`Error::Diffusion`] that names the round, as
    /// its step, and the reward if that is not finite; otherwise as
    /// [`generate`](Self::generate).
    pub fn optimize(
        &mut self,
        task: &Task,
        observer: &mut dyn Observer,
    ) -> Result<Optimized, Error> {
        let optimization = optimization_of(task)?;
        let encoded = self.encode_prompts(task, observer)?;
        let mut network = match &optimization.reward {
            Reward::Network(path) => Some(self.open_network(path, task.frames())?),
            Reward::Motion(_) => None,
        };
        self.denoiser
            .prepare(optimization.lookahead != kinograd_guidance::Lookahead::Naive)?;
        self.denoiser
            .set_batch(self.conditioning(task, &encoded, task.sampling.count))?;
        let Rounds { done, fine_tuned } =
            self.rounds(task, &encoded, optimization, network.as_mut(), observer)?;
        let mut rounds = Vec::with_capacity(done.len());
        let mut last = None;
        for round in done {
            let embedding = encoded.texts.embedding.view();
            rounds.push(measured(self, &round.clips, embedding, round.report)?);
            last = Some(round.clips);
        }
        let x0 = last.ok_or_else(|| Error::Internal("no round was run".to_owned()))?;
        let mut made = self.finish(task, &encoded, &x0, &task.sampling.seeds())?;
        for (index, clip) in made.iter_mut().enumerate() {
            record(clip, optimization, &rounds, index);
        }
        emit(observer, Event::Finished)?;
        let manifest = self.manifest();
        let report = OptimizeReport {
            schema: "kinograd.optimize/1",
            model: format!("{} {}", manifest.name, manifest.version),
            engine: self.engine_name(),
            unit: optimization.reward.unit(),
            delta: optimization.delta(),
            sigma: optimization.sigma(),
            real: manifest.metrics.get("val_real").cloned(),
            task: task.clone(),
            reward: optimization.reward.clone(),
            rounds,
        };
        Ok(Optimized {
            clips: made,
            report,
            fine_tuned,
        })
    }

    fn rounds(
        &mut self,
        task: &Task,
        encoded: &EncodedPrompts,
        optimization: &Optimization,
        network: Option<&mut ScoreNetwork>,
        observer: &mut dyn Observer,
    ) -> Result<Rounds, Error> {
        let shape = [task.sampling.count, task.frames(), FEATURES];
        let decoder = self.decoder(task, shape[0]);
        let cost: Box<dyn Loss + '_> = match (&optimization.reward, network) {
            (Reward::Motion(reward), _) => {
                let span = optimization.span(&task.timeline())?;
                Box::new(MotionLossAdapter::new(decoder).with(1.0, reward.cost(span)?)?)
            }
            (Reward::Network(_), Some(network)) => Box::new(NetworkLoss {
                network,
                decoder,
                is_reward: true,
            }),
            (Reward::Network(_), None) => {
                return Err(Error::Internal("the network was not opened".to_owned()));
            }
        };
        let steps = self
            .schedule
            .steps(Spacing::Trailing, task.sampling.steps)?;
        let total = (steps.len() * (optimization.rounds + 1)) as u64;
        emit(
            observer,
            Event::Started {
                work: "optimising",
                total,
            },
        )?;
        let mut taken = 0;
        let mut step_done = |_: &Progress<'_>| {
            taken += 1;
            observer.event(&Event::Advanced { done: taken })
        };
        let mut sampler = task.sampling.sampler_for(Method::None).make();
        let mut optimizer = Optimizer::new(
            OptimizerOptions {
                rounds: optimization.rounds,
                lookahead: optimization.lookahead,
                deviation: optimization.sigma(),
                pull: Pull::Constant {
                    delta: optimization.delta(),
                },
                at_mean: false,
                same_noise: !optimization.fresh_noise,
                max_step_rms: optimization.max_step_rms,
            },
            cost,
        )?;
        let mut done = Vec::new();
        let mut started = Instant::now();
        let mut round_done = |round: &Round<'_>| {
            done.push(Done {
                clips: round.batch.clone(),
                report: RoundReport {
                    round: round.index,
                    rewards: round.rewards.to_vec(),
                    text_scores: Vec::new(),
                    foot_skate_ratios: Vec::new(),
                    jerks_m_s3: Vec::new(),
                    bone_stds_m: Vec::new(),
                    residuals: Vec::new(),
                    seconds: started.elapsed().as_secs_f64(),
                    training_seconds: None,
                    training_loss: None,
                },
            });
            started = Instant::now();
            ControlFlow::Continue(())
        };
        let layout = Layout::full(&shape)?;
        let mut noise = SeededNoise::new(task.sampling.seeds());
        let mut sampling = Sampling {
            sampler: sampler.as_mut(),
            steps: &steps,
            layout: &layout,
            noise: &mut noise,
            observer: &mut step_done,
        };
        let Some(options) = &optimization.fine_tune else {
            let mut frozen = Frozen(&mut self.denoiser);
            optimizer.run(&mut frozen, &mut sampling, &mut round_done)?;
            return Ok(Rounds {
                done,
                fine_tuned: None,
            });
        };
        let mut learner = self.learner(task, encoded, options)?;
        optimizer.run_adaptive(&mut learner, &mut sampling, &mut round_done)?;
        for (round, learnt) in done.iter_mut().skip(1).zip(&learner.learnt) {
            round.report.training_seconds = Some(learnt.seconds);
            round.report.training_loss = Some(learnt.loss);
        }
        let fine_tuned = FineTuned {
            model: learner.trainer.model()?,
            weights: learner.trainer.names().to_vec(),
            training_steps: learner.learnt.len() * options.steps,
        };
        Ok(Rounds {
            done,
            fine_tuned: Some(fine_tuned),
        })
    }

    /// A copy of the denoiser that learns. Its graphs change every round and are not kept.
    fn learner(
        &self,
        task: &Task,
        encoded: &EncodedPrompts,
        options: &FineTune,
    ) -> Result<Learner<'_>, Error> {
        let source = self.package.model(Role::Denoiser)?;
        let spec = DenoiserSpec::of(&self.package)?;
        let null_condition = spec.null_condition.clone().insert_axis(Axis(0));
        let choice = if options.weights.is_empty() {
            WeightChoice::Parameters
        } else {
            WeightChoice::Containing(options.weights.clone())
        };
        let engine = &self.engine.engine;
        let session = SessionOptions::default();
        let trainer = DenoiserTrainer::open(
            engine,
            &source,
            spec.clone(),
            &choice,
            options.learning_rate,
            &session,
        )?;
        let mut denoiser = OnnxDenoiser::new(engine.clone(), source, spec, session);
        denoiser.set_batch(self.conditioning(task, encoded, task.sampling.count))?;
        Ok(Learner {
            denoiser,
            trainer,
            schedule: &self.schedule,
            options: options.clone(),
            condition: encoded.texts.condition.clone(),
            null_condition,
            seed: task.sampling.seed,
            seen: Vec::new(),
            learnt: Vec::new(),
        })
    }
}

/// What a task says of its optimisation.
pub(super) fn optimization_of(task: &Task) -> Result<&Optimization, Error> {
    task.optimization.as_ref().ok_or_else(|| Error::Task {
        path: "optimization".to_owned(),
        message: "is missing: it names the reward".to_owned(),
    })
}

/// The clip's record says how its reward came to be.
fn record(clip: &mut Clip, optimization: &Optimization, rounds: &[RoundReport], index: usize) {
    let record = &mut clip.provenance;
    record.method = Some(format!(
        "optimize {}",
        super::settings::guidance_name(optimization.lookahead)
    ));
    let history: Vec<f64> = rounds
        .iter()
        .filter_map(|round| round.rewards.get(index).copied())
        .collect();
    let stated = serde_json::json!({
        "unit": optimization.reward.unit(),
        "delta": optimization.delta(),
        "sigma": optimization.sigma(),
        "rewards": history,
    });
    record.extra.insert("optimize".to_owned(), stated);
}
