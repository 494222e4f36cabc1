//! Foreign input and files written whole.
//!
//! Clips, scenes, packages, pictures and networks come from elsewhere. [`read`] takes regular files
//! only and never more than the [`Budget`] allows; [`unzip`] and [`check_npy`] hold what an archive
//! or an array declares against what is there; [`escape`] makes foreign text harmless on a
//! terminal; [`catch_panic`] is for libraries that panic on bad input. [`write_atomic`] and
//! [`TemporaryFolder`] write: what they leave is whole or not there, and what a killed process left
//! is swept by the next.
//!
//! ```
//! use kinograd_files::{Budget, read, write_atomic};
//! use std::io::Write;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("walk.bvh");
//! write_atomic(&path, |file| file.write_all(b"HIERARCHY"))?;
//! assert_eq!(read(&path, &Budget::default())?, b"HIERARCHY");
//!
//! let small = Budget { bytes: 4, ..Budget::default() };
//! let error = read(&path, &small).unwrap_err().to_string();
//! assert!(error.contains("walk.bvh") && error.contains("at most 4"), "{error}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod budget;
mod chain;
mod error;
mod escape;
mod memory;
mod panic;
mod program;
mod read;
mod temporary;
mod write;

pub use archive::{Npy, check_npy, check_npy_start, read_npy, unzip};
pub use budget::{Budget, OverBudget};
pub use chain::error_chain;
pub use error::FileError;
pub use escape::{escape, escape_json, escape_lines};
pub use memory::reserved;
pub use panic::{Panicked, catch_panic};
pub use program::program;
pub use read::{open, read, read_large, read_text};
pub use temporary::{TemporaryFolder, remove_temporaries, temporary_file};
pub use write::write_atomic;
