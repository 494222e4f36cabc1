//! From a request to pictures.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use kinograd_diffusion::{
    Layout, Model, NoiseSchedule, Progress, SeededNoise, Spacing, StepPair, sample,
};
use kinograd_guidance::Loss;
use kinograd_motion::Provenance;
use kinograd_runtime::{
    EngineOptions, EngineReport, ImageDenoiser, Manifest, OnnxNetwork, OpenEngine, Package, Role,
    RuntimeError, SessionOptions, cache_dir, find_package, open_engine,
};
use ndarray::{Array3, ArrayD, ArrayView3, Axis, Ix3};
use serde::Serialize;
use serde_json::{Value, json};

use super::losses::{Networks, Prepared, Term, Towers, prepare, sum};
use super::picture::{Picture, tiled};
use super::{Condition, ImageRequest};
use crate::Error;
use crate::generator::{schedule_from, tell};
use crate::observer::{Event, Observer};

/// Images that are sampled together.
pub(super) const BATCH: usize = 8;
/// Pictures of a run's strip at most.
const STRIP: usize = 12;

/// Models on an engine, ready to make pictures.
pub struct ImageGenerator {
    package: Package,
    engine: OpenEngine,
    pub(super) schedule: NoiseSchedule,
    pub(super) denoiser: ImageDenoiser,
    pub(super) networks: Networks,
    pub(super) judge: Option<Towers>,
    hashes: BTreeMap<String, String>,
    pub(super) size: [usize; 3],
    timings: ImageTimings,
}

/// Seconds that the parts of the last run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ImageTimings {
    /// Opening the engine and the packages.
    pub open_s: f64,
    /// Reading the goals' files and loading graphs.
    pub prepare_s: f64,
    /// Sampling.
    pub sampling_s: f64,
    /// Scores and losses of what came out.
    pub measure_s: f64,
}

/// What was measured of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ImageReport {
    /// Its seed.
    pub seed: u64,
    /// Each goal's loss on the finished image, without augmentation and weight.
    pub losses: BTreeMap<String, f64>,
    /// Cosine between image and prompt, by the towers that may have steered.
    pub text_score: Option<f64>,
    /// The same by towers that did not.
    pub judge_score: Option<f64>,
}

/// An image with its record.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GeneratedImage {
    /// The image.
    pub picture: Picture,
    /// x̂0 on the way, at most 12 of them, the finished image last.
    pub steps: Vec<Picture>,
    /// How it came to be.
    pub provenance: Provenance,
    /// What was measured of it.
    pub report: ImageReport,
}

impl GeneratedImage {
    /// Writes a PNG that carries the record.
    ///
    /// # Errors
    /// [`Error::Write`] with the path.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        self.picture.save(path, Some(&self.provenance.to_json()?))
    }
}

/// Writes how images came out of noise: one row each, x̂0 from left to right.
///
/// # Errors
/// [`Error::Write`] with the path.
pub fn save_strip(images: &[GeneratedImage], path: &Path) -> Result<(), Error> {
    let frames: Vec<ArrayView3<'_, f32>> = images
        .iter()
        .flat_map(|image| image.steps.iter().map(|step| step.0.view()))
        .collect();
    let columns = images.first().map_or(1, |image| image.steps.len());
    tiled(&frames, columns).save(path, None)
}

