//! Step sizes by a protocol that is the same for every method.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::guidance::{GuidanceProtocol, model_name};
use super::record::ReferenceScores;
use super::record::{Candidate, ClipRecord};
use super::run::{BenchCell, cell, check_schema, read_json};
use super::scenario::{Scenario, measure_scenarios};
use super::search::{GridSearch, GridTrial};
use super::watch::Watch;
use crate::statistics::mean;
use kinograd::{Error, Method, MotionGenerator, Observer};

const LADDER: GridSearch = GridSearch {
    coarse: [0.0625, 0.25, 1.0, 4.0, 16.0],
    factor: 2.0,
};
/// First seed: the benchmark's own begin at 0.
const FIRST_SEED: u64 = 100;
/// Metres that a share of skating frames beyond the unguided one costs.
const SKATE_WEIGHT: f64 = 2.0;
/// Metres that a lost point of text score costs.
const TEXT_WEIGHT: f64 = 1.0;

/// The objective in words.
const OBJECTIVE: &str = "mean over the clips of target error (m) + deepest penetration (m) \
    + 2 × foot skate before the foot lock beyond the prompt's unguided mean \
    + text score lost against the prompt's unguided mean; a clip on which the method breaks down \
    costs its distance from the target + 1";

/// What is tuned on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuneProtocol {
    /// Courses, directions, seeds and calls, as in the benchmark; its candidates are tuned. The
    /// seeds should be others than the benchmark's.
    pub on: GuidanceProtocol,
}

impl Default for TuneProtocol {
    fn default() -> Self {
        Self {
            on: GuidanceProtocol {
                seeds: 1,
                seed: FIRST_SEED,
                equal_time: false,
                candidates: Method::stepwise().map(Candidate::plain).collect(),
                ..GuidanceProtocol::default()
            },
        }
    }
}

/// One strength of one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trial {
    /// Strength, in multiples of the method's own step.
    pub scale: f64,
    /// What is least at the best strength.
    pub objective: f64,
    /// Mean distance from the target of the clips that were made, metres.
    pub target_error_m: Option<f64>,
    /// Mean deepest penetration of the clips that were made, metres.
    pub penetration_m: Option<f64>,
    /// Mean foot-skate ratio before the foot lock.
    pub foot_skate_ratio_before: Option<f64>,
    /// Mean text score.
    pub text_score: Option<f64>,
    /// Clips on which the method broke down.
    pub failed: usize,
}

/// What was chosen for a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TunedMethod {
    /// The method.
    pub method: Method,
    /// The best strength, in multiples of the method's own step.
    pub scale: f64,
    /// The objective there.
    pub objective: f64,
    /// All that were tried, in the order of their scales.
    pub tried: Vec<Trial>,
}

/// The protocol and what it gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TuneReport {
    /// `kinograd.bench-tune/1`.
    pub schema: String,
    /// The model and its version.
    pub model: String,
    /// The engine.
    pub engine: String,
    /// What was run.
    pub protocol: TuneProtocol,
    /// What was made small.
    pub objective: String,
    /// Where the goals are.
    #[serde(alias = "courses")]
    pub scenarios: Vec<Scenario>,
    /// No steering, for comparison.
    pub unguided: Trial,
    /// What it gave.
    pub methods: Vec<TunedMethod>,
}

const SCHEMA: &str = "kinograd.bench-tune/1";

impl TuneReport {
    /// Reads a report that `bench tune --json` printed.
    ///
    /// # Errors
    /// [`Error::Read`] with the path and why.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let report: Self = read_json(path)?;
        check_schema(path, &report.schema, SCHEMA)?;
        Ok(report)
    }

    /// The strength chosen for a method, in multiples of the method's own step.
    #[must_use]
    pub fn scale_of(&self, method: Method) -> Option<f64> {
        let mut methods = self.methods.iter();
        Some(methods.find(|tuned| tuned.method == method)?.scale)
    }
}

