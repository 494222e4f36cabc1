//! Clips as binary glTF 2.0: a skinned mannequin, its skeleton and one animation.

mod buffer;
mod document;
mod mannequin;
mod read;
mod write;

pub use read::{glb_provenance, read_glb};
pub use write::{GlbOptions, glb_bytes, write_glb};

use crate::format::{Format, StoredClip};

/// Binary glTF.
pub const FORMAT: Format = Format {
    name: "GLB",
    extension: "glb",
    holds_features: false,
    read: |path, _| {
        Ok(StoredClip {
            motion: read_glb(path, None)?,
            features: None,
            provenance: glb_provenance(path)?,
        })
    },
    write: |path, clip| write_glb(path, clip.motion, &GlbOptions::default(), clip.provenance),
    read_record: Some(glb_provenance),
};
