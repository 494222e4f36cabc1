//! From a task to clips.

use std::ops::{ControlFlow, Range};
use std::time::Instant;

use kinograd_diffusion::{
    Layout, Model, NoiseSource, Progress, SeededNoise, Spacing, StepPair, sample,
};
use kinograd_guidance::{Barrier, Loss, MotionDecoder, Objective, Obstacles, Reduction};
use kinograd_motion::FEATURES;
use kinograd_runtime::{ClipBatch, ScoreNetwork, TextBatch};
use ndarray::{ArrayD, Ix3, s};
use rayon::prelude::*;

use super::{MotionGenerator, Timings, emit, known, repeated, session_options};
use crate::network_loss::NetworkLoss;
use crate::observer::{Denoised, Event, Observer, Warning};
use crate::postprocess::{self, PostProcess};
use crate::task::prompts::{self, TimedPrompt};
use crate::text_loss::{TextLoss, TextPart};
use crate::{Clip, Error, Method, Task, TaskSpec};

/// Clips that are sampled together: more cost memory and save nothing on a few cores.
const BATCH: usize = 8;
/// Metres outside an obstacle's edge where the barrier begins, as in the code of Shen et al. 2024.
const MARGIN_M: f64 = 0.2;
/// Weight of the squared depth inside the margin, against the squared distance from the goals
/// (`assets/bench/tuned.md` was made with it).
const BARRIER_WEIGHT: f64 = 10.0;

/// Makes the loss of a batch from the decoder of its root paths.
pub type MakeLoss<'m> = dyn FnMut(MotionDecoder) -> Result<Box<dyn Loss>, Error> + 'm;

/// The prompts of a run and what the text encoder makes of them.
pub(crate) struct EncodedPrompts {
    pub prompts: Vec<TimedPrompt>,
    pub texts: TextBatch,
}

/// What one batch is sampled from.
pub(crate) struct Batch<'a> {
    pub task: &'a TaskSpec,
    pub encoded: &'a EncodedPrompts,
    pub seeds: &'a [u64],
    pub steps: &'a [StepPair],
}

impl Batch<'_> {
    fn len(&self) -> usize {
        self.seeds.len()
    }
}