/// Tries seven strengths of every method: 1/16, 1/4, 1, 4 and 16 times its own step, then two more
/// beside the best of them, a factor of 2 to either side, or of 2 and 4 outwards where the best is
/// the first or the last.
///
/// # Errors
/// As [`guidance`](super::guidance()).
pub fn tune(
    generator: &mut MotionGenerator,
    protocol: &TuneProtocol,
    observer: &mut dyn Observer,
) -> Result<TuneReport, Error> {
    let on = &protocol.on;
    on.check()?;
    let scenarios = measure_scenarios(
        generator,
        &on.prompts,
        on.duration_secs,
        on.calls,
        on.reach,
        observer,
    )?;
    let total = (1 + GridSearch::TRIALS * on.candidates.len()) * on.clips();
    let mut watch = Watch::start(observer, "clips", total)?;
    let unguided = run(
        generator,
        on,
        &scenarios,
        Candidate::plain(Method::None),
        &mut watch,
    )?;
    let plain: Vec<Plain> = (0..scenarios.len())
        .map(|scenario| Plain::of(&unguided.records, scenario))
        .collect();
    let mut methods = Vec::new();
    for &candidate in &on.candidates {
        let (tried, best) = LADDER.search(|scale| {
            let at = Candidate {
                guidance_scale: Some(scale),
                ..candidate
            };
            let made = run(generator, on, &scenarios, at, &mut watch)?;
            Ok(trial(scale, &made, &plain, &scenarios))
        })?;
        let chosen = &tried[best];
        methods.push(TunedMethod {
            method: candidate.method,
            scale: chosen.scale,
            objective: chosen.objective,
            tried,
        });
    }
    Ok(TuneReport {
        schema: SCHEMA.to_owned(),
        model: model_name(generator),
        engine: generator.engine_name(),
        protocol: protocol.clone(),
        objective: OBJECTIVE.to_owned(),
        unguided: trial(0.0, &unguided, &plain, &scenarios),
        scenarios,
        methods,
    })
}

impl GridTrial for Trial {
    fn scale(&self) -> f64 {
        self.scale
    }

    fn objective(&self) -> f64 {
        self.objective
    }
}

#[derive(Default)]
struct Made {
    records: Vec<ClipRecord>,
    /// Scenario of each failed clip.
    failed: Vec<usize>,
}

fn run(
    generator: &mut MotionGenerator,
    on: &GuidanceProtocol,
    scenarios: &[Scenario],
    candidate: Candidate,
    watch: &mut Watch<'_>,
) -> Result<Made, Error> {
    let mut made = Made::default();
    for (index, scenario) in scenarios.iter().enumerate() {
        for &direction_deg in &on.directions_deg {
            let task = on.task(scenario, direction_deg, candidate, on.calls);
            let BenchCell { clips, failed, .. } = cell(
                generator,
                &mut |generator, task, observer| generator.generate(task, observer),
                &task,
                (on.seed, on.seeds),
                index,
                watch,
            )?;
            made.failed.extend(failed.iter().map(|clip| clip.scenario));
            for clip in &clips {
                match ClipRecord::of(
                    clip,
                    (index, scenario),
                    direction_deg,
                    ReferenceScores::default(),
                ) {
                    Ok(record) => made.records.push(record),
                    Err(_) => made.failed.push(index),
                }
            }
        }
    }
    Ok(made)
}

/// What unguided clips of a scenario have.
struct Plain {
    skate: f64,
    text: f64,
}

impl Plain {
    fn of(records: &[ClipRecord], scenario: usize) -> Self {
        let here = || records.iter().filter(|record| record.scenario == scenario);
        let skates: Vec<f64> = here().map(|r| r.foot_skate_ratio_before).collect();
        let texts: Vec<f64> = here().filter_map(|r| r.text_score).collect();
        Self {
            skate: mean(&skates).unwrap_or(0.0),
            text: mean(&texts).unwrap_or(0.0),
        }
    }
}

