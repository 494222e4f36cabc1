//! Files of clips: GLB and FBX for engines and animation tools, BVH for motion capture, NPZ for NumPy.
//!
//! [`FORMATS`] lists them. Each is one [`Format`]: its extension, how it is read and written, and
//! what it can hold.
//!
//! ```
//! use kinograd_formats::{LoadOptions, format_of};
//! use kinograd_motion::synth::synth_walk;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("walk.bvh");
//! kinograd_formats::bvh::write(&path, &synth_walk(1.2, 2.0, 20.0), Default::default())?;
//! let format = format_of(&path).ok_or("a format")?;
//! assert_eq!(format.name, "BVH");
//! assert_eq!(format.load(&path, &LoadOptions::default())?.motion.len(), 41);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How to add a format
//!
//! Its file, or folder, with a `FORMAT`, and a line in `registry.rs`.

pub mod bvh;
mod character;
pub mod fbx;
mod format;
pub mod glb;
mod load;
mod mannequin;
pub mod npz;
mod reading;
mod registry;
mod world;

pub use character::{Character, CharacterReport};
pub use format::{ClipRef, Format, LoadOptions, ReadRecord, SourceClip, StoredClip};
pub use reading::{KnownBy, Reading};
pub use registry::{FORMATS, format_of};
