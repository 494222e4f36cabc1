//! Clips of motion.

use std::collections::HashSet;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Instant;

use kinograd_diffusion::{Denoiser, NoiseSource, Progress, SeededNoise};
use kinograd_formats::Character;
use kinograd_guidance::{Barrier, Loss, MotionDecoder, Objective, Obstacles, Reduction};
use kinograd_motion::metrics::root_speed;
use kinograd_motion::rig::RigOptions;
use kinograd_motion::{FEATURES, MotionRepresentation, Normalizer, Provenance, RootForm};
use kinograd_runtime::{
    ClipBatch, DenoiserBatch, EngineOptions, Manifest, MotionEmbedding, Package,
    RepresentationKind, Role, RuntimeError, ScoreNetwork, TextBatch, TextEncoder, find_package,
    open_engine,
};
use ndarray::{Array2, ArrayD, ArrayView2, Axis, Ix3, s};
use rayon::prelude::*;

use super::modality::{Modality, Trajectory};
use super::model::{OpenModel, session_options};
use super::{Generator, emit};
use crate::character::OnCharacter;
use crate::known::Known;
use crate::network_loss::NetworkLoss;
use crate::observer::{Denoised, Event, Observer};
use crate::postprocess::{self, PostProcess, Scored};
use crate::task::MODEL_FPS;
use crate::task::stages::{self, Staged};
use crate::task::timed_prompts::{self as prompts, TimedPrompt};
use crate::text_loss::{TextLoss, TextPart};
use crate::warning::Warning;
use crate::words::TrainedWords;
use crate::{Clip, Error, Method, Task, TaskSpec};

/// Clips that are sampled together: more cost memory and save nothing on a few cores.
const BATCH: usize = 8;
/// Metres outside an obstacle's edge where the barrier begins, as in the code of Shen et al. 2024.
const MARGIN_M: f64 = 0.2;
/// Weight of the squared depth inside the margin, against the squared distance from the goals
/// (`assets/bench/tuned.md` was made with it).
const BARRIER_WEIGHT: f64 = 10.0;

/// Feet near the ground that move faster than this in the mean slide for all to see, m/s.
const SLIDES_MPS: f64 = 0.2;

/// Makes the loss of a batch from the decoder of its root paths.
pub type MakeLoss<'m> = dyn FnMut(MotionDecoder) -> Result<Box<dyn Loss>, Error> + 'm;

/// A motion package on an engine, ready to make clips.
///
/// ```no_run
/// use kinograd::runtime::EngineOptions;
/// use kinograd::{MotionGenerator, Task};
///
/// let mut generator = MotionGenerator::open("motion-base", &EngineOptions::default())?;
/// let task = Task::builder("a person walks forward")
///     .target(2.0, 3.0)
///     .obstacle(1.0, 1.5, 0.5)
///     .build()?;
/// for clip in generator.generate(&task, &mut ())? {
///     clip.save("walk.glb".as_ref())?;
/// }
/// # Ok::<(), kinograd::Error>(())
/// ```
pub type MotionGenerator = Generator<MotionModality>;

/// The networks and constants of motion packages besides the denoiser.
pub struct MotionModality {
    pub(crate) representation: MotionRepresentation,
    pub(crate) text: TextEncoder,
    pub(crate) embedding: Option<MotionEmbedding>,
}

/// What a task comes to with a motion model.
pub struct MotionPlan<'p> {
    pub(crate) prompts: Vec<TimedPrompt>,
    pub(crate) texts: TextBatch,
    /// The task's own networks, with their weights.
    pub(crate) networks: Vec<(f64, ScoreNetwork)>,
    /// The character that clips are made for.
    pub(crate) on: Option<OnCharacter>,
    /// The task as our body does it, with prompts that go where its goals are.
    pub(crate) spec: TaskSpec,
    /// A loss of the caller's beside the goals.
    make_loss: Option<&'p mut MakeLoss<'p>>,
}

/// Passes x̂0 of every step on.
pub struct DecodedSteps {
    representation: MotionRepresentation,
}

impl Trajectory for DecodedSteps {
    fn step(&mut self, progress: &Progress<'_>, observer: &mut dyn Observer) -> ControlFlow<()> {
        observer.denoised(&Denoised {
            index: progress.index,
            total: progress.total,
            x0: progress.x0,
            representation: &self.representation,
        })
    }
}

