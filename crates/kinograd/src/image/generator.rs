//! From a task to pictures.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::rc::Rc;
use std::time::Instant;

use kinograd_diffusion::{NoiseSource, Progress};
use kinograd_guidance::{Loss, Objective};
use kinograd_motion::Provenance;
use kinograd_runtime::{
    DenoiserBatch, EngineOptions, ImageDecoder, Package, RuntimeError, TextEncoder, find_package,
    open_engine,
};
use ndarray::{Array3, ArrayD, Axis, Ix3, Slice};
use serde_json::json;

use super::generated::{GeneratedImage, ImageReport};
use super::losses::{
    Networks, PairEncoders, Prepared, Term, name_of, on_samples, open_segmentation, prepare, sum,
    terms,
};
use super::own_network::OwnNetwork;
use super::picture::Picture;
use super::told::{ConditioningBatch, needs_encoder};
use super::trace::{Noise, Tracing, check_trace, read_noise};
use super::{Keep, PictureGoalKind, PictureSpec, PictureTask};
use crate::Error;
use crate::generator::{Generator, Modality, OpenModel, Trajectory, session_options};
use crate::observer::{Event, Observer};
use crate::warning::Warning;

/// Images that are sampled together.
const BATCH: usize = 8;
/// Images above this many pixels are not sampled together.
const LARGE_PIXELS: usize = 256 * 256;
/// Pictures of a run's strip at most.
const STRIP: usize = 12;

/// Models on an engine, ready to make pictures.
///
/// It makes the task that it was opened for, and those whose goals need no more networks.
pub type ImageGenerator = Generator<PictureModality>;

/// The networks of pictures besides the denoiser.
pub struct PictureModality {
    /// Reads the prompt, where the denoiser takes text.
    text: Option<TextEncoder>,
    /// Of a latent model.
    pub(super) decoder: Option<ImageDecoder>,
    pub(super) networks: Networks,
    pub(super) judge: Option<PairEncoders>,
    pub(super) keep: Keep,
    /// `[channels, height, width]` of the pictures, and of what the sampler walks.
    size: [usize; 3],
    sample_size: [usize; 3],
}

impl ImageGenerator {
    /// Opens the packages that a task names and needs.
    ///
    /// # Errors
    /// [`Error::Runtime`] if a package is not there, a file of it is missing or has another hash,
    /// or the engine cannot be opened; [`Error::Request`] if packages disagree on the image's
    /// size. Only the judge may be missing.
    pub fn open(task: &PictureTask, options: &EngineOptions) -> Result<Self, Error> {
        let started = Instant::now();
        let models = &task.models;
        let package = find_package(&models.denoiser).map_err(|error| how_to_get(error.into()))?;
        let size = package.manifest().image()?.size();
        let engine = open_engine(options)?;
        let session = session_options();
        let mut hashes = BTreeMap::new();
        note(&mut hashes, &package);
        let mut open = |name: &str| -> Result<Package, Error> {
            let other = find_package(name)?;
            // Grey and transparent pictures go to networks of colours and back.
            let own = other.manifest().image()?.size();
            if own[1..] != size[1..] {
                return Err(Error::Request {
                    field: "model",
                    message: format!(
                        "{name} reads images of {own:?}, but {} makes {size:?}",
                        models.denoiser
                    ),
                });
            }
            note(&mut hashes, &other);
            Ok(other)
        };
        let needs =
            |wanted: fn(&PictureGoalKind) -> bool| task.goals.iter().any(|goal| wanted(&goal.kind));
        let encoders = if needs(PictureGoalKind::needs_encoders) {
            let package = open(&models.embedding).map_err(how_to_get)?;
            Some(PairEncoders::open(
                &engine.engine,
                &package,
                size,
                &session,
            )?)
        } else {
            None
        };
        let judge = match task.prompt().map(|_| open(&models.judge)) {
            Some(Ok(package)) => Some(PairEncoders::open(
                &engine.engine,
                &package,
                size,
                &session,
            )?),
            None | Some(Err(Error::Runtime(RuntimeError::PackageNotFound { .. }))) => None,
            Some(Err(error)) => return Err(error),
        };
        let segmentation = if needs(|c| matches!(c, PictureGoalKind::Seg { .. })) {
            let package = open(&models.segmentation).map_err(how_to_get)?;
            Some(open_segmentation(&engine.engine, &package, size, &session)?)
        } else {
            None
        };
        let shared = &engine.engine;
        let own = OwnNetwork::of_goals(shared, &task.goals, size, &session, &mut hashes)?;
        let text = if needs_encoder(task, package.manifest()) {
            let source = package.text_package()?;
            note(&mut hashes, &source);
            Some(TextEncoder::open(&engine.engine, &source, &session)?)
        } else {
            None
        };
        let decoder = ImageDecoder::open(engine.engine.clone(), &package, session)?;
        let modality = PictureModality {
            text,
            decoder,
            networks: Networks {
                encoders,
                segmentation,
                own,
            },
            judge,
            keep: Keep::default(),
            size,
            sample_size: package.manifest().sample_size()?,
        };
        let mut model = OpenModel::open(package, engine)?;
        model.hashes = hashes;
        Ok(Self::new(model, modality, started))
    }

