//! How a batch is made.

use std::time::Duration;

use crate::{Filters, SampleFormat, Shard};

/// How a batch is made.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BatchOptions {
    /// Which tasks are this process's.
    pub shard: Shard,
    /// The model of tasks that name none, by name or folder; else the default one.
    pub model: Option<String>,
    /// The files of a sample.
    pub formats: Vec<SampleFormat>,
    /// What a clip must be to be kept.
    pub filters: Filters,
    /// How many clips of each label are wanted of all shards together; then further lines of the label are
    /// not made. Lines without a label are not counted.
    pub per_label: Option<u64>,
    /// Size at which a part is closed, bytes.
    pub part_bytes: u64,
    /// Age at which a part is closed: so much is lost at most when the process is killed.
    pub part_time: Duration,
    /// How many tasks may fail.
    pub max_errors: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            shard: Shard::WHOLE,
            model: None,
            formats: vec![SampleFormat::Npz, SampleFormat::Json],
            filters: Filters::default(),
            per_label: None,
            part_bytes: 1_000_000_000,
            part_time: Duration::from_secs(600),
            max_errors: 1000,
        }
    }
}
