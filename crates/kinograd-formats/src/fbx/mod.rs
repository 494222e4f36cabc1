//! Clips as FBX: read by the crate `ufbx`, which takes every version, binary and text; written as
//! binary 7.4 with skeleton, skinned mannequin and one animation.

mod body;
mod curves;
mod document;
mod error;
mod node;
mod objects;
mod read;
mod sample;
mod scene;
mod skeleton;
#[cfg(test)]
mod tests;
mod write;

pub use scene::fbx_provenance;
pub use write::{FbxOptions, fbx_bytes, write_fbx};

use crate::format::Format;

/// Autodesk's exchange format.
pub const FORMAT: Format = Format {
    name: "FBX",
    extension: "fbx",
    also_reads: &[],
    holds_features: false,
    read: read::load,
    write: |path, clip| write_fbx(path, clip.motion, &FbxOptions::default(), clip.provenance),
    read_record: Some(fbx_provenance),
};