impl MotionGenerator {
    /// Opens a model package, by name or folder, on an engine.
    ///
    /// # Errors
    /// [`Error::Runtime`] if there is no such package, a file of it is missing or has another
    /// hash, or the engine cannot be opened.
    pub fn open(model: &str, options: &EngineOptions) -> Result<Self, Error> {
        let started = Instant::now();
        let package = find_package(model)?;
        check_representation(package.manifest())?;
        let engine = open_engine(options)?;
        let session = session_options();
        let constants = package.constants()?;
        let modality = MotionModality {
            text: TextEncoder::open(&engine.engine, &package, &session)?,
            embedding: if package.has(Role::MotionEmbedding) {
                let engine = engine.engine.clone();
                Some(MotionEmbedding::open(engine, &package, session)?)
            } else {
                None
            },
            representation: MotionRepresentation::new(
                Normalizer::new(constants.mean, constants.std)?,
                root_form(package.manifest())?,
            ),
        };
        let mut model = OpenModel::open(package, engine)?;
        let files = &model.package.manifest().files;
        let hashes = files
            .iter()
            .map(|(role, entry)| (role.as_str().to_owned(), entry.sha256.clone()));
        model.hashes = hashes.collect();
        Ok(Self::new(model, modality, started))
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
        let task = &self.resolved(task)?;
        let plan = MotionPlan {
            make_loss: Some(make_loss),
            ..self.plan(task, observer)?
        };
        self.chosen(task, plan, observer)
    }

    /// As [`generate`](Self::generate), on a character that the caller has in memory, in place of the
    /// task's own.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn generate_on(
        &mut self,
        task: &Task,
        character: &Arc<Character>,
        options: &RigOptions,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Clip>, Error> {
        let task = &self.resolved(task)?;
        let on = OnCharacter::with(task, character.clone(), *options)?;
        let plan = self.plan_by(observer, |modality, model, observer| {
            modality.planned(model, task, Some(on), observer)
        })?;
        self.chosen(task, plan, observer)
    }

    /// What the model's normalised numbers are to HumanML3D's features.
    #[must_use]
    pub fn representation(&self) -> &MotionRepresentation {
        &self.modality.representation
    }

    /// Whether the package has a motion embedding: clips have an `embedding` then.
    #[must_use]
    pub fn embeds_motion(&self) -> bool {
        self.modality.embedding.is_some()
    }

    /// Known prompts nearest to a prompt, with the cosine between their embeddings.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the text encoder fails.
    pub fn nearest_known(&mut self, prompt: &str) -> Result<Vec<(String, f32)>, Error> {
        known(&self.model.package).nearest(&mut self.modality.text, prompt)
    }

    /// Embeddings of texts, `[texts, e]`, unit length.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the text encoder fails.
    pub fn embed_texts(&mut self, texts: &[&str]) -> Result<Array2<f32>, Error> {
        Ok(self.modality.text.encode(texts)?.embedding)
    }

    /// Embedding of a clip's features `[frames, 263]`, not normalised: `[e]`, unit length. `None`
    /// where the package has no motion embedding.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the model fails, [`Error::Motion`] for features of another shape.
    pub fn embed_motion(
        &mut self,
        features: ArrayView2<'_, f32>,
    ) -> Result<Option<Vec<f32>>, Error> {
        let MotionModality {
            embedding,
            representation,
            ..
        } = &mut self.modality;
        let Some(embedding) = embedding else {
            return Ok(None);
        };
        let normalised = representation.normalised(features)?;
        let frames = normalised.nrows();
        let batch = normalised.insert_axis(Axis(0)).into_dyn();
        let rows = embedding.embed(&batch, &[frames])?;
        Ok(Some(rows.into_iter().collect()))
    }

    /// x̂0 of one clip, without classifier-free guidance: `clear` and `noise` are
    /// `[1, frames, 263]`, normalised features and standard normal noise; `level` is a training step.
    ///
    /// # Errors
    /// [`Error::Runtime`] or [`Error::Diffusion`] if the model fails or the level is none of its own.
    pub fn predict(
        &mut self,
        prompt: &str,
        clear: &ArrayD<f32>,
        noise: &ArrayD<f32>,
        level: usize,
    ) -> Result<ArrayD<f32>, Error> {
        let level = self.model.schedule.level(level as f64)?;
        let denoiser = &mut self.model.denoiser;
        denoiser.prepare(false)?;
        denoiser.set_batch(ClipBatch {
            condition: self.modality.text.encode(&[prompt])?.condition,
            blend_weights: None,
            lengths: vec![clear.len_of(Axis(1))],
            guidance_scale: 1.0,
        })?;
        let signal = level.alpha_bar.sqrt() as f32;
        let spread = level.noise_variance().sqrt() as f32;
        let x_t = ndarray::Zip::from(clear)
            .and(noise)
            .map_collect(|x, n| signal * x + spread * n);
        Ok(denoiser.denoise(&x_t, level)?)
    }
}

