//! From a task to pictures.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Instant;

use kinograd_diffusion::{Layout, Model, NoiseSchedule, Progress, Spacing, StepPair, sample};
use kinograd_guidance::{Loss, Objective};
use kinograd_motion::Provenance;
use kinograd_runtime::{
    EngineOptions, EngineReport, ImageDecoder, ImageDenoiser, Manifest, OnnxNetwork, OpenEngine,
    Package, Role, RuntimeError, SessionOptions, TextEncoder, cache_dir, find_package, open_engine,
};
use ndarray::{Array3, ArrayD, Axis, Ix3, Slice};
use serde_json::json;

use super::generated::{GeneratedImage, ImageReport, ImageTimings};
use super::losses::{
    Networks, PairEncoders, Prepared, Term, name_of, on_samples, prepare, sum, terms,
};
use super::picture::Picture;
use super::told::{ConditioningBatch, needs_encoder};
use super::trace::{Noise, Tracing, check_trace, read_noise};
use super::{Keep, PictureGoalKind, PictureSpec, PictureTask};
use crate::Error;
use crate::generator::{emit, schedule_from};
use crate::observer::{Event, Observer};

/// Images that are sampled together.
const BATCH: usize = 8;
/// Images above this many pixels are not sampled together.
const LARGE_PIXELS: usize = 256 * 256;
/// Pictures of a run's strip at most.
const STRIP: usize = 12;

