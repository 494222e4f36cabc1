//! Clips of a cell of a benchmark: one scenario, one direction, one method, some seeds.

use std::path::Path;

use kinograd::diffusion::DiffusionError;
use kinograd::motion::metrics::nearest_neighbour_distances;
use kinograd::runtime::EngineReport;
use kinograd_files::Budget;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::record::{FailedClip, ReferenceScores};
use super::watch::Watch;
use crate::reference::Reference;
use kinograd::{Clip, Error, MotionEvaluator, MotionGenerator, Observer, Task, TaskBuilder};

/// How time is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Of all the process's threads: with one thread, what an idle machine takes.
    Processor,
    /// On the wall.
    Wall,
}

/// Clock ticks of Linux's process statistics a second, on every processor that it runs on.
const TICKS_PER_SECOND: f64 = 100.0;

impl Clock {
    /// Processor time where the model runs on the processor and the system tells.
    pub(super) fn of(engine: &EngineReport) -> Self {
        if engine.provider == "cpu" && processor_seconds().is_some() {
            Self::Processor
        } else {
            Self::Wall
        }
    }

    /// Seconds, where they are the processor's.
    pub(super) fn now(self) -> Option<f64> {
        processor_seconds().filter(|_| self == Self::Processor)
    }
}

/// Processor time of this process, user and system.
fn processor_seconds() -> Option<f64> {
    let line = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, in brackets, may hold blanks: fields 14 and 15 are the 12th and 13th behind.
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// What a cell gave.
#[derive(Default)]
pub(super) struct BenchCell {
    pub clips: Vec<Clip>,
    pub failed: Vec<FailedClip>,
    /// Text, sampling and clean-up, a clip; of runs without failure.
    pub seconds_per_clip: Option<f64>,
    /// Sampling, a clip and step.
    pub seconds_per_step: Option<f64>,
}

/// Runs a task.
pub(super) type Make<'m> =
    dyn FnMut(&mut MotionGenerator, &Task, &mut dyn Observer) -> Result<Vec<Clip>, Error> + 'm;

/// Makes the clips of seeds `first..first + count`. Where a method breaks down on one of them, each
/// is made alone, so that the others are kept.
pub(super) fn cell(
    generator: &mut MotionGenerator,
    make: &mut Make<'_>,
    task: &TaskBuilder,
    (first, count): (u64, usize),
    scenario: usize,
    watch: &mut Watch<'_>,
) -> Result<BenchCell, Error> {
    let asked = generator.resolved(&task.clone().seed(first).count(count).build()?)?;
    let clock = Clock::of(generator.engine());
    let started = clock.now();
    match make(generator, &asked, watch) {
        Ok(clips) => {
            watch.advance(count);
            let timings = generator.timings();
            let wall = timings.plan_s + timings.sampling_s + timings.finish_s;
            // Loading graphs is no part of a clip.
            let all = match (clock, started.zip(clock.now())) {
                (Clock::Processor, Some((from, to))) => {
                    (to - from) * wall / (wall + timings.prepare_s)
                }
                _ => wall,
            };
            let sampling = all * timings.sampling_s / wall;
            Ok(BenchCell {
                clips,
                failed: Vec::new(),
                seconds_per_clip: Some(all / count as f64),
                seconds_per_step: Some(sampling / (count * asked.sampling.steps_or_usual()) as f64),
            })
        }
        Err(error) if breaks_down(&error) && count == 1 => {
            watch.advance(1);
            Ok(BenchCell {
                failed: vec![FailedClip {
                    scenario,
                    seed: first,
                    reason: with_causes(&error),
                }],
                ..BenchCell::default()
            })
        }
        Err(error) if breaks_down(&error) => {
            let mut all = BenchCell::default();
            for seed in first..first + count as u64 {
                let one = cell(generator, make, task, (seed, 1), scenario, watch)?;
                all.clips.extend(one.clips);
                all.failed.extend(one.failed);
            }
            Ok(all)
        }
        Err(error) => Err(error),
    }
}

/// Whether a method has led a sample astray, rather than the task or the engine being at fault.
pub(super) fn breaks_down(error: &Error) -> bool {
    use DiffusionError::{Guidance, NonFinite};
    matches!(error, Error::Diffusion(Guidance { .. } | NonFinite { .. }))
}

pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// What clips are measured against beside their goals.
pub(super) struct ReferenceMetrics {
    judge: Option<MotionEvaluator>,
    real: Option<Array2<f32>>,
}

impl ReferenceMetrics {
    /// With the training clips of a data set.
    pub fn open(
        generator: &mut MotionGenerator,
        judge: Option<MotionEvaluator>,
        data: Option<&Path>,
    ) -> Result<Self, Error> {
        let mut outside = Self { judge, real: None };
        let Some(data) = data else {
            return Ok(outside);
        };
        let reference = Reference::open(data)?;
        let mut rows = Vec::new();
        for snippet in reference.snippets("train") {
            rows.extend(outside.embed(generator, snippet.features)?);
        }
        if let Some(width) = rows.first().map(Vec::len) {
            let rows = Array2::from_shape_vec((rows.len(), width), rows.concat())
                .map_err(|error| Error::Internal(error.to_string()))?;
            outside.real = Some(rows);
        }
        Ok(outside)
    }

    /// The judge's name.
    pub fn judge(&self) -> Option<&str> {
        self.judge.as_ref().map(MotionEvaluator::name)
    }

    fn embed(
        &mut self,
        generator: &mut MotionGenerator,
        features: ArrayView2<'_, f32>,
    ) -> Result<Option<Vec<f32>>, Error> {
        match &mut self.judge {
            Some(judge) => judge.embed_motion(features).map(Some),
            None => generator.embed_motion(features),
        }
    }

    /// Measures a clip.
    pub fn scores(
        &mut self,
        generator: &mut MotionGenerator,
        clip: &Clip,
        prompt: &str,
    ) -> Result<ReferenceScores, Error> {
        let mut scores = ReferenceScores::default();
        let Some(features) = &clip.features else {
            return Ok(scores);
        };
        if let Some(judge) = &mut self.judge {
            scores.judge = Some(judge.score(features.view(), prompt)?);
        }
        if self.real.is_none() {
            return Ok(scores);
        }
        let row = self.embed(generator, features.view())?;
        if let (Some(row), Some(real)) = (row, &self.real) {
            let row = Array2::from_shape_vec((1, row.len()), row)
                .map_err(|error| Error::Internal(error.to_string()))?;
            let nearest = nearest_neighbour_distances(row.view(), real.view())?;
            scores.real = nearest.first().map(|(_, distance)| *distance);
        }
        Ok(scores)
    }
}

/// Reads a report.
pub(super) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    kinograd_files::read(path, Budget::of_process())
        .map_err(|error| read_error(path, error))
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| read_error(path, error)))
}

/// Refuses a report of another schema.
pub(super) fn check_schema(path: &Path, found: &str, expected: &str) -> Result<(), Error> {
    if found == expected {
        Ok(())
    } else {
        Err(read_error(path, format!("holds {found}, not {expected}")))
    }
}

fn read_error(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Read {
        path: path.to_path_buf(),
        source: source.into(),
    }
}
