//! Building a data set from a folder of BVH files.
//!
//! The format on disk is described in ARCHITECTURE.md. Clips are put on the canonical body at
//! 20 fps, encoded, cut into captioned segments and mirrored. A clip that cannot be used is left
//! out and reported; it never ends the build.

mod build;
mod check;
mod clip;
mod fitness;
mod index;
mod manifest;
mod progress;
mod smooth;
mod write;

pub use build::{BuildOptions, build};
pub use check::{Limits, Quality};
pub use index::{BuildReport, ClipRecord, Dropped, INDEX_SCHEMA, Index};
pub use manifest::{Entry, entries_in_folder, read_manifest};
pub use progress::{Progress, Silent};