impl ImageGenerator {
    /// Opens the packages that a request names and needs.
    ///
    /// # Errors
    /// [`Error::Runtime`] if a package is not there, a file of it is missing or has another hash,
    /// or the engine cannot be opened; [`Error::Request`] if packages disagree on the image's
    /// size. Only the judge may be missing.
    pub fn open(request: &ImageRequest, options: &EngineOptions) -> Result<Self, Error> {
        let started = Instant::now();
        let models = &request.models;
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
        let needs = |wanted: fn(&Condition) -> bool| {
            request.goals.iter().any(|goal| wanted(&goal.condition))
        };
        let towers = if needs(|c| matches!(c, Condition::Text { .. } | Condition::Identity { .. }))
        {
            let package = open(&models.embedding).map_err(how_to_get)?;
            Some(Towers::open(&engine.engine, &package, &session)?)
        } else {
            None
        };
        let judge = match request.prompt().map(|_| open(&models.judge)) {
            Some(Ok(package)) => Some(Towers::open(&engine.engine, &package, &session)?),
            None | Some(Err(Error::Runtime(RuntimeError::PackageNotFound { .. }))) => None,
            Some(Err(error)) => return Err(error),
        };
        let segmentation = if needs(|c| matches!(c, Condition::Seg { .. })) {
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
        for (index, goal) in request.goals.iter().enumerate() {
            if let Condition::Class { network, .. } | Condition::Reward { network } =
                &goal.condition
            {
                let opened = OnnxNetwork::of_file(engine.engine.clone(), network, session.clone())?;
                hashes.insert(network.display().to_string(), opened.sha256().to_owned());
                own.insert(index, opened);
            }
        }
        Ok(Self {
            schedule: schedule_from(package.manifest())?,
            denoiser: ImageDenoiser::open(engine.engine.clone(), &package, session)?,
            networks: Networks {
                towers,
                segmentation,
                own,
            },
            judge,
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

    /// The towers that steer, and those that only judge, where they are open.
    pub(crate) fn towers(&mut self) -> [Option<&mut Towers>; 2] {
        [self.networks.towers.as_mut(), self.judge.as_mut()]
    }

    /// Makes the request's images. It must be the one that the generator was opened for, or one
    /// whose goals need no more networks.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the observer stops the run; [`Error::Read`] for a goal's file;
    /// otherwise what the models or the guidance return.
    pub fn generate(
        &mut self,
        request: &ImageRequest,
        observer: &mut dyn Observer,
    ) -> Result<Vec<GeneratedImage>, Error> {
        let open_s = self.timings.open_s;
        self.timings = ImageTimings {
            open_s,
            ..ImageTimings::default()
        };
        let started = Instant::now();
        let prepared = self.prepared(request)?;
        let steering = request.method.steering().filter(|_| request.is_guided());
        self.denoiser
            .prepare(steering.is_some_and(|method| method.needs_gradient()))?;
        self.timings.prepare_s = started.elapsed().as_secs_f64();

        let steps = self.schedule.steps(Spacing::Trailing, request.steps)?;
        let firsts: Vec<usize> = (0..request.images).step_by(BATCH).collect();
        tell(
            observer,
            Event::Started {
                work: "sampling",
                total: (steps.len() * firsts.len()) as u64,
            },
        )?;
        let mut images = Vec::with_capacity(request.images);
        for (index, &first) in firsts.iter().enumerate() {
            let seeds: Vec<u64> = (first..(first + BATCH).min(request.images))
                .map(|image| request.seed.wrapping_add(image as u64))
                .collect();
            let done = index * steps.len();
            let started = Instant::now();
            let (x0, kept) =
                self.sample(request, &prepared, &seeds, &steps, &mut |progress, loss| {
                    if let Some(value) = loss {
                        observer.event(&Event::Loss { value })?;
                    }
                    observer.event(&Event::Advanced {
                        done: (done + progress.index + 1) as u64,
                    })
                })?;
            self.timings.sampling_s += started.elapsed().as_secs_f64();
            let started = Instant::now();
            images.extend(self.finish(request, &prepared, &x0, &kept, &seeds)?);
            self.timings.measure_s += started.elapsed().as_secs_f64();
        }
        tell(observer, Event::Finished)?;
        Ok(images)
    }

    /// The request's goals with their files read.
    pub(super) fn prepared(&mut self, request: &ImageRequest) -> Result<Vec<Prepared>, Error> {
        let [_, height, width] = self.size;
        let goals = request.goals.iter();
        goals
            .map(|goal| prepare(&goal.condition, [height, width], &mut self.networks))
            .collect()
    }

    /// x̂0 of a batch, and x̂0 at some of the steps.
    fn sample(
        &mut self,
        request: &ImageRequest,
        prepared: &[Prepared],
        seeds: &[u64],
        steps: &[StepPair],
        observer: &mut dyn FnMut(&Progress<'_>, Option<f64>) -> ControlFlow<()>,
    ) -> Result<(ArrayD<f32>, Vec<ArrayD<f32>>), Error> {
        let last = Rc::new(Cell::new(f64::NAN));
        let steering = request.method.steering().filter(|_| request.is_guided());
        let mut guidance = match steering {
            Some(method) => {
                let loss = sum(
                    &terms(request, prepared),
                    &mut self.networks,
                    request.augmentations,
                    request.seed,
                    last.clone(),
                )?;
                let steering = &request.steering;
                let options = steering.options(request.guidance_scale);
                Some(steering.travelling(method.guide(loss, options)?)?)
            }
            None => None,
        };
        let mut model = if guidance.as_ref().is_some_and(|g| g.needs_gradient()) {
            Model::differentiable(&mut self.denoiser)
        } else {
            Model::forward_only(&mut self.denoiser)
        };
        let [channels, height, width] = self.size;
        let mut noise = SeededNoise::new(seeds.to_vec());
        let mut sampler = request.sampler.make();
        let every = steps.len().div_ceil(STRIP);
        let mut kept = Vec::new();
        let mut watch = |progress: &Progress<'_>| {
            let left = progress.total - 1 - progress.index;
            if left.is_multiple_of(every) {
                if progress.repeat > 0 {
                    kept.pop();
                }
                kept.push(progress.x0.clone());
            }
            let value = last.get();
            observer(progress, value.is_finite().then_some(value))
        };
        let x0 = sample(
            &mut model,
            sampler.as_mut(),
            steps,
            &Layout::full(&[seeds.len(), channels, height, width])?,
            &mut noise,
            guidance
                .as_deref_mut()
                .map(|g| g as &mut dyn kinograd_diffusion::Guidance),
            &mut watch,
        )?;
        Ok((x0, kept))
    }

    pub(super) fn finish(
        &mut self,
        request: &ImageRequest,
        prepared: &[Prepared],
        x0: &ArrayD<f32>,
        kept: &[ArrayD<f32>],
        seeds: &[u64],
    ) -> Result<Vec<GeneratedImage>, Error> {
        let x0 = x0.mapv(|value| value.clamp(-1.0, 1.0));
        let mut losses: Vec<BTreeMap<String, f64>> = vec![BTreeMap::new(); seeds.len()];
        for term in terms(request, prepared) {
            let name = name_of(request, term.index);
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
        let score = |towers: &mut Option<Towers>| match (towers, request.prompt()) {
            (Some(towers), Some(prompt)) => {
                let scores = towers.scores(&x0, prompt)?;
                Ok::<_, Error>(scores.into_iter().map(Some).collect())
            }
            _ => Ok(vec![None; seeds.len()]),
        };
        let text_scores: Vec<Option<f64>> = score(&mut self.networks.towers)?;
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
            let mut strip = kept
                .iter()
                .map(|step| Ok(Picture(image_of(step, sample)?)))
                .collect::<Result<Vec<_>, Error>>()?;
            if let Some(end) = strip.last_mut() {
                *end = Picture(last.clone());
            }
            images.push(GeneratedImage {
                picture: Picture(last),
                steps: strip,
                provenance: self.record(request, &report)?,
                report,
            });
        }
        Ok(images)
    }

    /// How an image came to be. No timings: the same request gives the same bytes.
    fn record(&self, request: &ImageRequest, report: &ImageReport) -> Result<Provenance, Error> {
        let internal = |error: serde_json::Error| Error::Internal(error.to_string());
        let mut record = Provenance::new(request.to_command());
        record.model_hashes.clone_from(&self.hashes);
        record.seed = Some(report.seed);
        record.method = Some(request.method.name().to_owned());
        if let Value::Object(parameters) = serde_json::to_value(request).map_err(internal)? {
            record.parameters = parameters;
        }
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

pub(super) fn terms<'a>(request: &ImageRequest, prepared: &'a [Prepared]) -> Vec<Term<'a>> {
    let goals = request.goals.iter().zip(prepared).enumerate();
    goals
        .map(|(index, (goal, prepared))| Term {
            index,
            weight: goal.weight,
            is_network: goal.condition.is_network(),
            prepared,
        })
        .collect()
}

/// The goal's name, with its number where several are alike.
fn name_of(request: &ImageRequest, index: usize) -> String {
    let name = request.goals[index].condition.name();
    let before = &request.goals[..index];
    match before.iter().filter(|g| g.condition.name() == name).count() {
        0 => name.to_owned(),
        earlier => format!("{name}-{}", earlier + 1),
    }
}
