//! From a request to clips.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::time::Instant;

use kinograd_diffusion::{
    Denoiser, Layout, Model, NoiseSchedule, NoiseSource, Progress, SeededNoise, Spacing, StepPair,
    sample,
};
use kinograd_guidance::scene::Scene;
use kinograd_guidance::{Loss, PathDecoder, SumLoss, Wishes};
use kinograd_motion::{FEATURES, Normalizer};
use kinograd_runtime::{
    ClipBatch, EngineOptions, EngineReport, Manifest, MotionEmbedding, OnnxDenoiser, OpenEngine,
    Package, Role, RuntimeError, ScoreNetwork, SessionOptions, TextBatch, TextEncoder, cache_dir,
    find_package, open_engine,
};
use ndarray::{Array2, ArrayD, ArrayView2, Axis, Ix3, s};
use rayon::prelude::*;

use crate::finish::{self, Finish};
use crate::known::Known;
use crate::network_loss::NetworkLoss;
use crate::observer::{Denoised, Event, Observer, Warning};
use crate::prompts::{self, TimedPrompt};
use crate::request::MODEL_FPS;
use crate::text_loss::{TextLoss, TextPart};
use crate::{Clip, Error, GenerateRequest, Method, goals};

/// Clips that are sampled together: more cost memory and save nothing on a few cores.
const BATCH: usize = 8;

/// A model package on an engine, ready to make clips.
///
/// ```no_run
/// use kinograd::{GenerateRequest, MotionGenerator};
/// use kinograd::runtime::EngineOptions;
///
/// let mut generator = MotionGenerator::open("motion-base", &EngineOptions::default())?;
/// let request = GenerateRequest::builder("a person walks forward")
///     .target(2.0, 3.0)
///     .obstacle(1.0, 1.5, 0.5)
///     .build()?;
/// for clip in generator.generate(&request, &mut ())? {
///     clip.save("walk.glb".as_ref())?;
/// }
/// # Ok::<(), kinograd::Error>(())
/// ```
pub struct MotionGenerator {
    pub(crate) package: Package,
    pub(crate) engine: OpenEngine,
    pub(crate) schedule: NoiseSchedule,
    pub(crate) normalizer: Normalizer,
    pub(crate) text: TextEncoder,
    pub(crate) denoiser: OnnxDenoiser,
    pub(crate) embedding: Option<MotionEmbedding>,
    hashes: BTreeMap<String, String>,
    timings: Timings,
}

/// Seconds that the parts of the last run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Timings {
    /// Opening the engine, reading and checking the package.
    pub open_s: f64,
    /// Encoding the prompt.
    pub text_s: f64,
    /// Loading the denoiser's graphs, where they were not loaded before.
    pub prepare_s: f64,
    /// Sampling.
    pub sampling_s: f64,
    /// Fitting rotations, foot lock and measuring.
    pub finish_s: f64,
}

/// Makes the loss of a batch from the decoder of its root paths.
pub type MakeLoss<'m> = dyn FnMut(PathDecoder) -> Result<Box<dyn Loss>, Error> + 'm;

/// What steers a clip beside its request's own goals.
pub(crate) enum Beside<'b, 'm> {
    /// Nothing does.
    Nothing,
    /// A loss.
    Loss(&'b mut MakeLoss<'m>),
    /// What a scene asks for beyond points and circles on the ground.
    Scene(&'b Scene),
}

impl Beside<'_, '_> {
    fn steers(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    fn scene(&self) -> Option<&Scene> {
        match self {
            Self::Scene(scene) => Some(scene),
            Self::Nothing | Self::Loss(_) => None,
        }
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
        let engine = open_engine(options)?;
        let session = session_options();
        let constants = package.constants()?;
        let text = TextEncoder::open(&engine.engine, &package, &session)?;
        let denoiser = OnnxDenoiser::open(engine.engine.clone(), &package, session.clone())?;
        let embedding = if package.has(Role::MotionEmbedding) {
            Some(MotionEmbedding::open(
                engine.engine.clone(),
                &package,
                session,
            )?)
        } else {
            None
        };
        let files = &package.manifest().files;
        let hashes = files
            .iter()
            .map(|(role, entry)| (role.as_str().to_owned(), entry.sha256.clone()));
        Ok(Self {
            schedule: schedule_of(package.manifest())?,
            normalizer: Normalizer::new(constants.mean, constants.std)?,
            hashes: hashes.collect(),
            text,
            denoiser,
            embedding,
            package,
            engine,
            timings: Timings {
                open_s: started.elapsed().as_secs_f64(),
                ..Timings::default()
            },
        })
    }

    /// What the package says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.package.manifest()
    }

