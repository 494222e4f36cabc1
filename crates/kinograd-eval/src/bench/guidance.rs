//! The benchmark of guidance: reach a place round an obstacle.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::record::{Candidate, ClipRecord, FailedClip, Summary};
use super::run::{Clock, ReferenceMetrics, cell, check_schema, read_json};
use super::scenario::{Scenario, measure_scenarios};
use super::watch::Watch;
use crate::statistics::{ConfidenceInterval, median};
use kinograd::task::{GuidanceSettings, MAX_COUNT};
use kinograd::{Error, Method, MotionEvaluator, MotionGenerator, Observer, Task, TaskBuilder};

/// Fewest and most steps at equal time.
const STEPS_AT_EQUAL_TIME: (usize, usize) = (4, 100);
/// A row at equal calls also counts at equal time if its steps are within this share.
pub(super) const SAME_STEPS: f64 = 0.1;

/// What the benchmark runs: every method on the same scenarios, directions and seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuidanceProtocol {
    /// A scenario each.
    pub prompts: Vec<String>,
    /// Length of every clip, seconds.
    pub duration_secs: f64,
    /// Distance of a prompt's target, as a share of its unguided clips' median way.
    pub reach: f64,
    /// Angles of the targets from the scenario's heading, degrees.
    pub directions_deg: Vec<f64>,
    /// Clips per target.
    pub seeds: usize,
    /// First seed.
    pub seed: u64,
    /// Denoiser calls a clip at equal calls.
    pub calls: usize,
    /// Whether the methods are also run at equal time: the median of their times at equal calls.
    pub equal_time: bool,
    /// Methods to compare. No steering is run besides.
    #[serde(alias = "contestants")]
    pub candidates: Vec<Candidate>,
}

impl Default for GuidanceProtocol {
    /// The prompts of Shen et al. 2024, three directions, ten seeds; every method with the goals
    /// alone, and the default as `generate` runs it.
    fn default() -> Self {
        let with_text = Candidate {
            method: Method::DEFAULT,
            text_guidance: GuidanceSettings::TEXT_BESIDE_GOALS,
            guidance_scale: None,
        };
        let plain = Method::stepwise().map(Candidate::plain);
        Self {
            prompts: [
                "the person is walking backwards",
                "a person walking around in a balance beam",
                "the person is walking",
                "the person is jogging",
            ]
            .map(str::to_owned)
            .to_vec(),
            duration_secs: 6.0,
            reach: 0.7,
            directions_deg: vec![-45.0, 0.0, 45.0],
            seeds: 10,
            seed: 0,
            calls: 20,
            equal_time: true,
            candidates: plain.chain([with_text]).collect(),
        }
    }
}

impl GuidanceProtocol {
    /// # Errors
    /// [`Error::Request`] that names the field.
    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |field, message: &str| {
            Err(Error::Request {
                field,
                message: message.to_owned(),
            })
        };
        if self.prompts.is_empty() || self.directions_deg.is_empty() {
            return refuse("prompts", "there must be a prompt and a direction");
        }
        if self.seeds == 0 || self.seeds > MAX_COUNT {
            return refuse("seeds", "must be 1 to 1000");
        }
        if !(self.reach > 0.0 && self.reach <= 2.0) {
            return refuse("reach", "must be above 0 and at most 2");
        }
        stepwise(self.candidates.iter().map(|candidate| candidate.method))
    }

    /// Clips of one method.
    pub(super) fn clips(&self) -> usize {
        self.prompts.len() * self.directions_deg.len() * self.seeds
    }

    /// A task for one scenario and direction, but for seeds and the method's strength.
    pub(super) fn task(
        &self,
        scenario: &Scenario,
        direction_deg: f64,
        candidate: Candidate,
        steps: usize,
    ) -> TaskBuilder {
        let [x, z] = scenario.target_m(direction_deg);
        let [circle_x, circle_z, radius] = scenario.circle_m(direction_deg);
        let task = Task::builder(&scenario.prompt)
            .duration(self.duration_secs)
            .steps(steps)
            .method(candidate.method)
            .target(x, z)
            .obstacle(circle_x, circle_z, radius);
        if candidate.method == Method::None {
            return task;
        }
        task.text_guidance(candidate.text_guidance)
            .guidance_scale(candidate.scale())
    }
}

