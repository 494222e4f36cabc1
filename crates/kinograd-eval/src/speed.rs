//! How long plain and guided runs take on an engine.

use std::fmt;
use std::time::Instant;

use serde::Serialize;

use super::statistics::Spread;
use kinograd::{Error, Method, MotionGenerator, Observer, Task, TaskBuilder};

/// What is timed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpeedProtocol {
    /// Prompt of every clip.
    pub prompt: String,
    /// Length of every clip, seconds.
    pub duration_secs: f64,
    /// Sampling steps.
    pub steps: usize,
    /// Method of the guided cases.
    pub method: Method,
    /// Clips of the batched case.
    pub batch: usize,
    /// Runs of each case.
    pub runs: usize,
}

impl Default for SpeedProtocol {
    fn default() -> Self {
        Self {
            prompt: "a person walks forward".to_owned(),
            duration_secs: 4.0,
            steps: 20,
            method: Method::DEFAULT,
            batch: 16,
            runs: 5,
        }
    }
}

/// One case on one engine.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SpeedRow {
    /// The engine.
    pub engine: String,
    /// `plain`, `guided` or `guided, n 16`.
    pub case: String,
    /// Whole run: text, sampling, clean-up and measuring, seconds.
    pub seconds: Spread,
    /// Sampling alone, seconds.
    pub sampling_seconds: Spread,
}

/// The protocol and what it gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SpeedReport {
    /// `kinograd.eval-speed/1`.
    pub schema: &'static str,
    /// What was run.
    pub protocol: SpeedProtocol,
    /// Threads that the machine has.
    pub cores: usize,
    /// What it gave.
    pub rows: Vec<SpeedRow>,
}

/// Times every case on every engine; engines and cases take turns, so that what else the machine
/// does falls on all of them. Graphs are loaded before the first timed run.
///
/// # Errors
/// As [`MotionGenerator::generate`].
pub fn speed(
    generators: &mut [MotionGenerator],
    protocol: &SpeedProtocol,
    observer: &mut dyn Observer,
) -> Result<SpeedReport, Error> {
    let plain = || {
        Task::builder(&protocol.prompt)
            .duration(protocol.duration_secs)
            .steps(protocol.steps)
            .method(protocol.method)
    };
    let guided = || plain().target(2.0, 3.0).obstacle(1.0, 1.5, 0.5);
    let cases: [(String, TaskBuilder, usize); 3] = [
        ("plain".to_owned(), plain(), protocol.runs),
        ("guided".to_owned(), guided(), protocol.runs),
        (
            format!("guided, n {}", protocol.batch),
            guided().count(protocol.batch),
            protocol.runs.div_ceil(3),
        ),
    ];
    let mut times = vec![vec![(Vec::new(), Vec::new()); cases.len()]; generators.len()];
    for run in 0..=protocol.runs {
        for (generator, times) in generators.iter_mut().zip(&mut times) {
            for ((_, task, runs), (whole, sampling)) in cases.iter().zip(times) {
                if run > *runs {
                    continue;
                }
                let task = task.clone().seed(run as u64).build()?;
                let started = Instant::now();
                generator.generate(&task, observer)?;
                // The first run loads graphs and warms caches.
                if run > 0 {
                    whole.push(started.elapsed().as_secs_f64());
                    sampling.push(generator.timings().sampling_s);
                }
            }
        }
    }
    let mut rows = Vec::new();
    for (generator, times) in generators.iter().zip(&times) {
        for ((case, ..), (whole, sampling)) in cases.iter().zip(times) {
            let spread = |values| {
                Spread::of(values).ok_or_else(|| Error::Internal("nothing was timed".to_owned()))
            };
            rows.push(SpeedRow {
                engine: generator.engine_name(),
                case: case.clone(),
                seconds: spread(whole)?,
                sampling_seconds: spread(sampling)?,
            });
        }
    }
    Ok(SpeedReport {
        schema: "kinograd.eval-speed/1",
        protocol: protocol.clone(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        rows,
    })
}

impl fmt::Display for SpeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} s clip, {} steps, guided by {}, {} cores; median (least to most), seconds",
            self.protocol.duration_secs, self.protocol.steps, self.protocol.method, self.cores
        )?;
        for row in &self.rows {
            let (s, m) = (row.seconds, row.sampling_seconds);
            writeln!(
                f,
                "{:32} {:14} {:6.2} ({:.2} to {:.2}), sampling {:6.2} ({:.2} to {:.2}), {} runs",
                row.engine, row.case, s.median, s.min, s.max, m.median, m.min, m.max, s.runs
            )?;
        }
        Ok(())
    }
}
