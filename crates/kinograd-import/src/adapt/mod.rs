//! Denoisers as exporters write them, brought to the contract of packages: element types are cast at
//! the edge, axes put in order, a scalar time or a fixed batch or length taken with what it allows.
//! What cannot be taken is refused before a package is made, by the tensor, what it is and what to do.

mod adapted;
mod axes;
mod clip_text;
mod decoder;
mod graph;
mod motion;
mod pictures;
mod ports;
mod sides;
mod step;
mod text;

use std::path::Path;

use kinograd_runtime::{Manifest, RuntimeError};
use onnx_grad::Model;

pub(super) use self::adapted::{AdaptedDenoiser, MaskMeaning};
pub(super) use self::axes::described;
pub(super) use self::clip_text::{AdaptedText, clip_text};
pub(super) use self::decoder::decoder;
pub(super) use self::sides::with_sides;
pub(super) use self::text::{EncoderPart, text_encoder};

/// Tells the tensors of a denoiser apart, by the contract's names, else by rank and width, and fits it
/// to the manifest, which learns what lengths the graph allows.
pub(super) fn denoiser(
    onnx: &Path,
    model: Model,
    manifest: &mut Manifest,
    mask: MaskMeaning,
) -> Result<AdaptedDenoiser, RuntimeError> {
    if manifest.image.is_some() {
        return pictures::denoiser(onnx, model, manifest);
    }
    motion::denoiser(onnx, model, manifest, mask)
}
