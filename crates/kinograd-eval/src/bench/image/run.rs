//! The run of every method at equal calls and at equal time.

use std::path::Path;

use kinograd::diffusion::{NoiseSource, SeededNoise};
use kinograd::motion::metrics::Gaussian;
use kinograd::runtime::{EngineOptions, find_package};
use ndarray::{Array2, ArrayD, Axis, Ix2, concatenate};
use serde::{Deserialize, Serialize};

use super::super::guidance::{Budget, SAME_STEPS};
use super::super::run::{Clock, breaks_down, check_schema, read_json, with_causes};
use super::super::watch::Watch;
use super::protocol::{ImageCandidate, ImageGoal, ImageProtocol};
use super::record::{FailedPicture, ImageSummary, PictureRecord};
use super::targets::Targets;
use crate::statistics::{ConfidenceInterval, median};
use kinograd::image::{GeneratedImage, Picture, PictureTaskBuilder};
use kinograd::{Error, Method, Observer};

/// Fewest and most steps at equal time.
const STEPS_AT_EQUAL_TIME: (usize, usize) = (4, 300);
/// Steps of a run that measures the cost of augmentations.
const COST_STEPS: usize = 6;
/// Seed of the draws from the reference's own Gaussian.
const FLOOR_SEED: u64 = 0;

/// One method at one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageRow {
    /// What steered.
    pub goal: ImageGoal,
    /// The method.
    #[serde(alias = "contestant")]
    pub candidate: ImageCandidate,
    /// What was held equal.
    pub budget: Budget,
    /// Sampling steps, each with one denoiser call; with two where it is told the text.
    pub steps: usize,
    /// Strength, in multiples of the method's own step.
    pub guidance_scale: f64,
    /// Sampling, seconds a picture.
    pub seconds_per_picture: Option<ConfidenceInterval>,
    /// Median time of a sampling step, seconds a picture.
    pub seconds_per_step: Option<f64>,
    /// Over all pictures.
    pub summary: ImageSummary,
    /// Fréchet distance from the training drawings in the judge's embedding. It has no interval: a
    /// resample repeats pictures and lies farther away.
    pub frechet: Option<f64>,
    /// Every picture.
    pub pictures: Vec<PictureRecord>,
    /// Pictures on which the method broke down; no mean holds them.
    pub failed: Vec<FailedPicture>,
    /// The first picture of each target; not stored.
    #[serde(skip)]
    pub shown: Vec<Option<Picture>>,
}

/// What augmentations cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AugmentationCost {
    /// Augmentations a step.
    pub augmentations: usize,
    /// Seconds a picture and step.
    pub seconds_per_step: Option<f64>,
}

/// The protocol and what it gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageBenchReport {
    /// `kinograd.bench-image/1`.
    pub schema: String,
    /// The denoiser's package and its version.
    pub model: String,
    /// The engine.
    pub engine: String,
    /// How time was taken.
    pub clock: Clock,
    /// What was run.
    pub protocol: ImageProtocol,
    /// Sampling time of a picture at equal time, seconds.
    pub equal_seconds: Vec<(ImageGoal, f64)>,
    /// Fréchet distance of as many draws from the reference's own Gaussian, by their number.
    pub frechet_floor: Vec<(usize, f64)>,
    /// What it gave; of each goal, no guidance first.
    pub rows: Vec<ImageRow>,
    /// What augmentations cost.
    pub augmentation_costs: Vec<AugmentationCost>,
}

const SCHEMA: &str = "kinograd.bench-image/1";

impl ImageBenchReport {
    /// Reads a report that `bench image --json` printed.
    ///
    /// # Errors
    /// [`Error::Read`] with the path and why.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let report: Self = read_json(path)?;
        check_schema(path, &report.schema, SCHEMA)?;
        Ok(report)
    }

    /// Rows of a goal and budget.
    pub fn rows_at(&self, goal: ImageGoal, budget: Budget) -> impl Iterator<Item = &ImageRow> {
        let wanted = move |row: &&ImageRow| row.goal == goal && row.budget == budget;
        self.rows.iter().filter(wanted)
    }
}

