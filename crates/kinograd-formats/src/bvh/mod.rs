//! BVH (Biovision hierarchy) files: reading any rig, evaluating it, writing a
//! [`Motion`](kinograd_motion::Motion).
//!
//! Rotations compose in channel order: channels `Zrotation Xrotation Yrotation` mean
//! `R = Rz · Rx · Ry` (Lander 1998, "Working with motion capture file formats"), in degrees.
//! A position channel replaces that component of the joint's `OFFSET`, as in Blender and
//! MotionBuilder, for the root and for other joints alike.

mod clip;
mod frames;
mod load;
mod read;
mod text;
mod write;

pub use clip::{Bvh, Channel};
pub use read::{parse, read};
pub use write::{WriteOptions, to_bytes, write};

use crate::format::Format;

/// Biovision hierarchy.
pub const FORMAT: Format = Format {
    name: "BVH",
    extension: "bvh",
    also_reads: &[],
    holds_features: false,
    read: load::load,
    write: |path, clip| {
        let options = WriteOptions {
            unit_to_metre: clip.unit_to_metre,
        };
        write(path, clip.motion, options)
    },
    read_record: None,
};