/// Models on an engine, ready to make pictures.
pub struct ImageGenerator {
    package: Package,
    engine: OpenEngine,
    pub(super) schedule: NoiseSchedule,
    pub(super) denoiser: ImageDenoiser,
    /// Reads the prompt, where the denoiser takes text.
    pub(super) text: Option<TextEncoder>,
    /// Of a latent model.
    pub(super) decoder: Option<ImageDecoder>,
    pub(super) networks: Networks,
    pub(super) judge: Option<PairEncoders>,
    pub(super) keep: Keep,
    hashes: BTreeMap<String, String>,
    /// `[channels, height, width]` of the pictures, and of what the sampler walks.
    pub(super) size: [usize; 3],
    pub(super) sample_size: [usize; 3],
    timings: ImageTimings,
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
        let session = SessionOptions {
            cache_dir: cache_dir(),
            ..SessionOptions::default()
        };
        let mut hashes = BTreeMap::new();
        note(&mut hashes, &package);
        let mut open = |name: &str| -> Result<Package, Error> {
            let other = find_package(name)?;
            if other.manifest().image()?.size() != size {
                return Err(Error::Request {
                    field: "model",
                    message: format!(
                        "{name} reads images of {:?}, but {} makes {size:?}",
                        other.manifest().image()?.size(),
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
            Some(PairEncoders::open(&engine.engine, &package, &session)?)
        } else {
            None
        };
        let judge = match task.prompt().map(|_| open(&models.judge)) {
            Some(Ok(package)) => Some(PairEncoders::open(&engine.engine, &package, &session)?),
            None | Some(Err(Error::Runtime(RuntimeError::PackageNotFound { .. }))) => None,
            Some(Err(error)) => return Err(error),
        };
        let segmentation = if needs(|c| matches!(c, PictureGoalKind::Seg { .. })) {
            let package = open(&models.segmentation).map_err(how_to_get)?;
            Some(OnnxNetwork::of_package(
                engine.engine.clone(),
                &package,
                Role::Segmentation,
                "image",
                "logits",
                session.clone(),
            )?)
        } else {
            None
        };
        let mut own = BTreeMap::new();
        for (index, goal) in task.goals.iter().enumerate() {
            if let PictureGoalKind::Class { network, .. } | PictureGoalKind::Reward { network } =
                &goal.kind
            {
                let opened = OnnxNetwork::of_file(engine.engine.clone(), network, session.clone())?;
                hashes.insert(network.display().to_string(), opened.sha256().to_owned());
                own.insert(index, opened);
            }
        }
        let text = if needs_encoder(task, package.manifest()) {
            let source = package.text_package()?;
            note(&mut hashes, &source);
            Some(TextEncoder::open(&engine.engine, &source, &session)?)
        } else {
            None
        };
        let decoder = ImageDecoder::open(engine.engine.clone(), &package, session.clone())?;
        Ok(Self {
            schedule: schedule_from(package.manifest())?,
            sample_size: package.manifest().sample_size()?,
            denoiser: ImageDenoiser::open(engine.engine.clone(), &package, session)?,
            text,
            decoder,
            networks: Networks {
                encoders,
                segmentation,
                own,
            },
            judge,
            keep: Keep::default(),
            hashes,
            size,
            package,
            engine,
            timings: ImageTimings {
                open_s: started.elapsed().as_secs_f64(),
                ..ImageTimings::default()
            },
        })
    }

    /// What to keep beside the pictures in the runs that follow.
    pub fn keep(&mut self, keep: Keep) {
        self.keep = keep;
    }

    /// What the package of the denoiser says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.package.manifest()
    }

    /// What engine runs the models.
    #[must_use]
    pub fn engine(&self) -> &EngineReport {
        &self.engine.report
    }

    /// Seconds that the parts of the last run took.
    #[must_use]
    pub fn timings(&self) -> ImageTimings {
        self.timings
    }

    /// `[channels, height, width]` of the images.
    #[must_use]
    pub fn size(&self) -> [usize; 3] {
        self.size
    }

    /// The encoders that steer, and those that only judge, where they are open.
    #[must_use]
    pub fn encoders(&mut self) -> [Option<&mut PairEncoders>; 2] {
        [self.networks.encoders.as_mut(), self.judge.as_mut()]
    }

    /// Makes the task's images. It must be the one that the generator was opened for, or one
    /// whose goals need no more networks.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the observer stops the run; [`Error::Read`] for a goal's file;
    /// otherwise what the models or the guidance return.
    pub fn generate(
        &mut self,
        task: &PictureTask,
        observer: &mut dyn Observer,
    ) -> Result<Vec<GeneratedImage>, Error> {
        let open_s = self.timings.open_s;
        self.timings = ImageTimings {
            open_s,
            ..ImageTimings::default()
        };
        let started = Instant::now();
        let plan = self.plan(task)?;
        self.denoiser
            .prepare(task.is_guided() && task.guidance.method.needs_gradient())?;
        self.timings.prepare_s = started.elapsed().as_secs_f64();

        let steps = plan.steps.len();
        let batches = plan.batches(task);
        emit(
            observer,
            Event::Started {
                work: "sampling",
                total: (steps * batches.len()) as u64,
            },
        )?;
        let mut images = Vec::with_capacity(task.sampling.count);
        for (index, (seeds, mut noise)) in batches.into_iter().enumerate() {
            let done = index * steps;
            let started = Instant::now();
            let (x0, way) = self.sample(task, &plan, &mut noise, &mut |progress, loss| {
                if let Some(value) = loss {
                    observer.event(&Event::Loss { value })?;
                }
                observer.event(&Event::Advanced {
                    done: (done + progress.index + 1) as u64,
                })
            })?;
            self.timings.sampling_s += started.elapsed().as_secs_f64();
            let started = Instant::now();
            images.extend(self.finish(task, &plan, &x0, &way, &seeds)?);
            self.timings.measure_s += started.elapsed().as_secs_f64();
        }
        emit(observer, Event::Finished)?;
        Ok(images)
    }

    /// Reads the task's files and tells the denoiser what it is told.
    pub(super) fn plan(&mut self, task: &PictureSpec) -> Result<Plan, Error> {
        let [_, height, width] = self.size;
        let mut prepared = Vec::with_capacity(task.goals.len());
        for goal in &task.goals {
            let size = [height, width];
            prepared.push(prepare(&goal.kind, size, &mut self.networks)?);
        }
        if self.text.is_none() && needs_encoder(task, self.package.manifest()) {
            return Err(Error::Internal(
                "the generator was opened for a task that tells the denoiser nothing".to_owned(),
            ));
        }
        let told = ConditioningBatch::of(task, self.package.manifest(), self.text.as_mut())?;
        self.denoiser.set_conditions(told.parts.clone())?;
        let noise = match &task.noise {
            Some(path) => Some(read_noise(path, task.sampling.count, self.sample_size)?),
            None => None,
        };
        if self.keep.trace {
            check_trace(task.sampling.steps, task.sampling.count, self.sample_size)?;
        }
        Ok(Plan {
            prepared,
            told,
            noise,
            steps: self
                .schedule
                .steps(Spacing::Trailing, task.sampling.steps)?,
            // Large images go one by one: a batch's activations would fill the memory.
            batch: if height * width > LARGE_PIXELS {
                1
            } else {
                BATCH
            },
        })
    }

    /// x̂0 of a batch, and what is kept of the way.
    fn sample(
        &mut self,
        task: &PictureSpec,
        plan: &Plan,
        noise: &mut Noise,
        observer: &mut dyn FnMut(&Progress<'_>, Option<f64>) -> ControlFlow<()>,
    ) -> Result<(ArrayD<f32>, Way), Error> {
        let steps = &plan.steps;
        let last = Rc::new(Cell::new(f64::NAN));
        let mut guidance = None;
        if task.is_guided() {
            let loss = sum(
                &terms(task, &plan.prepared),
                &mut self.networks,
                task.guidance.augmentations,
                task.sampling.seed,
                last.clone(),
            )?;
            let loss = on_samples(loss, self.decoder.as_mut());
            let schedule = &task.guidance.schedule;
            let options = schedule.options(task.guidance_scale());
            let method = task.guidance.method.guide(Objective::of(loss), options)?;
            guidance = method.map(|m| schedule.resampled(m)).transpose()?;
        }
        let mut denoiser = plan.told.denoiser(&mut self.denoiser)?;
        let mut model = if guidance.as_ref().is_some_and(|g| g.needs_gradient()) {
            Model::differentiable(denoiser.as_mut())
        } else {
            Model::forward_only(denoiser.as_mut())
        };
        let [channels, height, width] = self.sample_size;
        let mut sampler = task.sampling.sampler_for(task.guidance.method).make();
        let every = steps.len().div_ceil(STRIP);
        let mut way = Way::default();
        let mut watch = |progress: &Progress<'_>| {
            let left = progress.total - 1 - progress.index;
            if self.keep.strip && left.is_multiple_of(every) {
                if progress.repeat > 0 {
                    way.strip.pop();
                }
                way.strip.push(progress.x0.clone());
            }
            if self.keep.trace {
                let (pair, x0) = (progress.pair, progress.x0);
                way.trace.push(progress.index, pair, x0, progress.x_next);
            }
            let value = last.get();
            observer(progress, value.is_finite().then_some(value))
        };
        let x0 = sample(
            &mut model,
            sampler.as_mut(),
            steps,
            &Layout::full(&[noise.batch(), channels, height, width])?,
            noise,
            guidance
                .as_deref_mut()
                .map(|g| g as &mut dyn kinograd_diffusion::Guidance),
            &mut watch,
        )?;
        Ok((x0, way))
    }

    /// Pictures of x̂0, `[batch, channels, height, width]`.
    pub(super) fn pictures(&mut self, x0: &ArrayD<f32>) -> Result<ArrayD<f32>, Error> {
        match &mut self.decoder {
            Some(decoder) => Ok(decoder.decode(x0)?),
            None => Ok(x0.clone()),
        }
    }

    pub(super) fn finish(
        &mut self,
        task: &PictureSpec,
        plan: &Plan,
        x0: &ArrayD<f32>,
        way: &Way,
        seeds: &[u64],
    ) -> Result<Vec<GeneratedImage>, Error> {
        let mut strips = Vec::with_capacity(way.strip.len());
        for step in &way.strip {
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
                    Some(way.trace.of(sample)?)
                } else {
                    None
                },
                provenance: self.record(task, &plan.told, &report)?,
                report,
            });
        }
        Ok(images)
    }

    /// How an image came to be. No timings: the same task gives the same bytes.
    fn record(
        &self,
        task: &PictureSpec,
        told: &ConditioningBatch,
        report: &ImageReport,
    ) -> Result<Provenance, Error> {
        let internal = |error: serde_json::Error| Error::Internal(error.to_string());
        let mut record = Provenance::new();
        record.model_hashes.clone_from(&self.hashes);
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
        let manifest = self.package.manifest();
        let engine = &self.engine.report;
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
            json!({ "name": engine.engine, "version": engine.version, "provider": engine.provider }),
        );
        Ok(record)
    }
}