/// What a comparison holds equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Denoiser calls.
    Calls,
    /// Time of sampling.
    Time,
}

/// One method at one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuidanceRow {
    /// The method.
    #[serde(alias = "contestant")]
    pub candidate: Candidate,
    /// What was held equal.
    pub budget: Budget,
    /// Sampling steps, each with one denoiser call.
    pub steps: usize,
    /// Strength, in multiples of the method's own step.
    pub guidance_scale: f64,
    /// Text, sampling and clean-up, seconds a clip.
    pub seconds_per_clip: Option<ConfidenceInterval>,
    /// Median time of a sampling step, seconds a clip.
    pub seconds_per_step: Option<f64>,
    /// Over all clips.
    pub summary: Summary,
    /// Of each scenario.
    #[serde(alias = "by_course")]
    pub by_scenario: Vec<Summary>,
    /// Every clip.
    pub clips: Vec<ClipRecord>,
    /// Clips on which the method broke down; no mean holds them.
    pub failed: Vec<FailedClip>,
}

/// The protocol and what it gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuidanceReport {
    /// `kinograd.bench-guidance/1`.
    pub schema: String,
    /// The model and its version.
    pub model: String,
    /// The embedding that judged, with its version.
    #[serde(default)]
    pub judge: Option<String>,
    /// The engine.
    pub engine: String,
    /// What was run.
    pub protocol: GuidanceProtocol,
    /// Where the goals are.
    #[serde(alias = "courses")]
    pub scenarios: Vec<Scenario>,
    /// Sampling time of a clip at equal time, seconds.
    pub equal_seconds: Option<f64>,
    /// How time was taken.
    pub clock: Clock,
    /// What it gave; no steering first.
    pub rows: Vec<GuidanceRow>,
}

pub(super) const SCHEMA: &str = "kinograd.bench-guidance/1";

impl GuidanceReport {
    /// Reads a report that `bench guidance --json` printed.
    ///
    /// # Errors
    /// [`Error::Read`] with the path and why.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let report: Self = read_json(path)?;
        check_schema(path, &report.schema, SCHEMA)?;
        Ok(report)
    }

    /// Rows of a budget.
    pub fn rows_at(&self, budget: Budget) -> impl Iterator<Item = &GuidanceRow> {
        self.rows.iter().filter(move |row| row.budget == budget)
    }
}

/// The model in words, such as `motion-base 0.1.0`.
pub(super) fn model_name(generator: &MotionGenerator) -> String {
    let manifest = generator.manifest();
    format!("{} {}", manifest.name, manifest.version)
}

/// Runs the benchmark. A `judge` scores each clip's text beside the model's own embedding, which may
/// have steered it. With `data`, a folder that `dataset build` wrote, each clip is also compared with
/// the real clips there.
///
/// # Errors
/// [`Error::Request`] if the protocol is at fault; as [`MotionGenerator::generate`], but a method
/// that breaks down on a clip fails that clip only.
pub fn guidance(
    generator: &mut MotionGenerator,
    protocol: &GuidanceProtocol,
    judge: Option<MotionEvaluator>,
    data: Option<&Path>,
    observer: &mut dyn Observer,
) -> Result<GuidanceReport, Error> {
    protocol.check()?;
    let outside = ReferenceMetrics::open(generator, judge, data)?;
    let scenarios = measure_scenarios(
        generator,
        &protocol.prompts,
        protocol.duration_secs,
        protocol.calls,
        protocol.reach,
        observer,
    )?;
    let mut candidates = vec![Candidate::plain(Method::None)];
    candidates.extend(protocol.candidates.iter().copied());
    candidates.dedup();
    let times = if protocol.equal_time { 2 } else { 1 };
    let total = times * candidates.len() * protocol.clips();
    let mut watch = Watch::start(observer, "clips", total)?;
    let mut bench = Bench {
        generator,
        protocol,
        scenarios: &scenarios,
        outside,
    };
    let mut rows = Vec::new();
    for &candidate in &candidates {
        rows.push(bench.row(candidate, Budget::Calls, protocol.calls, &mut watch)?);
    }
    let equal_seconds = protocol.equal_time.then(|| equal_seconds(&rows)).flatten();
    if let Some(seconds) = equal_seconds {
        for at_calls in rows.clone() {
            let steps = steps_within(seconds, &at_calls);
            let off = steps.abs_diff(at_calls.steps) as f64;
            if off <= SAME_STEPS * at_calls.steps as f64 {
                watch.advance(protocol.clips());
                rows.push(GuidanceRow {
                    budget: Budget::Time,
                    ..at_calls
                });
            } else {
                rows.push(bench.row(at_calls.candidate, Budget::Time, steps, &mut watch)?);
            }
        }
    }
    Ok(GuidanceReport {
        schema: SCHEMA.to_owned(),
        model: model_name(bench.generator),
        judge: bench.outside.judge().map(str::to_owned),
        engine: bench.generator.engine_name(),
        protocol: protocol.clone(),
        equal_seconds,
        clock: Clock::of(bench.generator.engine()),
        rows,
        scenarios,
    })
}