    /// What engine runs the model.
    #[must_use]
    pub fn engine(&self) -> &EngineReport {
        &self.engine.report
    }

    /// The engine in words, such as `ONNX Runtime 1.31.1 (cpu)`.
    #[must_use]
    pub fn engine_name(&self) -> String {
        let report = &self.engine.report;
        format!("{} {} ({})", report.engine, report.version, report.provider)
    }

    /// Seconds that the parts of the last run took.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// Mean and standard deviation of the model's features.
    #[must_use]
    pub fn normalizer(&self) -> &Normalizer {
        &self.normalizer
    }

    /// Known prompts nearest to a prompt, with the cosine between their embeddings.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the text encoder fails.
    pub fn nearest_known(&mut self, prompt: &str) -> Result<Vec<(String, f32)>, Error> {
        known(&self.package).nearest(&mut self.text, prompt)
    }

    /// Embeddings of texts, `[texts, e]`, unit length.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the text encoder fails.
    pub fn embed_texts(&mut self, texts: &[&str]) -> Result<Array2<f32>, Error> {
        Ok(self.text.encode(texts)?.embedding)
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
        let Some(embedding) = &mut self.embedding else {
            return Ok(None);
        };
        let normalised = self.normalizer.apply(features)?;
        let frames = normalised.nrows();
        let batch = normalised.insert_axis(Axis(0)).into_dyn();
        let rows = embedding.embed(&batch, &[frames])?;
        Ok(Some(rows.into_iter().collect()))
    }

    /// x̂0 of one clip, without classifier-free guidance: `clear` and `noise` are
    /// `[1, frames, 263]`, normalised features and standard normal noise; `level` is a training step.
    pub(crate) fn predict(
        &mut self,
        prompt: &str,
        clear: &ArrayD<f32>,
        noise: &ArrayD<f32>,
        level: usize,
    ) -> Result<ArrayD<f32>, Error> {
        let level = self.schedule.level(level as f64)?;
        self.denoiser.prepare(false)?;
        self.denoiser.set_batch(ClipBatch {
            condition: self.text.encode(&[prompt])?.condition,
            shares: None,
            lengths: vec![clear.len_of(Axis(1))],
            guidance_scale: 1.0,
        })?;
        let signal = level.alpha_bar.sqrt() as f32;
        let spread = level.noise_variance().sqrt() as f32;
        let x_t = ndarray::Zip::from(clear)
            .and(noise)
            .map_collect(|x, n| signal * x + spread * n);
        Ok(self.denoiser.denoise(&x_t, level)?)
    }

