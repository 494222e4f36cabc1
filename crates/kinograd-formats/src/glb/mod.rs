//! Clips as binary glTF 2.0: a skinned mannequin, its skeleton and one animation.

mod buffer;
mod character;
mod curves;
mod document;
mod poses;
mod read;
mod skeleton;
mod vrm;
mod write;

pub(crate) use character::{Found, GlbCharacter};
pub use read::{glb_provenance, read_glb};
pub use write::{GlbOptions, glb_bytes, write_glb};

use crate::format::Format;

/// Binary glTF, and VRM, which is one.
pub const FORMAT: Format = Format {
    name: "GLB",
    extension: "glb",
    also_reads: &["vrm"],
    holds_features: false,
    read: read::load,
    write: |path, clip| write_glb(path, clip.motion, &GlbOptions::default(), clip.provenance),
    read_record: Some(glb_provenance),
};