/// Runs the benchmark.
///
/// # Errors
/// [`Error::Request`] if the protocol is at fault; as
/// [`ImageGenerator::open`](kinograd::image::ImageGenerator::open) and
/// [`ImageGenerator::generate`](kinograd::image::ImageGenerator::generate), but a method that breaks
/// down on a picture fails that picture only.
pub fn image(
    protocol: &ImageProtocol,
    options: &EngineOptions,
    observer: &mut dyn Observer,
) -> Result<ImageBenchReport, Error> {
    let mut protocol = protocol.clone();
    if !find_package(&protocol.models.denoiser)?
        .manifest()
        .takes_text()
    {
        protocol.cfg = None;
    }
    let protocol = &protocol;
    let mut targets = Targets::open(protocol, options)?;
    let times = if protocol.equal_time { 2 } else { 1 };
    let of = |s: &ImageGoal| protocol.candidates(*s).len() * protocol.pictures(*s);
    let total: usize = protocol.goals.iter().map(of).sum();
    let mut watch = Watch::start(observer, "pictures", times * total)?;
    let (mut rows, mut equal) = (Vec::new(), Vec::new());
    for &goal in &protocol.goals {
        let mut own = Vec::new();
        for candidate in protocol.candidates(goal) {
            let steps = (protocol.calls / candidate.calls_per_step()).max(1);
            let at = (Budget::Calls, steps);
            own.push(row(&mut targets, goal, candidate, at, &mut watch)?);
        }
        let seconds = protocol.equal_time.then(|| equal_seconds(&own)).flatten();
        if let Some(seconds) = seconds {
            equal.push((goal, seconds));
            for at_calls in own.clone() {
                let steps = steps_within(seconds, &at_calls);
                let off = steps.abs_diff(at_calls.steps) as f64;
                if off <= SAME_STEPS * at_calls.steps as f64 {
                    watch.advance(protocol.pictures(goal));
                    own.push(ImageRow {
                        budget: Budget::Time,
                        ..at_calls
                    });
                } else {
                    let at = (Budget::Time, steps);
                    let candidate = at_calls.candidate;
                    own.push(row(&mut targets, goal, candidate, at, &mut watch)?);
                }
            }
        }
        rows.extend(own);
    }
    let augmentation_costs = augmentation_costs(&mut targets, &mut watch)?;
    let manifest = targets.generator.manifest();
    let engine = targets.generator.engine();
    Ok(ImageBenchReport {
        schema: SCHEMA.to_owned(),
        model: format!("{} {}", manifest.name, manifest.version),
        engine: format!("{} {} ({})", engine.engine, engine.version, engine.provider),
        clock: Clock::of(engine),
        protocol: protocol.clone(),
        equal_seconds: equal,
        frechet_floor: floors(&targets)?,
        rows,
        augmentation_costs,
    })
}

/// Median over the steering methods of a picture's sampling time.
fn equal_seconds(rows: &[ImageRow]) -> Option<f64> {
    let steering = rows.iter().filter(|r| r.candidate.method != Method::None);
    let times: Vec<f64> = steering
        .filter_map(|row| Some(row.seconds_per_step? * row.steps as f64))
        .collect();
    median(&times)
}

/// Steps of a row's method that fit.
fn steps_within(seconds: f64, row: &ImageRow) -> usize {
    let (fewest, most) = STEPS_AT_EQUAL_TIME;
    match row.seconds_per_step {
        Some(step) if step > 0.0 => ((seconds / step).round() as usize).clamp(fewest, most),
        _ => row.steps,
    }
}