    /// Makes the request's clips.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the observer stops the run; otherwise what the model, the guidance
    /// or the clean-up returns.
    pub fn generate(
        &mut self,
        request: &GenerateRequest,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Clip>, Error> {
        self.run(request, &mut Beside::Nothing, observer)
    }

    /// As [`generate`](Self::generate), with a loss of one's own beside the request's goals.
    ///
    /// `make_loss` is called once per batch with the decoder of the batch's root paths; the
    /// request's method must be one that steers.
    ///
    /// # Errors
    /// As [`generate`](Self::generate), and what `make_loss` returns.
    pub fn generate_with(
        &mut self,
        request: &GenerateRequest,
        make_loss: &mut MakeLoss<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Clip>, Error> {
        self.run(request, &mut Beside::Loss(make_loss), observer)
    }

    pub(crate) fn run(
        &mut self,
        request: &GenerateRequest,
        beside: &mut Beside<'_, '_>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Clip>, Error> {
        self.timings = Timings {
            open_s: self.timings.open_s,
            ..Timings::default()
        };
        self.check_length(request)?;
        let prompts = &prompts::of_request(request)[..];
        let started = Instant::now();
        self.warn(request, prompts, observer)?;
        let texts: Vec<&str> = prompts.iter().map(|prompt| prompt.text.as_str()).collect();
        let texts = self.text.encode(&texts)?;
        self.timings.text_s = started.elapsed().as_secs_f64();

        let guided = request.is_guided() || beside.steers();
        let differentiable = guided
            && request
                .method
                .steering()
                .is_some_and(|m| m.needs_gradient());
        let started = Instant::now();
        self.denoiser.prepare(differentiable)?;
        self.timings.prepare_s = started.elapsed().as_secs_f64();

        let mut networks = self.open_networks(request)?;
        let steps = self.schedule.steps(Spacing::Trailing, request.steps)?;
        let batches: Vec<Range<usize>> = (0..request.clips)
            .step_by(BATCH)
            .map(|first| first..(first + BATCH).min(request.clips))
            .collect();
        tell(
            observer,
            Event::Started {
                work: "sampling",
                total: (steps.len() * batches.len()) as u64,
            },
        )?;
        tracing::debug!(
            steps = steps.len(),
            batches = batches.len(),
            "sampling {} frames on {}",
            request.frames(),
            self.engine_name()
        );
        let mut clips = Vec::with_capacity(request.clips);
        let normalizer = self.normalizer.clone();
        for (index, batch) in batches.iter().enumerate() {
            let seeds: Vec<u64> = batch
                .clone()
                .map(|clip| request.seed.wrapping_add(clip as u64))
                .collect();
            let done = index * steps.len();
            let started = Instant::now();
            let x0 = self.sample(
                request,
                (prompts, &texts),
                &seeds,
                &steps,
                beside,
                &mut networks,
                &mut |progress: &Progress<'_>| {
                    observer.event(&Event::Advanced {
                        done: (done + progress.index + 1) as u64,
                    })?;
                    observer.denoised(&Denoised {
                        index: progress.index,
                        total: progress.total,
                        x0: progress.x0,
                        normalizer: &normalizer,
                    })
                },
            )?;
            self.timings.sampling_s += started.elapsed().as_secs_f64();
            let started = Instant::now();
            let scene = beside.scene();
            clips.extend(self.finish(request, scene, (prompts, &texts), &x0, &seeds)?);
            self.timings.finish_s += started.elapsed().as_secs_f64();
        }
        tell(observer, Event::Finished)?;
        Ok(clips)
    }

    pub(crate) fn open_networks(
        &self,
        request: &GenerateRequest,
    ) -> Result<Vec<(f64, ScoreNetwork)>, Error> {
        let steers = request.method != Method::None;
        let goals = request.networks.iter().filter(|_| steers);
        goals
            .map(|goal| {
                let engine = &self.engine.engine;
                let network = ScoreNetwork::open(engine, &goal.path, FEATURES, &session_options())?;
                network.check_frames(request.frames())?;
                Ok((goal.weight, network))
            })
            .collect()
    }

    pub(crate) fn check_length(&self, request: &GenerateRequest) -> Result<(), Error> {
        let motion = self.package.manifest().motion()?;
        if (motion.min_frames..=motion.max_frames).contains(&request.frames()) {
            return Ok(());
        }
        Err(Error::Request {
            field: "seconds",
            message: format!(
                "{} is outside what the model makes, {} to {}",
                request.duration_secs,
                motion.min_frames as f64 / motion.fps,
                motion.max_frames as f64 / motion.fps
            ),
        })
    }

    pub(crate) fn warn(
        &mut self,
        request: &GenerateRequest,
        prompts: &[TimedPrompt],
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        for warning in request.warnings() {
            tell(observer, Event::Warning(warning))?;
        }
        let known = known(&self.package);
        for prompt in prompts {
            if let Some(nearest) = known.if_unknown(&mut self.text, &prompt.text)? {
                let prompt = prompt.text.clone();
                tell(
                    observer,
                    Event::Warning(Warning::UnknownPrompt { prompt, nearest }),
                )?;
            }
        }
        Ok(())
    }

    /// x̂0 of a batch, `[batch, frames, 263]`, normalised.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is what one part of a run gives"
    )]
    pub(crate) fn sample(
        &mut self,
        request: &GenerateRequest,
        (prompts, texts): (&[TimedPrompt], &TextBatch),
        seeds: &[u64],
        steps: &[StepPair],
        beside: &mut Beside<'_, '_>,
        networks: &mut [(f64, ScoreNetwork)],
        observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<ArrayD<f32>, Error> {
        let (batch, frames) = (seeds.len(), request.frames());
        let condition = repeated(texts.condition.view(), batch);
        let cfg = request.cfg.or(self.package.manifest().defaults.cfg);
        self.denoiser.set_batch(ClipBatch {
            condition,
            shares: (prompts.len() > 1).then(|| prompts::shares(prompts)),
            lengths: vec![frames; batch],
            guidance_scale: cfg.unwrap_or(1.0),
        })?;
        let decoder = || PathDecoder::new(self.normalizer.clone(), vec![frames; batch]);
        let mut wishes = Wishes {
            ground: goals::ground_goals(request)?,
            barrier: goals::barrier()?,
            ..Wishes::default()
        };
        let mut terms: Vec<Term<'_>> = Vec::new();
        match beside {
            Beside::Nothing => {}
            Beside::Loss(make) => terms.push((1.0, make(decoder())?)),
            Beside::Scene(scene) => {
                wishes
                    .ground
                    .waypoints
                    .extend(scene.trajectory_points(MODEL_FPS)?);
                wishes.constraints = Some(scene.constraints(decoder())?);
                if let Some(loss) = scene.preferences(decoder())? {
                    terms.push((1.0, Box::new(loss)));
                }
            }
        }
        for (weight, network) in networks.iter_mut() {
            let loss = NetworkLoss {
                network,
                decoder: decoder(),
                is_reward: false,
            };
            terms.push((*weight, Box::new(loss)));
        }
        let weight = request.text_weight(self.embedding.is_some());
        match &mut self.embedding {
            Some(embedding) if weight > 0.0 => {
                let part = |(row, prompt): (usize, &TimedPrompt)| TextPart {
                    frames: prompt.frames.clone(),
                    text: repeated(texts.embedding.slice(s![row..=row, ..]), batch),
                };
                let loss = TextLoss {
                    embedding,
                    parts: prompts.iter().enumerate().map(part).collect(),
                };
                terms.push((weight, Box::new(loss)));
            }
            None if weight > 0.0 => {
                return Err(Error::Request {
                    field: "text guidance",
                    message: "needs a model with a motion embedding, which this one lacks"
                        .to_owned(),
                });
            }
            _ => {}
        }
        wishes.further = one_loss(terms)?;
        let guided = request.is_guided() || beside.steers();
        let scale = request.guidance_scale;
        let scale = scale.unwrap_or_else(|| request.method.default_scale());
        let (options, steering) = (request.steering.options(scale), &request.steering);
        let mut guidance = match request.method.steering() {
            Some(method) if guided => {
                Some(steering.travelling(method.guide_path(decoder(), wishes, options)?)?)
            }
            _ => None,
        };
        let mut model = if guidance.as_ref().is_some_and(|g| g.needs_gradient()) {
            Model::differentiable(&mut self.denoiser)
        } else {
            Model::forward_only(&mut self.denoiser)
        };
        let mut noise: Box<dyn NoiseSource> = Box::new(SeededNoise::new(seeds.to_vec()));
        let mut sampler = request.sampler.make();
        let mut observer = observer;
        let x0 = sample(
            &mut model,
            sampler.as_mut(),
            steps,
            &Layout::full(&[batch, frames, FEATURES])?,
            noise.as_mut(),
            guidance
                .as_deref_mut()
                .map(|g| g as &mut dyn kinograd_diffusion::Guidance),
            &mut observer,
        )?;
        Ok(x0)
    }

    pub(crate) fn finish(
        &mut self,
        request: &GenerateRequest,
        scene: Option<&Scene>,
        (prompts, texts): (&[TimedPrompt], &TextBatch),
        x0: &ArrayD<f32>,
        seeds: &[u64],
    ) -> Result<Vec<Clip>, Error> {
        let batch = x0
            .view()
            .into_dimensionality::<Ix3>()
            .map_err(|error| Error::Internal(error.to_string()))?;
        let mut text_scores = vec![None; seeds.len()];
        if let Some(embedding) = &mut self.embedding {
            for (prompt, text) in prompts.iter().zip(texts.embedding.outer_iter()) {
                let Range { start, end } = prompt.frames;
                let part = batch.slice(s![.., start..end, ..]).to_owned().into_dyn();
                let rows = embedding.embed(&part, &vec![end - start; seeds.len()])?;
                let share = (end - start) as f64 / request.frames().max(1) as f64;
                for (score, row) in text_scores.iter_mut().zip(rows.outer_iter()) {
                    *score.get_or_insert(0.0) += share * f64::from(row.dot(&text));
                }
            }
        }
        let this = Finish {
            request,
            hashes: &self.hashes,
            manifest: self.package.manifest(),
            engine: &self.engine.report,
            scene,
        };
        let normalizer = &self.normalizer;
        (0..seeds.len())
            .into_par_iter()
            .map(|sample| {
                let features = normalizer.invert(batch.slice(s![sample, .., ..]))?;
                finish::clip(&this, features, seeds[sample], text_scores[sample])
            })
            .collect()
    }
}

/// A loss with its weight.
type Term<'a> = (f64, Box<dyn Loss + 'a>);

/// The only term, or the weighted sum of several.
fn one_loss(mut terms: Vec<Term<'_>>) -> Result<Option<Term<'_>>, Error> {
    if terms.len() < 2 {
        return Ok(terms.pop());
    }
    let mut sum = SumLoss::new();
    for (weight, loss) in terms {
        sum = sum.with(weight, loss)?;
    }
    Ok(Some((1.0, Box::new(sum))))
}

/// Each row `batch` times, one after the other.
pub(crate) fn repeated(rows: ArrayView2<'_, f32>, batch: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows.nrows() * batch, rows.ncols()), |(row, column)| {
        rows[[row / batch, column]]
    })
}