fn trial(scale: f64, made: &Made, plain: &[Plain], scenarios: &[Scenario]) -> Trial {
    let mut costs: Vec<f64> = made
        .records
        .iter()
        .map(|record| {
            let plain = &plain[record.scenario];
            let skate = (record.foot_skate_ratio_before - plain.skate).max(0.0);
            let text = record
                .text_score
                .map_or(0.0, |score| (plain.text - score).max(0.0));
            record.target_error_m + record.penetration_m + SKATE_WEIGHT * skate + TEXT_WEIGHT * text
        })
        .collect();
    let lost = |scenario: &usize| scenarios[*scenario].distance_m + 1.0;
    costs.extend(made.failed.iter().map(lost));
    let over = |value: &dyn Fn(&ClipRecord) -> Option<f64>| {
        let values: Vec<f64> = made.records.iter().filter_map(value).collect();
        mean(&values)
    };
    Trial {
        scale,
        objective: mean(&costs).unwrap_or(f64::MAX),
        target_error_m: over(&|r| Some(r.target_error_m)),
        penetration_m: over(&|r| Some(r.penetration_m)),
        foot_skate_ratio_before: over(&|r| Some(r.foot_skate_ratio_before)),
        text_score: over(&|r| r.text_score),
        failed: made.failed.len(),
    }
}

impl fmt::Display for TuneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = &self.protocol.on;
        writeln!(
            f,
            "{} on {}: {} clips a trial (seeds from {}), {} calls\nobjective: {}",
            self.model,
            self.engine,
            on.clips(),
            on.seed,
            on.calls,
            self.objective
        )?;
        writeln!(
            f,
            "{:14} {:>9} {:>9}  {:>8} {:>7} {:>6} {:>6} {:>6}",
            "method", "scale", "objective", "target m", "pen m", "skate", "text", "failed"
        )?;
        let mut line = |name: &str, trial: &Trial| {
            let shown = |value: Option<f64>, digits: usize| {
                value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
            };
            writeln!(
                f,
                "{name:14} {:>9} {:>9.3}  {:>8} {:>7} {:>6} {:>6} {:>6}",
                trial.scale,
                trial.objective,
                shown(trial.target_error_m, 3),
                shown(trial.penetration_m, 3),
                shown(trial.foot_skate_ratio_before, 3),
                shown(trial.text_score, 2),
                trial.failed
            )
        };
        line("none", &self.unguided)?;
        for tuned in &self.methods {
            for trial in &tuned.tried {
                let mark = if trial.scale == tuned.scale {
                    "* "
                } else {
                    "  "
                };
                line(&format!("{mark}{}", tuned.method), trial)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_that_breaks_down_costs_more_than_one_that_stays() {
        let scenario = Scenario {
            prompt: String::new(),
            unguided_way_m: 5.0,
            heading_deg: 0.0,
            distance_m: 3.0,
            radius_m: 0.3,
        };
        let plain = [Plain {
            skate: 0.1,
            text: 0.8,
        }];
        let record = ClipRecord {
            scenario: 0,
            direction_deg: 0.0,
            seed: 0,
            target_error_m: 0.5,
            avoidance: 0.0,
            penetration_m: 0.1,
            inside_share: 0.0,
            text_score: Some(0.6),
            judge_score: None,
            foot_skate_ratio: 0.0,
            foot_skate_ratio_before: 0.2,
            jerk_m_s3: 50.0,
            real_distance: None,
            implausibly_fast: false,
        };
        let made = Made {
            records: vec![record],
            failed: vec![0],
        };
        let found = trial(2.0, &made, &plain, &[scenario]);
        assert!((found.objective - (0.5 + 0.1 + 0.2 + 0.2 + 4.0) / 2.0).abs() < 1e-12);
        assert_eq!((found.scale, found.failed), (2.0, 1));
    }
}
