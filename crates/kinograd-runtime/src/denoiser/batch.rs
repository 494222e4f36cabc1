//! What a denoiser's next calls make.

use ndarray::Array2;

use crate::ImageText;

/// What the next calls make, in the terms of one modality.
#[derive(Debug, Clone, PartialEq)]
pub enum DenoiserBatch {
    /// Clips of motion.
    Clips(ClipBatch),
    /// Pictures.
    Pictures(PictureBatch),
}

impl From<ClipBatch> for DenoiserBatch {
    fn from(batch: ClipBatch) -> Self {
        Self::Clips(batch)
    }
}

impl From<PictureBatch> for DenoiserBatch {
    fn from(batch: PictureBatch) -> Self {
        Self::Pictures(batch)
    }
}

/// A batch of clips to make.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipBatch {
    /// `[parts · batch, dims]`: what each clip shows; with several parts, the batch's conditions in
    /// the first part come first.
    pub condition: Array2<f32>,
    /// `[parts, frames]`: share of each part in each frame, 1 in sum; frames as the longest clip's.
    /// One part where `None`. The model sees the whole clip under each part's condition, and the x̂0
    /// are blended by frame (Bar-Tal et al. 2023, MultiDiffusion, takes regions of images so).
    pub blend_weights: Option<Array2<f64>>,
    /// Frames of each clip; x_t has as many frames as the longest, or more.
    pub lengths: Vec<usize>,
    /// Scale s of classifier-free guidance, `x̂0 = x̂0(null) + s (x̂0(condition) − x̂0(null))`
    /// (Ho & Salimans 2022). At 1 the null condition is not run.
    pub guidance_scale: f64,
}

impl ClipBatch {
    pub(super) fn longest(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }
}

/// What the pictures of a batch show, each as many as x_t has.
///
/// The default is one empty condition: what a denoiser needs that is conditioned on nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureBatch {
    /// Conditions with their weights, which sum to 1: `x̂0 = Σ weight · x̂0(condition)`.
    pub conditions: Vec<(ImageCondition, f64)>,
}

impl Default for PictureBatch {
    fn default() -> Self {
        Self::of(ImageCondition::default())
    }
}

impl PictureBatch {
    /// Pictures of one condition.
    #[must_use]
    pub fn of(condition: ImageCondition) -> Self {
        Self {
            conditions: vec![(condition, 1.0)],
        }
    }

    /// Classifier-free guidance, `x̂0 = x̂0(null) + scale (x̂0(condition) − x̂0(null))`
    /// (Ho & Salimans 2022).
    #[must_use]
    pub fn guided(condition: ImageCondition, null: ImageCondition, scale: f64) -> Self {
        Self {
            conditions: vec![(condition, scale), (null, 1.0 - scale)],
        }
    }
}

/// What a batch shows, as the network takes it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageCondition {
    /// The class, where the package has classes: below their number, or the null class.
    pub class: Option<usize>,
    /// What the text encoder makes of the prompt, where the package takes text.
    pub text: Option<ImageText>,
}