impl MotionModality {
    /// What a task comes to, done by the body that `on` says: the character's lengths where there is one.
    fn planned(
        &mut self,
        model: &mut OpenModel,
        task: &Task,
        on: Option<OnCharacter>,
        observer: &mut dyn Observer,
    ) -> Result<MotionPlan<'static>, Error> {
        check_length(task, model.package.manifest())?;
        self.warn(&model.package, task, &prompts::timed(task), observer)?;
        let spec = on.as_ref().map_or(&**task, |on| &on.spec);
        let staged = self.staged(model, spec)?;
        for warning in staged.warnings {
            emit(observer, Event::Warning(warning))?;
        }
        let prompts = prompts::timed(&staged.spec);
        let texts: Vec<&str> = prompts.iter().map(|prompt| prompt.text.as_str()).collect();
        let texts = self.text.encode(&texts)?;
        let steers = task.guidance.method != Method::None;
        let losses = task.losses.iter().filter(|_| steers);
        let networks = losses
            .map(|loss| {
                let network = open_network(model, &loss.onnx, task.frames())?;
                Ok((loss.weight, network))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(MotionPlan {
            prompts,
            texts,
            networks,
            on,
            spec: staged.spec,
            make_loss: None,
        })
    }
}

impl Modality for MotionModality {
    type Spec = TaskSpec;
    type Output = Clip;
    type Plan<'p> = MotionPlan<'p>;
    type Trajectory = DecodedSteps;

    fn plan(
        &mut self,
        model: &mut OpenModel,
        task: &Task,
        observer: &mut dyn Observer,
    ) -> Result<MotionPlan<'static>, Error> {
        let on = OnCharacter::of(task)?;
        self.planned(model, task, on, observer)
    }

    fn batch_size(&self) -> usize {
        BATCH
    }

    fn shape(&self, task: &TaskSpec, batch: usize) -> Vec<usize> {
        vec![batch, task.frames(), FEATURES]
    }

    fn conditions(
        &self,
        model: &OpenModel,
        task: &TaskSpec,
        plan: &MotionPlan<'_>,
        batch: usize,
    ) -> DenoiserBatch {
        let several = plan.prompts.len() > 1;
        let cfg = cfg(model.package.manifest(), task);
        DenoiserBatch::Clips(ClipBatch {
            condition: repeated(plan.texts.condition.view(), batch),
            blend_weights: several.then(|| prompts::blend_weights(&plan.prompts)),
            lengths: vec![task.frames(); batch],
            guidance_scale: cfg.unwrap_or(1.0),
        })
    }

    fn noise(
        &self,
        _plan: &MotionPlan<'_>,
        _rows: Range<usize>,
        seeds: &[u64],
    ) -> Box<dyn NoiseSource> {
        Box::new(SeededNoise::new(seeds.to_vec()))
    }

    fn is_guided(task: &TaskSpec, plan: &MotionPlan<'_>) -> bool {
        task.is_guided() || plan.make_loss.is_some()
    }

