//! Options of `batch`.

use std::path::PathBuf;

use clap::Args;
use kinograd_batch::{BatchError, SampleFormat, Shard};

use super::EngineArgs;

/// Arguments of `batch`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd batch tasks.jsonl -o clips\n  \
    kinograd batch sweep.json -o clips --shard 0/4\n  \
    kinograd batch tasks.jsonl -o clips --shard auto --max-skate 0.1 --min-text-score 0.4\n\n\
    A line of a list is a task as `generate --task` takes it, with an \"id\" of its own; a sweep (.json) is all\n\
    combinations of values, or a random part of them. A run that was stopped goes on where it ended.\n\
    docs/batches.md has the formats, and how Slurm, Kubernetes, Ray and xargs run it.")]
pub struct BatchArgs {
    /// A list of tasks, one JSON a line, or a sweep, .json.
    #[arg(value_name = "TASKS.jsonl|SWEEP.json")]
    pub source: PathBuf,
    /// Folder for tars, their indices and manifests.
    #[arg(short, long, value_name = "FOLDER")]
    pub output: PathBuf,
    /// Which of several processes this is, from 0; auto takes it from the scheduler (KINOGRAD_SHARD, a
    /// Slurm array, a Kubernetes indexed Job).
    #[arg(long, value_name = "I/N|auto", default_value = "0/1", value_parser = shard)]
    pub shard: Shard,
    /// Files of a sample: npz, glb, bvh, json.
    #[arg(
        long,
        value_name = "FORMAT,…",
        value_delimiter = ',',
        default_value = "npz,json"
    )]
    pub formats: Vec<SampleFormat>,
    /// Most megabytes of a tar, roughly.
    #[arg(long, value_name = "MB", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub part_megabytes: u64,
    /// Most minutes of work in a tar: what is lost at most when the process is killed.
    #[arg(long, value_name = "MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub part_minutes: u64,
    /// How many tasks may fail before the batch ends; reasons are in errors-SHARD.jsonl.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub max_errors: usize,
    /// Keep clips only whose feet slide in at most this share of frames.
    #[arg(long, value_name = "SHARE")]
    pub max_skate: Option<f64>,
    /// Keep clips only that are at most so far from each goal, in its own unit.
    #[arg(long, value_name = "DISTANCE")]
    pub max_goal_error: Option<f64>,
    /// Keep clips only whose root enters obstacles at most so deep.
    #[arg(long, value_name = "METRES")]
    pub max_penetration: Option<f64>,
    /// Keep clips only that the model's motion embedding finds at least so near to the prompt, -1 to 1.
    #[arg(long, value_name = "COSINE", allow_hyphen_values = true)]
    pub min_text_score: Option<f64>,
    /// Keep clips only whose motion embedding is at least so far from that of every clip of the same model
    /// that this shard has kept: cosine distance, 0 to 2. It holds within a shard, not between shards, so
    /// what is kept depends on the number of shards; a batch in one shard is free of near copies.
    #[arg(long, value_name = "DISTANCE", value_parser = distance)]
    pub min_distance: Option<f64>,
    /// How many clips of each label are enough, in all shards together; further lines of it are not made. Each
    /// shard has its part of N, so that a label with few lines in one shard ends below N. Lines without a
    /// label are not limited.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub per_label: Option<u64>,
    /// Where the model runs; a task that names none takes the model given here.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// A cosine distance.
fn distance(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    match (0.0..=2.0).contains(&number) {
        true => Ok(number),
        false => Err("a cosine distance is between 0 and 2".to_owned()),
    }
}

fn shard(text: &str) -> Result<Shard, BatchError> {
    match text {
        "auto" => Shard::of_environment(),
        text => text.parse(),
    }
}