/// Graphs are kept in the user's cache.
pub(crate) fn session_options() -> SessionOptions {
    SessionOptions {
        cache_dir: cache_dir(),
        ..SessionOptions::default()
    }
}

/// The prompts that a package knows.
fn known(package: &Package) -> Known {
    let files = &package.manifest().files;
    Known {
        prompts: package.manifest().known_prompts.clone(),
        files: [Role::Tokenizer, Role::TextEncoder]
            .iter()
            .filter_map(|role| files.get(role))
            .map(|file| file.sha256.clone())
            .collect(),
    }
}

pub(crate) fn tell(observer: &mut dyn Observer, event: Event) -> Result<(), Error> {
    match observer.event(&event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}

fn schedule_of(manifest: &Manifest) -> Result<NoiseSchedule, Error> {
    if (manifest.motion()?.fps - MODEL_FPS).abs() > 1e-9 || manifest.motion()?.features != FEATURES
    {
        return Err(Error::Runtime(RuntimeError::PackageFormat {
            path: manifest.name.clone().into(),
            reason: format!("clips of {FEATURES} features at {MODEL_FPS} fps are made here"),
        }));
    }
    schedule_from(manifest)
}

/// The noise schedule of a package's training.
pub(crate) fn schedule_from(manifest: &Manifest) -> Result<NoiseSchedule, Error> {
    let spec = manifest
        .schedule
        .ok_or_else(|| RuntimeError::PackageFormat {
            path: manifest.name.clone().into(),
            reason: "`schedule` is missing".to_owned(),
        })?;
    Ok(spec.levels()?)
}