    /// What to keep beside the pictures in the runs that follow.
    pub fn keep(&mut self, keep: Keep) {
        self.modality.keep = keep;
    }

    /// `[channels, height, width]` of the images.
    #[must_use]
    pub fn size(&self) -> [usize; 3] {
        self.modality.size
    }

    /// The encoders that steer, and those that only judge, where they are open.
    #[must_use]
    pub fn encoders(&mut self) -> [Option<&mut PairEncoders>; 2] {
        let PictureModality {
            networks, judge, ..
        } = &mut self.modality;
        [networks.encoders.as_mut(), judge.as_mut()]
    }
}

impl Modality for PictureModality {
    type Spec = PictureSpec;
    type Output = GeneratedImage;
    type Plan<'p> = Plan;
    type Trajectory = PictureSteps;

    fn plan(
        &mut self,
        model: &mut OpenModel,
        task: &PictureTask,
        _observer: &mut dyn Observer,
    ) -> Result<Plan, Error> {
        let mut prepared = Vec::with_capacity(task.goals.len());
        for goal in &task.goals {
            prepared.push(prepare(&goal.kind, self.size, &mut self.networks)?);
        }
        let manifest = model.package.manifest();
        if self.text.is_none() && needs_encoder(task, manifest) {
            return Err(Error::Internal(
                "the generator was opened for a task that tells the denoiser nothing".to_owned(),
            ));
        }
        let told = ConditioningBatch::of(task, manifest, self.text.as_mut())?;
        let noise = match &task.noise {
            Some(path) => Some(read_noise(path, task.sampling.count, self.sample_size)?),
            None => None,
        };
        if self.keep.trace {
            let images = task.sampling.seeds().len();
            check_trace(task.sampling.steps_or_usual(), images, self.sample_size)?;
        }
        Ok(Plan {
            prepared,
            told,
            noise,
            last_loss: Rc::new(Cell::new(f64::NAN)),
        })
    }

    fn batch_size(&self) -> usize {
        let [_, height, width] = self.size;
        // Large images go one by one: a batch's activations would fill the memory.
        if height * width > LARGE_PIXELS {
            1
        } else {
            BATCH
        }
    }

    fn shape(&self, _task: &PictureSpec, batch: usize) -> Vec<usize> {
        let [channels, height, width] = self.sample_size;
        vec![batch, channels, height, width]
    }

    fn conditions(
        &self,
        _model: &OpenModel,
        _task: &PictureSpec,
        plan: &Plan,
        _batch: usize,
    ) -> DenoiserBatch {
        DenoiserBatch::Pictures(plan.told.batch.clone())
    }

    fn noise(&self, plan: &Plan, rows: Range<usize>, seeds: &[u64]) -> Box<dyn NoiseSource> {
        let given = plan.noise.as_ref();
        let given = given.map(|x| x.slice_axis(Axis(0), Slice::from(rows)).to_owned());
        Box::new(Noise::new(seeds.to_vec(), given))
    }

    fn is_guided(task: &PictureSpec, _plan: &Plan) -> bool {
        task.is_guided()
    }

