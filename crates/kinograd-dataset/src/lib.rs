//! Building a data set from a folder of motion capture.
//!
//! The format on disk is described in ARCHITECTURE.md. Clips are put on the canonical body at
//! 20 fps, encoded, cut into captioned [segments](segment) and mirrored; [`captions`] finds words
//! for what a clip does. A clip that cannot be used is left out and reported; it never ends the
//! build.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use kinograd_dataset::{BuildOptions, Silent, build, read_manifest};
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
//!
//! [`import_folder`] does all of that for a folder with a `manifest.csv`.

mod build;
pub mod captions;
mod check;
mod clip;
mod error;
mod fitness;
mod folder;
mod index;
mod made;
mod manifest;
mod progress;
pub mod segment;
mod short;
mod smooth;
mod write;

pub use build::{BuildOptions, build};
pub use check::{Limits, Quality};
pub use error::DatasetError;
pub use folder::{Source, import_folder};
pub use index::{BuildReport, ClipRecord, Dropped, INDEX_SCHEMA, Index, MadeBy, MadeFrom};
pub use made::{MadeClip, build_made};
pub use manifest::{Entry, entries_in_folder, read_manifest};
pub use progress::{Progress, Silent};