    fn objective<'a>(
        &'a mut self,
        task: &TaskSpec,
        plan: &'a mut MotionPlan<'_>,
        batch: usize,
    ) -> Result<Objective<'a>, Error> {
        let decoder = self.decoder(task, batch);
        let mut objective = goals_objective(&plan.spec, &decoder)?;
        if let Some(make) = &mut plan.make_loss {
            objective.losses.insert(0, (1.0, make(decoder.clone())?));
        }
        let parts = text_parts(plan, batch);
        for (weight, network) in &mut plan.networks {
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
            objective.follow(text_weight, TextLoss { embedding, parts });
        }
        Ok(objective)
    }

    fn trajectory(&self, _plan: &MotionPlan<'_>, _steps: usize) -> DecodedSteps {
        DecodedSteps {
            representation: self.representation.clone(),
        }
    }

    fn finish(
        &mut self,
        model: &mut OpenModel,
        task: &Task,
        plan: &mut MotionPlan<'_>,
        x0: &ArrayD<f32>,
        _trajectory: &DecodedSteps,
        seeds: &[u64],
    ) -> Result<Vec<Clip>, Error> {
        let batch = x0
            .view()
            .into_dimensionality::<Ix3>()
            .map_err(|error| Error::Internal(error.to_string()))?;
        let mut scored = vec![Scored::default(); seeds.len()];
        if let Some(embedding) = &mut self.embedding {
            let all = task.frames();
            let texts = plan.texts.embedding.outer_iter();
            for (prompt, text) in plan.prompts.iter().zip(texts) {
                let Range { start, end } = prompt.frames;
                let part = batch.slice(s![.., start..end, ..]).to_owned().into_dyn();
                let rows = embedding.embed(&part, &vec![end - start; seeds.len()])?;
                let weight = (end - start) as f64 / task.frames().max(1) as f64;
                for (scored, row) in scored.iter_mut().zip(rows.outer_iter()) {
                    *scored.text_score.get_or_insert(0.0) += weight * f64::from(row.dot(&text));
                    if end - start == all {
                        scored.embedding = Some(row.to_vec());
                    }
                }
            }
            if scored.iter().any(|scored| scored.embedding.is_none()) {
                let whole = batch.to_owned().into_dyn();
                let rows = embedding.embed(&whole, &vec![all; seeds.len()])?;
                for (scored, row) in scored.iter_mut().zip(rows.outer_iter()) {
                    scored.embedding = Some(row.to_vec());
                }
            }
        }
        let this = PostProcess {
            task,
            hashes: &model.hashes,
            manifest: model.package.manifest(),
            engine: &model.engine.report,
            on: plan.on.as_ref(),
        };
        let representation = &self.representation;
        (0..seeds.len())
            .into_par_iter()
            .map(|sample| {
                let features = representation.features(batch.slice(s![sample, .., ..]))?;
                postprocess::clip(&this, features, seeds[sample], scored[sample].clone())
            })
            .collect()
    }

    fn seed(clip: &Clip) -> Option<u64> {
        clip.report.as_ref().map(|report| report.seed)
    }

    fn score(clip: &Clip) -> f64 {
        let Some(report) = &clip.report else {
            return f64::NEG_INFINITY;
        };
        let missed = report.goals.iter().filter(|goal| goal.missed).count();
        report.text_score.unwrap_or(0.0)
            - report.foot_skate_ratio
            - f64::from(u8::from(report.implausibly_fast))
            - missed as f64
    }

    fn record(clip: &mut Clip) -> &mut Provenance {
        &mut clip.provenance
    }

    fn warning(model: &OpenModel, clip: &Clip) -> Option<Warning> {
        let report = clip.report.as_ref()?;
        let (score, least) = (
            report.text_score?,
            model.package.manifest().defaults.least_text_score?,
        );
        (score < least).then_some(Warning::LowScore {
            seed: report.seed,
            score,
            least,
        })
    }

    fn warnings(model: &OpenModel, clip: &Clip) -> Vec<Warning> {
        let report = clip.report.iter();
        let slides = report
            .filter(|report| report.foot_slide.mean_mps > SLIDES_MPS)
            .map(|report| Warning::FeetSlide {
                seed: report.seed,
                speed_mps: report.foot_slide.mean_mps,
            });
        slides.chain(Self::warning(model, clip)).collect()
    }
}

impl MotionModality {
    /// Decodes the root paths of a batch of the task's clips.
    pub(crate) fn decoder(&self, task: &TaskSpec, batch: usize) -> MotionDecoder {
        MotionDecoder::new(self.representation.clone(), vec![task.frames(); batch])
    }

    /// The task with prompts that go where its goals are.
    fn staged(&mut self, model: &mut OpenModel, task: &TaskSpec) -> Result<Staged, Error> {
        let speeds_mps = match stages::stated_speeds_mps(task) {
            Some(stated) => stated,
            None if stages::concerns(task) => self.prompt_speeds_mps(model, task)?,
            None => Vec::new(),
        };
        stages::staged(task, &speeds_mps)
    }

