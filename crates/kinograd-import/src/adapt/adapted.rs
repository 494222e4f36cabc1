//! What becomes of a denoiser.

use kinograd_runtime::FileEntry;
use onnx_grad::Model;

/// What becomes of a denoiser.
pub(crate) struct AdaptedDenoiser {
    pub entry: FileEntry,
    /// The graph with its adapters; `None` where it fits as it is.
    pub model: Option<Model>,
    /// What becomes of which tensor, in words.
    pub notes: Vec<String>,
    /// Of clips: whether the graph itself reads a mask of frames.
    pub has_mask: bool,
}

/// What a mask of frames holds where a frame is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MaskMeaning {
    /// 1, and 0 where it is padding.
    RealIsOne,
    /// 0, and 1 where it is padding, as PyTorch's `key_padding_mask`.
    PaddingIsOne,
    /// Nothing: it does not keep real frames from what lies beyond.
    Ignored,
}
