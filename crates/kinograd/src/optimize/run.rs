//! From a task to clips with more reward.

use kinograd_diffusion::SeededNoise;
use kinograd_guidance::optimize::{Frozen, OptimizerOptions, Pull};
use kinograd_guidance::{Lookahead, Loss, Method, MotionLossAdapter};
use kinograd_runtime::{
    DenoiserSpec, DenoiserTrainer, OnnxDenoiser, Role, ScoreNetwork, SessionOptions, WeightChoice,
};
use ndarray::Axis;

use super::learner::Learner;
use super::measure::measured;
use super::rounds::{self, Done, RoundSampling};
use super::{FineTune, FineTuned, Optimization, OptimizeReport, Reward, RoundReport};
use crate::generator::{Modality as _, MotionPlan, emit, open_network};
use crate::network_loss::NetworkLoss;
use crate::{Clip, Error, Event, MotionGenerator, Observer, Task, TaskSpec};

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
        let task = &self.resolved(task)?;
        let optimization = task.asked_optimization()?;
        let mut plan = self.plan(task, observer)?;
        let mut network = match &optimization.reward {
            Reward::Network(path) => Some(open_network(&self.model, path, task.frames())?),
            Reward::Motion(_) => None,
        };
        self.model
            .denoiser
            .prepare(optimization.lookahead != Lookahead::Naive)?;
        self.set_batch(task, &plan)?;
        let (done, fine_tuned) =
            self.rounds(task, &plan, optimization, network.as_mut(), observer)?;
        let mut rounds = Vec::with_capacity(done.len());
        let mut last = None;
        for round in done {
            let embedding = plan.texts.embedding.view();
            rounds.push(measured(self, &round.batch, embedding, round.report)?);
            last = Some(round.batch);
        }
        let x0 = last.ok_or_else(|| Error::Internal("no round was run".to_owned()))?;
        let Self {
            model, modality, ..
        } = self;
        let (seeds, trajectory) = (task.sampling.seeds(), modality.trajectory(&plan, 0));
        let mut made = modality.finish(model, task, &mut plan, &x0, &trajectory, &seeds)?;
        self.note_warnings(&mut made);
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

    fn set_batch(&mut self, task: &TaskSpec, plan: &MotionPlan<'_>) -> Result<(), Error> {
        let Self {
            model, modality, ..
        } = self;
        let conditions = modality.conditions(model, task, plan, task.sampling.count);
        Ok(model.denoiser.set_batch(conditions)?)
    }

    fn rounds(
        &mut self,
        task: &Task,
        plan: &MotionPlan<'_>,
        optimization: &Optimization,
        network: Option<&mut ScoreNetwork>,
        observer: &mut dyn Observer,
    ) -> Result<(Vec<Done>, Option<FineTuned>), Error> {
        let shape = self.modality.shape(task, task.sampling.count);
        let decoder = self.modality.decoder(task, task.sampling.count);
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
        let steps = self.model.steps(task.sampling.steps_or_usual())?;
        let total = (steps.len() * (optimization.rounds + 1)) as u64;
        let work = "optimising";
        emit(observer, Event::Started { work, total })?;
        let sampling = RoundSampling {
            sampler: task.sampling.sampler_for(Method::None),
            steps: &steps,
            shape: &shape,
            noise: &mut SeededNoise::new(task.sampling.seeds()),
            done: &mut 0,
        };
        let settings = OptimizerOptions {
            rounds: optimization.rounds,
            lookahead: optimization.lookahead,
            deviation: optimization.sigma(),
            pull: Pull::Constant {
                delta: optimization.delta(),
            },
            at_mean: false,
            same_noise: !optimization.fresh_noise,
            max_step_rms: optimization.max_step_rms,
        };
        let Some(options) = &optimization.fine_tune else {
            let mut frozen = Frozen(&mut self.model.denoiser);
            let done = rounds::run(settings, cost, &mut frozen, false, sampling, observer)?;
            return Ok((done, None));
        };
        let mut learner = self.learner(task, plan, options)?;
        let mut done = rounds::run(settings, cost, &mut learner, true, sampling, observer)?;
        for (round, learnt) in done.iter_mut().skip(1).zip(&learner.learnt) {
            round.report.training_seconds = Some(learnt.seconds);
            round.report.training_loss = Some(learnt.loss);
        }
        let fine_tuned = FineTuned {
            model: learner.trainer.model()?,
            weights: learner.trainer.names().to_vec(),
            training_steps: learner.learnt.len() * options.steps,
        };
        Ok((done, Some(fine_tuned)))
    }

    /// A copy of the denoiser that learns. Its graphs change every round and are not kept.
    fn learner(
        &self,
        task: &Task,
        plan: &MotionPlan<'_>,
        options: &FineTune,
    ) -> Result<Learner<'_>, Error> {
        let source = self.model.package.model(Role::Denoiser)?;
        let spec = DenoiserSpec::of(&self.model.package)?;
        let null_condition = spec.motion()?.null_condition.clone();
        let null_condition = null_condition.insert_axis(Axis(0));
        let choice = if options.weights.is_empty() {
            WeightChoice::Parameters
        } else {
            WeightChoice::Containing(options.weights.clone())
        };
        let engine = &self.model.engine.engine;
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
        let batch = task.sampling.count;
        denoiser.set_batch(self.modality.conditions(&self.model, task, plan, batch))?;
        Ok(Learner {
            denoiser,
            trainer,
            schedule: &self.model.schedule,
            options: options.clone(),
            condition: plan.texts.condition.clone(),
            null_condition,
            seed: task.sampling.seed,
            seen: Vec::new(),
            learnt: Vec::new(),
        })
    }
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