/// What a task comes to with this generator.
pub(super) struct Plan {
    pub prepared: Vec<Prepared>,
    pub told: ConditioningBatch,
    pub steps: Vec<StepPair>,
    /// x_T of all images, where it is given.
    noise: Option<ArrayD<f32>>,
    batch: usize,
}

impl Plan {
    /// Seeds and noise of the images that are sampled together.
    pub fn batches(&self, task: &PictureSpec) -> Vec<(Vec<u64>, Noise)> {
        (0..task.sampling.count)
            .step_by(self.batch)
            .map(|first| {
                let rows = first..(first + self.batch).min(task.sampling.count);
                let seeds: Vec<u64> = rows
                    .clone()
                    .map(|image| task.sampling.seed.wrapping_add(image as u64))
                    .collect();
                let given = self.noise.as_ref();
                let given = given.map(|x| x.slice_axis(Axis(0), Slice::from(rows)).to_owned());
                (seeds.clone(), Noise::new(seeds, given))
            })
            .collect()
    }
}

/// What is kept of a batch's way.
#[derive(Default)]
pub(super) struct Way {
    pub strip: Vec<ArrayD<f32>>,
    pub trace: Tracing,
}

/// Says where image packages come from, if one is not there.
fn how_to_get(error: Error) -> Error {
    match error {
        Error::Runtime(missing @ RuntimeError::PackageNotFound { .. }) => Error::Request {
            field: "model",
            message: format!(
                "{missing}; models/train/image trains such packages, models/export makes them of \
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