    fn objective<'a>(
        &'a mut self,
        task: &PictureSpec,
        plan: &'a mut Plan,
        _batch: usize,
    ) -> Result<Objective<'a>, Error> {
        Ok(Objective::of(self.cost(task, plan)?))
    }

    fn trajectory(&self, plan: &Plan, steps: usize) -> PictureSteps {
        PictureSteps {
            keep: self.keep,
            every: steps.div_ceil(STRIP),
            last_loss: plan.last_loss.clone(),
            strip: Vec::new(),
            trace: Tracing::default(),
        }
    }

    fn finish(
        &mut self,
        model: &mut OpenModel,
        task: &PictureTask,
        plan: &mut Plan,
        x0: &ArrayD<f32>,
        trajectory: &PictureSteps,
        seeds: &[u64],
    ) -> Result<Vec<GeneratedImage>, Error> {
        let mut strips = Vec::with_capacity(trajectory.strip.len());
        for step in &trajectory.strip {
            strips.push(self.pictures(step)?);
        }
        let x0 = self.pictures(x0)?.mapv(|value| value.clamp(-1.0, 1.0));
        let mut losses: Vec<BTreeMap<String, f64>> = vec![BTreeMap::new(); seeds.len()];
        for term in terms(task, &plan.prepared) {
            let name = name_of(task, term.index);
            let term = Term {
                weight: 1.0,
                ..term
            };
            let unseen = Rc::new(Cell::new(0.0));
            let mut loss = sum(&[term], &mut self.networks, 0, 0, unseen)?;
            let values = loss.value_and_grad(&x0)?.values;
            for (losses, value) in losses.iter_mut().zip(values) {
                losses.insert(name.clone(), value);
            }
        }
        let score = |encoders: &mut Option<PairEncoders>| match (encoders, task.prompt()) {
            (Some(encoders), Some(prompt)) => {
                let scores = encoders.scores(&x0, prompt)?;
                Ok::<_, Error>(scores.into_iter().map(Some).collect())
            }
            _ => Ok(vec![None; seeds.len()]),
        };
        let text_scores: Vec<Option<f64>> = score(&mut self.networks.encoders)?;
        let judge_scores: Vec<Option<f64>> = score(&mut self.judge)?;
        let mut images = Vec::with_capacity(seeds.len());
        for (sample, (&seed, losses)) in seeds.iter().zip(losses).enumerate() {
            let report = ImageReport {
                seed,
                losses,
                text_score: text_scores[sample],
                judge_score: judge_scores[sample],
            };
            let last = image_of(&x0, sample)?;
            let mut strip = strips
                .iter()
                .map(|step| Ok(Picture(image_of(step, sample)?)))
                .collect::<Result<Vec<_>, Error>>()?;
            if let Some(end) = strip.last_mut() {
                *end = Picture(last.clone());
            }
            images.push(GeneratedImage {
                picture: Picture(last),
                steps: strip,
                trace: if self.keep.trace {
                    Some(trajectory.trace.of(sample)?)
                } else {
                    None
                },
                provenance: record(model, task, &plan.told, &report)?,
                report,
            });
        }
        Ok(images)
    }

    fn seed(image: &GeneratedImage) -> Option<u64> {
        Some(image.report.seed)
    }

    /// The held-out score where there is one, else the score of what may have steered, else minus the
    /// losses.
    fn score(image: &GeneratedImage) -> f64 {
        let report = &image.report;
        let by_losses = || -report.losses.values().sum::<f64>();
        let score = report.judge_score.or(report.text_score);
        score.unwrap_or_else(by_losses)
    }

    fn record(image: &mut GeneratedImage) -> &mut Provenance {
        &mut image.provenance
    }

    fn warning(_model: &OpenModel, _image: &GeneratedImage) -> Option<Warning> {
        None
    }
}

impl PictureModality {
    /// The weighted sum of the task's goals, on what the sampler walks.
    pub(super) fn cost<'a>(
        &'a mut self,
        task: &PictureSpec,
        plan: &Plan,
    ) -> Result<Box<dyn Loss + 'a>, Error> {
        plan.last_loss.set(f64::NAN);
        let loss = sum(
            &terms(task, &plan.prepared),
            &mut self.networks,
            task.guidance.augmentations,
            task.sampling.seed,
            plan.last_loss.clone(),
        )?;
        Ok(on_samples(loss, self.decoder.as_mut()))
    }

    /// Pictures of x̂0, `[batch, channels, height, width]`.
    pub(super) fn pictures(&mut self, x0: &ArrayD<f32>) -> Result<ArrayD<f32>, Error> {
        match &mut self.decoder {
            Some(decoder) => Ok(decoder.decode(x0)?),
            None => Ok(x0.clone()),
        }
    }
}

