//! What becomes of a denoiser.

use crate::FileEntry;
use onnx_grad::Model;

/// What becomes of a denoiser.
pub(in crate::import) struct AdaptedDenoiser {
    pub entry: FileEntry,
    /// The graph with its adapters; `None` where it fits as it is.
    pub model: Option<Model>,
}
