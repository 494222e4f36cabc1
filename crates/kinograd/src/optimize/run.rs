//! From a request to clips with more reward.

use std::ops::ControlFlow;
use std::time::Instant;

use kinograd_diffusion::{Layout, Progress, SeededNoise, Spacing};
use kinograd_guidance::optimize::{Frozen, Optimizer, OptimizerOptions, Pull, Round, Sampling};
use kinograd_guidance::{Loss, OnMotion, PathDecoder};
use kinograd_motion::FEATURES;
use kinograd_runtime::{
    ClipBatch, DenoiserSpec, DenoiserTrainer, OnnxDenoiser, Role, ScoreNetwork, SessionOptions,
    WeightChoice,
};
use ndarray::{Array2, ArrayD, Axis};

use super::learner::Learner;
use super::measure::measured;
use super::{FineTune, FineTuned, OptimizeReport, OptimizeRequest, Reward, RoundReport};
use crate::generator::{repeated, session_options, tell};
use crate::network_loss::NetworkLoss;
use crate::prompts;
use crate::{Clip, Error, Event, GenerateRequest, MotionGenerator, Observer};

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
    /// Generates clips and makes their reward rise, round by round.
    ///
    /// # Errors
    /// [`Error::Request`] if the request is at fault; [`Error::Diffusion`] that names the round, as
    /// its step, and the reward if that is not finite; otherwise as
    /// [`generate`](Self::generate).
    pub fn optimize(
        &mut self,
        request: &OptimizeRequest,
        observer: &mut dyn Observer,
    ) -> Result<Optimized, Error> {
        request.check()?;
        let clips = &request.clips;
        self.check_length(clips)?;
        let prompts = &prompts::of_request(clips)[..];
        self.warn(clips, prompts, observer)?;
        let prompt = self.text.encode(&[&clips.prompt])?;
        let frames = clips.frames();
        let mut network = match &request.reward {
            Reward::Network(path) => {
                let options = session_options();
                let network = ScoreNetwork::open(&self.engine.engine, path, FEATURES, &options)?;
                network.check_frames(frames)?;
                Some(network)
            }
            Reward::Motion(_) => None,
        };
        self.denoiser
            .prepare(request.lookahead != kinograd_guidance::Lookahead::Naive)?;
        self.denoiser
            .set_batch(self.clip_batch(clips, &prompt.condition))?;
        let Rounds { done, fine_tuned } =
            self.rounds(request, &prompt.condition, network.as_mut(), observer)?;
        let mut rounds = Vec::with_capacity(done.len());
        let mut last = None;
        for round in done {
            let embedding = prompt.embedding.view();
            rounds.push(measured(self, &round.clips, embedding, round.report)?);
            last = Some(round.clips);
        }
        let x0 = last.ok_or_else(|| Error::Internal("no round was run".to_owned()))?;
        let seeds = seeds_of(request);
        let mut made = self.finish(clips, None, (prompts, &prompt), &x0, &seeds)?;
        for (index, clip) in made.iter_mut().enumerate() {
            record(clip, request, &rounds, index)?;
        }
        tell(observer, Event::Finished)?;
        let manifest = self.manifest();
        let report = OptimizeReport {
            schema: "kinograd.optimize/1",
            model: format!("{} {}", manifest.name, manifest.version),
            engine: self.engine_name(),
            command: request.to_command(),
            unit: request.reward.unit(),
            delta: request.delta(),
            deviation: request.deviation(),
            real: manifest.metrics.get("val_real").cloned(),
            request: request.clone(),
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
        request: &OptimizeRequest,
        condition: &Array2<f32>,
        network: Option<&mut ScoreNetwork>,
        observer: &mut dyn Observer,
    ) -> Result<Rounds, Error> {
        let clips = &request.clips;
        let seeds = seeds_of(request);
        let shape = [clips.clips, clips.frames(), FEATURES];
        let decoder = PathDecoder::new(self.normalizer.clone(), vec![shape[1]; shape[0]]);
        let cost: Box<dyn Loss + '_> = match (&request.reward, network) {
            (Reward::Motion(reward), _) => {
                Box::new(OnMotion::new(decoder).with(1.0, reward.cost(request.span())?)?)
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
        let steps = self.schedule.steps(Spacing::Trailing, clips.steps)?;
        let total = (steps.len() * (request.rounds + 1)) as u64;
        tell(
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
        let mut sampler = clips.sampler.make();
        let mut optimizer = Optimizer::new(
            OptimizerOptions {
                rounds: request.rounds,
                lookahead: request.lookahead,
                deviation: request.deviation(),
                pull: Pull::Constant {
                    delta: request.delta(),
                },
                at_mean: false,
                same_noise: !request.fresh_noise,
                max_move: request.max_move,
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
        let mut noise = SeededNoise::new(seeds);
        let mut sampling = Sampling {
            sampler: sampler.as_mut(),
            steps: &steps,
            layout: &layout,
            noise: &mut noise,
            observer: &mut step_done,
        };
        let Some(options) = &request.fine_tune else {
            let mut frozen = Frozen(&mut self.denoiser);
            optimizer.run(&mut frozen, &mut sampling, &mut round_done)?;
            return Ok(Rounds {
                done,
                fine_tuned: None,
            });
        };
        let mut learner = self.learner(request, options, condition)?;
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
        request: &OptimizeRequest,
        options: &FineTune,
        condition: &Array2<f32>,
    ) -> Result<Learner<'_>, Error> {
        let clips = &request.clips;
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
        denoiser.set_batch(self.clip_batch(clips, condition))?;
        Ok(Learner {
            denoiser,
            trainer,
            schedule: &self.schedule,
            options: options.clone(),
            condition: condition.clone(),
            null_condition,
            seed: clips.seed,
            seen: Vec::new(),
            learnt: Vec::new(),
        })
    }

    fn clip_batch(&self, clips: &GenerateRequest, condition: &Array2<f32>) -> ClipBatch {
        ClipBatch {
            condition: repeated(condition.view(), clips.clips),
            shares: None,
            lengths: vec![clips.frames(); clips.clips],
            guidance_scale: clips
                .cfg
                .or(self.package.manifest().defaults.cfg)
                .unwrap_or(1.0),
        }
    }
}

fn seeds_of(request: &OptimizeRequest) -> Vec<u64> {
    let clips = &request.clips;
    (0..clips.clips as u64)
        .map(|clip| clips.seed.wrapping_add(clip))
        .collect()
}

/// The clip's record says how its reward came to be.
fn record(
    clip: &mut Clip,
    request: &OptimizeRequest,
    rounds: &[RoundReport],
    index: usize,
) -> Result<(), Error> {
    let record = &mut clip.provenance;
    record.command = Some(request.to_command());
    record.method = Some(format!(
        "optimize {}",
        super::request::guidance_name(request.lookahead)
    ));
    let course: Vec<f64> = rounds
        .iter()
        .filter_map(|round| round.rewards.get(index).copied())
        .collect();
    let stated = serde_json::json!({
        "reward": request.reward.to_string(),
        "unit": request.reward.unit(),
        "delta": request.delta(),
        "sigma": request.deviation(),
        "fresh_noise": request.fresh_noise,
        "rewards": course,
    });
    record.extra.insert("optimize".to_owned(), stated);
    Ok(())
}