impl MotionGenerator {
    /// Makes the task's clips. Their records hold the task, and their reports how far they are from
    /// each of its goals.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the observer stops the run; [`Error::Task`] for a length that the
    /// model does not make; otherwise what the model, the guidance or the clean-up returns.
    pub fn generate(
        &mut self,
        task: &Task,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Clip>, Error> {
        self.run(task, None, None, observer)
    }

    /// The one clip of the task that has this seed, the same bytes as among the others: it is
    /// sampled beside the same neighbours.
    ///
    /// # Errors
    /// As [`generate`](Self::generate); [`Error::Task`] if no clip of the task has this seed.
    pub fn generate_one(
        &mut self,
        task: &Task,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<Clip, Error> {
        let clips = self.run(task, Some(seed), None, observer)?;
        let own = |clip: &Clip| clip.report.as_ref().is_some_and(|r| r.seed == seed);
        clips.into_iter().find(own).ok_or_else(|| Error::Task {
            path: "sampling.seed".to_owned(),
            message: format!("no clip of the task has seed {seed}"),
        })
    }

    /// As [`generate`](Self::generate), with a loss of one's own beside the task's goals.
    ///
    /// `make_loss` is called once per batch with the decoder of the batch's root paths; the
    /// task's method must be one that steers.
    ///
    /// # Errors
    /// As [`generate`](Self::generate), and what `make_loss` returns.
    pub fn generate_with(
        &mut self,
        task: &Task,
        make_loss: &mut MakeLoss<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Clip>, Error> {
        self.run(task, None, Some(make_loss), observer)
    }

    /// Runs the batches of a task, or the one with this seed alone.
    fn run(
        &mut self,
        task: &Task,
        only: Option<u64>,
        mut make_loss: Option<&mut MakeLoss<'_>>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Clip>, Error> {
        self.timings = Timings {
            open_s: self.timings.open_s,
            ..Timings::default()
        };
        let started = Instant::now();
        let encoded = self.encode_prompts(task, observer)?;
        self.timings.text_s = started.elapsed().as_secs_f64();
        let guided = task.is_guided() || make_loss.is_some();
        let started = Instant::now();
        self.denoiser
            .prepare(guided && task.guidance.method.needs_gradient())?;
        self.timings.prepare_s = started.elapsed().as_secs_f64();

        let mut networks = self.open_networks(task)?;
        let steps = self
            .schedule
            .steps(Spacing::Trailing, task.sampling.steps)?;
        let seeds = task.sampling.seeds();
        let batches: Vec<&[u64]> = seeds
            .chunks(BATCH)
            .filter(|seeds| only.is_none_or(|only| seeds.contains(&only)))
            .collect();
        let total = (steps.len() * batches.len()) as u64;
        let work = "sampling";
        emit(observer, Event::Started { work, total })?;
        tracing::debug!(
            steps = steps.len(),
            batches = batches.len(),
            "sampling {} frames on {}",
            task.frames(),
            self.engine_name()
        );
        let mut clips = Vec::with_capacity(seeds.len());
        let normalizer = self.normalizer.clone();
        for (index, seeds) in batches.into_iter().enumerate() {
            let batch = Batch {
                task,
                encoded: &encoded,
                seeds,
                steps: &steps,
            };
            let done = index * steps.len();
            let started = Instant::now();
            let make_loss: Option<&mut MakeLoss<'_>> = match &mut make_loss {
                Some(make) => Some(&mut **make),
                None => None,
            };
            let x0 = self.sample(&batch, make_loss, &mut networks, &mut |progress| {
                observer.event(&Event::Advanced {
                    done: (done + progress.index + 1) as u64,
                })?;
                observer.denoised(&Denoised {
                    index: progress.index,
                    total: progress.total,
                    x0: progress.x0,
                    normalizer: &normalizer,
                })
            })?;
            self.timings.sampling_s += started.elapsed().as_secs_f64();
            let started = Instant::now();
            clips.extend(self.finish(task, &encoded, &x0, seeds)?);
            self.timings.finish_s += started.elapsed().as_secs_f64();
        }
        emit(observer, Event::Finished)?;
        Ok(clips)
    }

    /// Checks the task against the model, warns, and encodes the prompts.
    pub(crate) fn encode_prompts(
        &mut self,
        task: &Task,
        observer: &mut dyn Observer,
    ) -> Result<EncodedPrompts, Error> {
        self.check_length(task)?;
        let prompts = prompts::timed(task);
        self.warn(task, &prompts, observer)?;
        let texts: Vec<&str> = prompts.iter().map(|prompt| prompt.text.as_str()).collect();
        let texts = self.text.encode(&texts)?;
        Ok(EncodedPrompts { prompts, texts })
    }

    pub(crate) fn open_networks(&self, task: &TaskSpec) -> Result<Vec<(f64, ScoreNetwork)>, Error> {
        let steers = task.guidance.method != Method::None;
        let losses = task.losses.iter().filter(|_| steers);
        losses
            .map(|loss| Ok((loss.weight, self.open_network(&loss.onnx, task.frames())?)))
            .collect()
    }

    /// A network that scores clips of this many frames.
    pub(crate) fn open_network(
        &self,
        path: &std::path::Path,
        frames: usize,
    ) -> Result<ScoreNetwork, Error> {
        let engine = &self.engine.engine;
        let network = ScoreNetwork::open(engine, path, FEATURES, &session_options())?;
        network.check_frames(frames)?;
        Ok(network)
    }

    fn check_length(&self, task: &TaskSpec) -> Result<(), Error> {
        let motion = self.package.manifest().motion()?;
        if (motion.min_frames..=motion.max_frames).contains(&task.frames()) {
            return Ok(());
        }
        Err(Error::Task {
            path: "duration_secs".to_owned(),
            message: format!(
                "{} is outside what the model makes, {} to {}",
                task.duration_secs,
                motion.min_frames as f64 / motion.fps,
                motion.max_frames as f64 / motion.fps
            ),
        })
    }

    fn warn(
        &mut self,
        task: &Task,
        prompts: &[TimedPrompt],
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        for warning in task.warnings() {
            emit(observer, Event::Warning(warning))?;
        }
        let known = known(&self.package);
        for prompt in prompts {
            if let Some(nearest) = known.if_unknown(&mut self.text, &prompt.text)? {
                let prompt = prompt.text.clone();
                let warning = Warning::UnknownPrompt { prompt, nearest };
                emit(observer, Event::Warning(warning))?;
            }
        }
        Ok(())
    }

    /// What a batch of the task's clips is encoded, with classifier-free guidance.
    pub(crate) fn conditioning(
        &self,
        task: &TaskSpec,
        encoded: &EncodedPrompts,
        batch: usize,
    ) -> ClipBatch {
        let several = encoded.prompts.len() > 1;
        let cfg = task.sampling.cfg.or(self.package.manifest().defaults.cfg);
        ClipBatch {
            condition: repeated(encoded.texts.condition.view(), batch),
            blend_weights: several.then(|| prompts::blend_weights(&encoded.prompts)),
            lengths: vec![task.frames(); batch],
            guidance_scale: cfg.unwrap_or(1.0),
        }
    }

    /// Decodes the root paths of a batch of the task's clips.
    pub(crate) fn decoder(&self, task: &TaskSpec, batch: usize) -> MotionDecoder {
        MotionDecoder::new(self.normalizer.clone(), vec![task.frames(); batch])
    }

    /// x̂0 of a batch, `[batch, frames, 263]`, normalised.
    pub(crate) fn sample(
        &mut self,
        batch: &Batch<'_>,
        make_loss: Option<&mut MakeLoss<'_>>,
        networks: &mut [(f64, ScoreNetwork)],
        mut observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<ArrayD<f32>, Error> {
        let Batch { task, encoded, .. } = *batch;
        self.denoiser
            .set_batch(self.conditioning(task, encoded, batch.len()))?;
        let decoder = self.decoder(task, batch.len());
        let guided = task.is_guided() || make_loss.is_some();
        let mut objective = goals_objective(task, &decoder)?;
        if let Some(make) = make_loss {
            objective.losses.insert(0, (1.0, make(decoder.clone())?));
        }
        for (weight, network) in networks.iter_mut() {
            let decoder = decoder.clone();
            let is_reward = false;
            objective.follow(
                *weight,
                NetworkLoss {
                    network,
                    decoder,
                    is_reward,
                },
            );
        }
        let text_weight = task.text_weight(self.embedding.is_some());
        if text_weight > 0.0 {
            let Some(embedding) = &mut self.embedding else {
                return Err(Error::Task {
                    path: "guidance.text".to_owned(),
                    message: "needs a model with a motion embedding, which this one lacks"
                        .to_owned(),
                });
            };
            let parts = text_parts(encoded, batch.len());
            objective.follow(text_weight, TextLoss { embedding, parts });
        }
        let schedule = &task.guidance.schedule;
        let options = schedule.options(task.guidance.scale());
        let guidance = if guided {
            task.guidance.method.guide(objective, options)?
        } else {
            None
        };
        let mut guidance = guidance.map(|g| schedule.resampled(g)).transpose()?;
        let mut model = if guidance.as_ref().is_some_and(|g| g.needs_gradient()) {
            Model::differentiable(&mut self.denoiser)
        } else {
            Model::forward_only(&mut self.denoiser)
        };
        let mut noise: Box<dyn NoiseSource> = Box::new(SeededNoise::new(batch.seeds.to_vec()));
        let mut sampler = task.sampling.sampler_for(task.guidance.method).make();
        let x0 = sample(
            &mut model,
            sampler.as_mut(),
            batch.steps,
            &Layout::full(&[batch.len(), task.frames(), FEATURES])?,
            noise.as_mut(),
            guidance
                .as_deref_mut()
                .map(|g| g as &mut dyn kinograd_diffusion::Guidance),
            &mut observer,
        )?;
        Ok(x0)
    }

    /// Clips of x̂0 `[batch, frames, 263]`, normalised.
    pub(crate) fn finish(
        &mut self,
        task: &Task,
        encoded: &EncodedPrompts,
        x0: &ArrayD<f32>,
        seeds: &[u64],
    ) -> Result<Vec<Clip>, Error> {
        let batch = x0
            .view()
            .into_dimensionality::<Ix3>()
            .map_err(|error| Error::Internal(error.to_string()))?;
        let mut text_scores = vec![None; seeds.len()];
        if let Some(embedding) = &mut self.embedding {
            for (prompt, text) in encoded
                .prompts
                .iter()
                .zip(encoded.texts.embedding.outer_iter())
            {
                let Range { start, end } = prompt.frames;
                let part = batch.slice(s![.., start..end, ..]).to_owned().into_dyn();
                let rows = embedding.embed(&part, &vec![end - start; seeds.len()])?;
                let weight = (end - start) as f64 / task.frames().max(1) as f64;
                for (score, row) in text_scores.iter_mut().zip(rows.outer_iter()) {
                    *score.get_or_insert(0.0) += weight * f64::from(row.dot(&text));
                }
            }
        }
        let this = PostProcess {
            task,
            hashes: &self.hashes,
            manifest: self.package.manifest(),
            engine: &self.engine.report,
        };
        let normalizer = &self.normalizer;
        (0..seeds.len())
            .into_par_iter()
            .map(|sample| {
                let features = normalizer.invert(batch.slice(s![sample, .., ..]))?;
                postprocess::clip(&this, features, seeds[sample], text_scores[sample])
            })
            .collect()
    }
}

/// The text loss of each prompt in its own frames.
fn text_parts(encoded: &EncodedPrompts, batch: usize) -> Vec<TextPart> {
    let part = |(row, prompt): (usize, &TimedPrompt)| TextPart {
        frames: prompt.frames.clone(),
        text: repeated(encoded.texts.embedding.slice(s![row..=row, ..]), batch),
    };
    encoded.prompts.iter().enumerate().map(part).collect()
}

/// What a task's goals and obstacles ask of a batch of clips.
pub(crate) fn goals_objective(
    task: &TaskSpec,
    decoder: &MotionDecoder,
) -> Result<Objective<'static>, Error> {
    let barrier = Obstacles::new(
        Barrier::SquaredHinge {
            weight: BARRIER_WEIGHT,
        },
        MARGIN_M,
        Reduction::Sum,
    )?;
    Ok(task.goal_set().objective(decoder, barrier)?)
}