    /// How fast people travel under each of a task's prompts: in x̂0 of pure noise, which is the mean of
    /// all motions of the prompt.
    fn prompt_speeds_mps(
        &mut self,
        model: &mut OpenModel,
        task: &TaskSpec,
    ) -> Result<Vec<f64>, Error> {
        let prompts = prompts::timed(task);
        let texts: Vec<&str> = prompts.iter().map(|prompt| prompt.text.as_str()).collect();
        let (batch, frames) = (texts.len(), task.frames());
        model
            .denoiser
            .prepare(task.guidance.method.needs_gradient())?;
        model.denoiser.set_batch(DenoiserBatch::Clips(ClipBatch {
            condition: self.text.encode(&texts)?.condition,
            blend_weights: None,
            lengths: vec![frames; batch],
            guidance_scale: 1.0,
        }))?;
        let mut x_t = ArrayD::zeros(vec![batch, frames, FEATURES]);
        SeededNoise::new(vec![task.sampling.seed; batch]).fill(&mut x_t)?;
        let x0 = match model.steps(1)?.first() {
            Some(noisiest) => model.denoiser.denoise(&x_t, noisiest.from)?,
            None => x_t,
        };
        let decoder = MotionDecoder::new(self.representation.clone(), vec![frames; batch]);
        let speed = |sample: usize| {
            let motion = decoder.motion(&x0, sample)?;
            Ok(root_speed(motion.joints_m.mapv(|v| v as f32).view(), MODEL_FPS).mean_mps)
        };
        let speeds = (0..batch).map(speed).collect::<Result<Vec<f64>, Error>>()?;
        tracing::debug!("speeds of the prompts: {speeds:.2?} m/s");
        Ok(speeds)
    }

    fn warn(
        &mut self,
        package: &Package,
        task: &Task,
        prompts: &[TimedPrompt],
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        for warning in task.warnings() {
            emit(observer, Event::Warning(warning))?;
        }
        // A model that is not told the prompt does not mind its words.
        if cfg(package.manifest(), task) == Some(0.0) {
            return Ok(());
        }
        let known = known(package);
        let words = package.manifest().text.as_ref().map(TrainedWords::new);
        let mut seen = HashSet::new();
        for prompt in prompts {
            let prompt = prompt.text.trim();
            if !seen.insert(prompt.to_lowercase()) {
                continue;
            }
            for warning in words.iter().flat_map(|words| words.warnings(prompt)) {
                emit(observer, Event::Warning(warning))?;
            }
            if let Some(nearest) = known.if_unknown(&mut self.text, prompt)? {
                let prompt = prompt.to_owned();
                let warning = Warning::UnknownPrompt { prompt, nearest };
                emit(observer, Event::Warning(warning))?;
            }
        }
        Ok(())
    }
}

/// A network that scores clips of this many frames.
pub(crate) fn open_network(
    model: &OpenModel,
    path: &std::path::Path,
    frames: usize,
) -> Result<ScoreNetwork, Error> {
    let engine = &model.engine.engine;
    let network = ScoreNetwork::open(engine, path, FEATURES, &session_options())?;
    network.check_frames(frames)?;
    Ok(network)
}

/// Each row `batch` times, one after the other.
pub(crate) fn repeated(rows: ArrayView2<'_, f32>, batch: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows.nrows() * batch, rows.ncols()), |(row, column)| {
        rows[[row / batch, column]]
    })
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

/// The text loss of each prompt in its own frames.
fn text_parts(plan: &MotionPlan<'_>, batch: usize) -> Vec<TextPart> {
    let part = |(row, prompt): (usize, &TimedPrompt)| TextPart {
        frames: prompt.frames.clone(),
        text: repeated(plan.texts.embedding.slice(s![row..=row, ..]), batch),
    };
    plan.prompts.iter().enumerate().map(part).collect()
}

fn check_length(task: &TaskSpec, manifest: &Manifest) -> Result<(), Error> {
    let motion = manifest.motion()?;
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

/// Scale of classifier-free guidance that a task is done with.
fn cfg(manifest: &Manifest, task: &TaskSpec) -> Option<f64> {
    task.sampling.cfg.or(manifest.defaults.cfg)
}

/// The prompts that a package knows.
fn known(package: &Package) -> Known {
    let files = &package.manifest().files;
    Known {
        prompts: package.manifest().known_prompts.clone(),
        least: package.manifest().defaults.least_known_score,
        files: [Role::Tokenizer, Role::TextEncoder]
            .iter()
            .filter_map(|role| files.get(role))
            .map(|file| file.sha256.clone())
            .collect(),
    }
}

/// Where a package's features have the root.
fn root_form(manifest: &Manifest) -> Result<RootForm, Error> {
    Ok(match manifest.motion()?.kind {
        RepresentationKind::HumanMl3d => RootForm::Velocity,
        RepresentationKind::HumanMl3dAbsoluteRoot => RootForm::Absolute,
    })
}

fn check_representation(manifest: &Manifest) -> Result<(), Error> {
    let motion = manifest.motion()?;
    if (motion.fps - MODEL_FPS).abs() <= 1e-9 && motion.features == FEATURES {
        return Ok(());
    }
    Err(Error::Runtime(RuntimeError::PackageFormat {
        path: manifest.name.clone().into(),
        reason: format!("clips of {FEATURES} features at {MODEL_FPS} fps are made here"),
    }))
}