/// Median over the steering methods of a clip's sampling time.
fn equal_seconds(rows: &[GuidanceRow]) -> Option<f64> {
    let times: Vec<f64> = rows
        .iter()
        .filter(|row| row.candidate.method != Method::None)
        .filter_map(|row| Some(row.seconds_per_step? * row.steps as f64))
        .collect();
    median(&times)
}

/// Steps of a row's method that fit.
fn steps_within(seconds: f64, row: &GuidanceRow) -> usize {
    let (fewest, most) = STEPS_AT_EQUAL_TIME;
    match row.seconds_per_step {
        Some(step) if step > 0.0 => ((seconds / step).round() as usize).clamp(fewest, most),
        _ => row.steps,
    }
}

struct Bench<'a> {
    generator: &'a mut MotionGenerator,
    protocol: &'a GuidanceProtocol,
    scenarios: &'a [Scenario],
    outside: ReferenceMetrics,
}

impl Bench<'_> {
    fn row(
        &mut self,
        candidate: Candidate,
        budget: Budget,
        steps: usize,
        watch: &mut Watch<'_>,
    ) -> Result<GuidanceRow, Error> {
        let protocol = self.protocol;
        let (mut clips, mut failed) = (Vec::new(), Vec::new());
        let (mut per_clip, mut per_step) = (Vec::new(), Vec::new());
        for (index, scenario) in self.scenarios.iter().enumerate() {
            for &direction_deg in &protocol.directions_deg {
                let task = protocol.task(scenario, direction_deg, candidate, steps);
                let seeds = (protocol.seed, protocol.seeds);
                let made = cell(
                    self.generator,
                    &mut |generator, task, observer| generator.generate(task, observer),
                    &task,
                    seeds,
                    index,
                    watch,
                )?;
                for clip in &made.clips {
                    let outside = self
                        .outside
                        .scores(self.generator, clip, &scenario.prompt)?;
                    match ClipRecord::of(clip, (index, scenario), direction_deg, outside) {
                        Ok(record) => clips.push(record),
                        Err(reason) => failed.push(FailedClip {
                            scenario: index,
                            seed: clip.provenance.seed.unwrap_or(0),
                            reason,
                        }),
                    }
                }
                failed.extend(made.failed);
                per_clip.extend(made.seconds_per_clip);
                per_step.extend(made.seconds_per_step);
            }
        }
        let of_course = |scenario: usize| {
            Summary::of(clips.iter().filter(move |clip| clip.scenario == scenario))
        };
        Ok(GuidanceRow {
            candidate,
            budget,
            steps,
            guidance_scale: candidate.scale(),
            seconds_per_clip: ConfidenceInterval::of(&per_clip),
            seconds_per_step: median(&per_step),
            summary: Summary::of(clips.iter()),
            by_scenario: (0..self.scenarios.len()).map(of_course).collect(),
            clips,
            failed,
        })
    }
}
/// Refuses methods that optimise the noise of a whole run: they have no number of calls to be held to.
pub(super) fn stepwise(methods: impl IntoIterator<Item = Method>) -> Result<(), Error> {
    match methods.into_iter().find(|method| method.optimizes_noise()) {
        Some(method) => Err(Error::Request {
            field: "method",
            message: format!("{method} takes many runs: benchmarks compare at equal calls"),
        }),
        None => Ok(()),
    }
}
