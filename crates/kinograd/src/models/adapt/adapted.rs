//! What becomes of a denoiser.

use kinograd_runtime::FileEntry;
use onnx_grad::Model;

/// What becomes of a denoiser.
pub(in crate::models) struct AdaptedDenoiser {
    pub entry: FileEntry,
    /// The graph with its adapters; `None` where it fits as it is.
    pub model: Option<Model>,
}