/// How an image came to be. No timings: the same task gives the same bytes.
fn record(
    model: &OpenModel,
    task: &PictureSpec,
    told: &ConditioningBatch,
    report: &ImageReport,
) -> Result<Provenance, Error> {
    let internal = |error: serde_json::Error| Error::Internal(error.to_string());
    let mut record = Provenance::new();
    record.model_hashes.clone_from(&model.hashes);
    record.seed = Some(report.seed);
    record.method = Some(task.guidance.method.name().to_owned());
    record.task = Some(serde_json::to_value(task).map_err(internal)?);
    for (name, value) in &report.losses {
        record.losses.insert(name.clone(), json!(value));
    }
    for (name, score) in [
        ("text_score", report.text_score),
        ("judge_score", report.judge_score),
    ] {
        if let Some(score) = score {
            record.losses.insert(name.to_owned(), json!(score));
        }
    }
    let manifest = model.package.manifest();
    let engine = &model.engine.report;
    // What was asked for by name, or left to the package.
    if let Some(class) = told.class {
        record.extra.insert("class".to_owned(), json!(class));
    }
    if let Some(cfg) = told.cfg {
        record.extra.insert("cfg".to_owned(), json!(cfg));
    }
    record.extra.insert(
        "model".to_owned(),
        json!({ "name": manifest.name, "version": manifest.version }),
    );
    record.extra.insert(
        "engine".to_owned(),
        json!({
            "name": engine.engine,
            "version": engine.version,
            "provider": engine.provider,
            "threads": engine.threads,
        }),
    );
    Ok(record)
}
/// What a task comes to with an image model.
pub struct Plan {
    pub(super) prepared: Vec<Prepared>,
    pub(super) told: ConditioningBatch,
    /// x_T of all images, where it is given.
    noise: Option<ArrayD<f32>>,
    /// Mean loss of the last step.
    last_loss: Rc<Cell<f64>>,
}

/// What is kept of a batch's steps.
pub struct PictureSteps {
    keep: Keep,
    /// Of so many steps the last is kept for the strip.
    every: usize,
    last_loss: Rc<Cell<f64>>,
    pub(super) strip: Vec<ArrayD<f32>>,
    trace: Tracing,
}

impl Trajectory for PictureSteps {
    fn step(&mut self, progress: &Progress<'_>, observer: &mut dyn Observer) -> ControlFlow<()> {
        let left = progress.total - 1 - progress.index;
        if self.keep.strip && left.is_multiple_of(self.every) {
            if progress.repeat > 0 {
                self.strip.pop();
            }
            self.strip.push(progress.x0.clone());
        }
        if self.keep.trace {
            let (pair, x0) = (progress.pair, progress.x0);
            self.trace.push(progress.index, pair, x0, progress.x_next);
        }
        let value = self.last_loss.get();
        if value.is_finite() {
            observer.event(&Event::Loss { value })?;
        }
        ControlFlow::Continue(())
    }
}

/// Says where image packages come from, if one is not there.
fn how_to_get(error: Error) -> Error {
    match error {
        Error::Runtime(missing @ RuntimeError::PackageNotFound { .. }) => Error::Request {
            field: "model",
            message: format!(
                "{missing}; python/train/image trains such packages, python/export makes them of \
                 other networks"
            ),
        },
        other => other,
    }
}

fn note(hashes: &mut BTreeMap<String, String>, package: &Package) {
    let manifest = package.manifest();
    for (role, entry) in &manifest.files {
        hashes.insert(
            format!("{}/{}", manifest.name, role.as_str()),
            entry.sha256.clone(),
        );
    }
}

fn image_of(batch: &ArrayD<f32>, sample: usize) -> Result<Array3<f32>, Error> {
    let image = batch.index_axis(Axis(0), sample).to_owned();
    image
        .into_dimensionality::<Ix3>()
        .map_err(|error| Error::Internal(error.to_string()))
}
