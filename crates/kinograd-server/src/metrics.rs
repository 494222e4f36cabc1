//! `GET /metrics`: counters in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Upper ends of the histogram's buckets, seconds.
const BUCKETS_SECS: [f64; 9] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// By path and status.
    requests: BTreeMap<(&'static str, u16), u64>,
    /// By outcome.
    generations: BTreeMap<&'static str, u64>,
    frames: u64,
    /// Of generations that were made: how many took at most that long.
    buckets: [u64; BUCKETS_SECS.len()],
    made: u64,
    seconds: f64,
}

impl Metrics {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Counters are whole whatever happened to who held them.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an answer.
    pub(crate) fn request(&self, path: &'static str, status: u16) {
        *self.counts().requests.entry((path, status)).or_default() += 1;
    }

    /// Counts what came of work for the generator.
    pub(crate) fn generation(&self, outcome: &'static str, seconds: f64, frames: usize) {
        let mut counts = self.counts();
        *counts.generations.entry(outcome).or_default() += 1;
        if outcome == "ok" {
            counts.frames += frames as u64;
            counts.made += 1;
            counts.seconds += seconds;
            for (bucket, end) in counts.buckets.iter_mut().zip(BUCKETS_SECS) {
                *bucket += u64::from(seconds <= end);
            }
        }
    }

    /// All counters; `waiting` and `jobs` are how many there are now.
    pub(crate) fn text(&self, waiting: usize, jobs: usize) -> String {
        let counts = self.counts();
        let mut text = String::new();
        let head = |text: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(
                text,
                "# HELP kinograd_{name} {help}\n# TYPE kinograd_{name} {kind}"
            );
        };
        head(
            &mut text,
            "http_requests_total",
            "counter",
            "Answers by path and status.",
        );
        for ((path, status), count) in &counts.requests {
            let labels = format!("path=\"{path}\",status=\"{status}\"");
            let _ = writeln!(text, "kinograd_http_requests_total{{{labels}}} {count}");
        }
        head(
            &mut text,
            "generations_total",
            "counter",
            "Requests that reached the generator, by outcome.",
        );
        for (outcome, count) in &counts.generations {
            let _ = writeln!(
                text,
                "kinograd_generations_total{{outcome=\"{outcome}\"}} {count}"
            );
        }
        head(
            &mut text,
            "frames_total",
            "counter",
            "Frames of the clips that were made, each sample's once.",
        );
        let _ = writeln!(text, "kinograd_frames_total {}", counts.frames);
        head(
            &mut text,
            "generation_seconds",
            "histogram",
            "Time that the generator took.",
        );
        for (count, end) in counts.buckets.iter().zip(BUCKETS_SECS) {
            let _ = writeln!(
                text,
                "kinograd_generation_seconds_bucket{{le=\"{end}\"}} {count}"
            );
        }
        let (made, seconds) = (counts.made, counts.seconds);
        let _ = writeln!(
            text,
            "kinograd_generation_seconds_bucket{{le=\"+Inf\"}} {made}\n\
             kinograd_generation_seconds_sum {seconds}\nkinograd_generation_seconds_count {made}"
        );
        head(
            &mut text,
            "queue_waiting",
            "gauge",
            "Requests that wait for the generator.",
        );
        let _ = writeln!(text, "kinograd_queue_waiting {waiting}");
        head(&mut text, "jobs", "gauge", "Jobs that are kept.");
        let _ = writeln!(text, "kinograd_jobs {jobs}");
        text
    }
}