/// One method on every target of a goal.
pub(super) fn row(
    targets: &mut Targets<'_>,
    goal: ImageGoal,
    candidate: ImageCandidate,
    (budget, steps): (Budget, usize),
    watch: &mut Watch<'_>,
) -> Result<ImageRow, Error> {
    let protocol = targets.protocol;
    let (mut pictures, mut failed, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    let (mut per_picture, mut per_step) = (Vec::new(), Vec::new());
    let mut judged: Vec<Array2<f32>> = Vec::new();
    for target in 0..protocol.targets(goal) {
        let task = targets.task(goal, target, candidate, steps);
        let first = protocol.seed.wrapping_add((target * protocol.seeds) as u64);
        let made = cell(targets, &task, (first, protocol.seeds), target, watch)?;
        failed.extend(made.failed);
        per_picture.extend(made.seconds_per_step.map(|step| step * steps as f64));
        per_step.extend(made.seconds_per_step);
        if !made.images.is_empty() {
            let (records, rows) = targets.measure(goal, target, &made.images)?;
            pictures.extend(records);
            judged.extend(rows);
        }
        let mut images = made.images.into_iter();
        let first = images.find(|image| image.report.seed == first);
        shown.push(first.map(|image| image.picture));
    }
    Ok(ImageRow {
        goal,
        candidate,
        budget,
        steps,
        guidance_scale: protocol.scale(goal, candidate),
        seconds_per_picture: ConfidenceInterval::of(&per_picture),
        seconds_per_step: median(&per_step),
        summary: ImageSummary::of(&pictures),
        frechet: frechet(targets.reference.as_ref(), &judged)?,
        pictures,
        failed,
        shown,
    })
}

/// Of the judge's rows from the reference; none of fewer than two pictures.
fn frechet(reference: Option<&Gaussian>, judged: &[Array2<f32>]) -> Result<Option<f64>, Error> {
    let views: Vec<_> = judged.iter().map(|rows| rows.view()).collect();
    match (reference, concatenate(Axis(0), &views)) {
        (Some(reference), Ok(rows)) if rows.nrows() > 1 => Ok(Some(
            reference.frechet_distance(&Gaussian::of(rows.view())?)?,
        )),
        _ => Ok(None),
    }
}

/// What draws of the reference's own Gaussian have.
fn floors(targets: &Targets<'_>) -> Result<Vec<(usize, f64)>, Error> {
    let protocol = targets.protocol;
    let mut counts: Vec<usize> = protocol
        .goals
        .iter()
        .map(|s| protocol.pictures(*s))
        .collect();
    counts.sort_unstable();
    counts.dedup();
    let mut floors = Vec::new();
    for count in counts.into_iter().filter(|count| *count > 1) {
        if let Some(reference) = &targets.reference {
            let mut normal = ArrayD::zeros(vec![count, reference.dims()]);
            SeededNoise::counting_from(FLOOR_SEED, count).fill(&mut normal)?;
            let normal = normal
                .into_dimensionality::<Ix2>()
                .map_err(|error| Error::Internal(error.to_string()))?;
            let drawn = reference.draws(normal.view())?;
            floors.push((
                count,
                reference.frechet_distance(&Gaussian::of(drawn.view())?)?,
            ));
        }
    }
    Ok(floors)
}

fn augmentation_costs(
    targets: &mut Targets<'_>,
    watch: &mut Watch<'_>,
) -> Result<Vec<AugmentationCost>, Error> {
    let protocol = targets.protocol;
    let counts = match protocol.prompts.is_empty() {
        true => Vec::new(),
        false => protocol.augmentation_costs.clone(),
    };
    let mut costs = Vec::new();
    for augmentations in counts {
        let candidate = ImageCandidate {
            augmentations,
            ..ImageCandidate::plain(Method::PolyakCapped)
        };
        let task = targets.task(ImageGoal::Text, 0, candidate, COST_STEPS);
        let made = cell(targets, &task, (protocol.seed, protocol.seeds), 0, watch)?;
        costs.push(AugmentationCost {
            augmentations,
            seconds_per_step: made.seconds_per_step,
        });
    }
    Ok(costs)
}

#[derive(Default)]
struct BenchCell {
    images: Vec<GeneratedImage>,
    failed: Vec<FailedPicture>,
    /// Sampling, a picture and step; of runs without failure.
    seconds_per_step: Option<f64>,
}

/// Makes the pictures of seeds `first..first + count`. Where a method breaks down on one of them,
/// each is made alone, so that the others are kept.
fn cell(
    targets: &mut Targets<'_>,
    task: &PictureTaskBuilder,
    (first, count): (u64, usize),
    target: usize,
    watch: &mut Watch<'_>,
) -> Result<BenchCell, Error> {
    let asked = task.clone().seed(first).count(count).build()?;
    let asked = targets.generator.resolved(&asked)?;
    let clock = Clock::of(targets.generator.engine());
    let started = clock.now();
    match targets.generator.generate(&asked, watch) {
        Ok(images) => {
            watch.advance(count);
            let timings = targets.generator.timings();
            let wall = timings.plan_s + timings.prepare_s + timings.sampling_s + timings.finish_s;
            let all = match started.zip(clock.now()) {
                Some((from, to)) => to - from,
                None => wall,
            };
            let sampling = all * timings.sampling_s / wall;
            Ok(BenchCell {
                images,
                failed: Vec::new(),
                seconds_per_step: Some(sampling / (count * asked.sampling.steps_or_usual()) as f64),
            })
        }
        Err(error) if breaks_down(&error) && count == 1 => {
            watch.advance(1);
            Ok(BenchCell {
                failed: vec![FailedPicture {
                    target,
                    seed: first,
                    reason: with_causes(&error),
                }],
                ..BenchCell::default()
            })
        }
        Err(error) if breaks_down(&error) => {
            let mut all = BenchCell::default();
            for seed in first..first + count as u64 {
                let one = cell(targets, task, (seed, 1), target, watch)?;
                all.images.extend(one.images);
                all.failed.extend(one.failed);
            }
            Ok(all)
        }
        Err(error) => Err(error),
    }
}
