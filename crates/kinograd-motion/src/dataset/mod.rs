//! Building a data set from a folder of BVH files.
//!
//! The format on disk is described in ARCHITECTURE.md. Clips are put on the canonical body at
//! 20 fps, encoded, cut into captioned segments and mirrored. A clip that cannot be used is left
//! out and reported; it never ends the build.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use kinograd_motion::dataset::{BuildOptions, Silent, build, read_manifest};
//! use kinograd_motion::mapping::MappingFile;
//!
//! let entries = read_manifest(Path::new("mocap/manifest.csv"))?;
//! let options = BuildOptions {
//!     mappings: Some(MappingFile::read(Path::new("mocap/skeletons.json"))?),
//!     ..BuildOptions::default()
//! };
//! let report = build(&entries, &options, Path::new("data"), &Silent)?;
//! assert!(report.round_trip_max_m < 1e-3);
//! # Ok::<(), kinograd_motion::MotionError>(())
//! ```

mod build;
mod check;
mod clip;
mod fitness;
mod index;
mod manifest;
mod progress;
mod short;
mod smooth;
mod write;

pub use build::{BuildOptions, build};
pub use check::{Limits, Quality};
pub use index::{BuildReport, ClipRecord, Dropped, INDEX_SCHEMA, Index};
pub use manifest::{Entry, entries_in_folder, read_manifest};
pub use progress::{Progress, Silent};
