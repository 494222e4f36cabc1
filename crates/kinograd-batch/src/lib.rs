//! Clips in bulk.
//!
//! A [`Source`] is a list of tasks, one JSON a line, or a [`Sweep`] that is expanded as it is read. A
//! process takes the tasks of its [`Shard`], which hold for any number of processes: a task belongs to the
//! shard that the hash of its id names, and its seed comes from its id where it states none. [`run`] writes
//! parts of about a gigabyte: a WebDataset tar, a Parquet index of what was measured, and a [`Manifest`],
//! which is written last. What no manifest names was never made; so a run that was killed goes on where the
//! last whole part ended.
//!
//! [`dataset_from_batch`] makes training data of what a batch made.
//!
//! ```text
//! tasks.jsonl, sweep.json ─► lines of this shard ─► not in a manifest ─► clip ─► filters ─► part ─► manifest
//!                                                                └► errors-SHARD.jsonl
//! ```

mod dataset;
mod error;
mod filter;
mod format;
mod index;
mod kept;
mod line;
mod made;
mod make;
mod manifest;
mod neighbours;
mod options;
mod part;
mod quota;
mod run;
mod shard;
mod source;
mod sweep;

pub use dataset::dataset_from_batch;
pub use error::BatchError;
pub use filter::Filters;
pub use format::SampleFormat;
pub use line::{BadLine, Line};
pub use make::{Generators, Made, Maker};
pub use manifest::{Manifest, RejectedSample, WrittenFile};
pub use options::BatchOptions;
pub use run::{BatchEvent, BatchObserver, BatchReport, run};
pub use shard::Shard;
pub use source::Source;
pub use sweep::Sweep;
