//! What is measured.

use serde::Serialize;

use crate::Method;

/// The losses at one step of the request's own run, means over the clips.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StepReport {
    /// Timestep that the step starts from.
    pub timestep: f64,
    /// ℓ, the weighted sum of the losses at the x̂0 that the step was taken with.
    pub loss: f64,
    /// How much ℓ falls until the next step.
    pub descent: Option<f64>,
    /// `½‖∇ℓ‖² / (ℓ − ℓ*)` on x̂0, normalised features; absent where ℓ is at ℓ*.
    pub pl_ratio: Option<f64>,
}

/// The local Lipschitz constant of a loss's gradient: the largest `‖∇ℓ(x + d) − ∇ℓ(x)‖ / ‖d‖` over
/// clips and random directions of 0.05 root mean square, on x̂0 half-way through the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Smoothness {
    /// Of the loss itself.
    pub plain: f64,
    /// Of its mean over augmentations; absent for analytic losses.
    pub augmented: Option<f64>,
}

/// One of the losses.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TermReport {
    /// The loss.
    pub name: String,
    /// Its weight in the sum.
    pub weight: f64,
    /// Its value for unguided clips.
    pub unguided: f64,
    /// Its value for guided clips.
    pub guided: f64,
    /// How its gradient changes.
    pub smoothness: Smoothness,
    /// What augmentations it was judged by.
    pub augmentations: &'static str,
    /// The network that judged, where one was given; otherwise the loss's own did, on held-out
    /// augmentations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<String>,
    /// `1 −` the drop that the judge sees over the drop of the loss itself: near 0 where the clips got
    /// better, near 1 where only the network's answer did. Absent for analytic losses, which no clip
    /// can deceive, and where the loss did not fall.
    pub adversarial_share: Option<f64>,
}

/// A method at a number of calls, means over the clips.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AttemptReport {
    /// The method.
    pub method: Method,
    /// Denoiser calls, that is steps.
    pub calls: usize,
    /// ℓ at the end; absent where the run broke down.
    pub loss: Option<f64>,
    /// Cosine between the embeddings of clip and prompt, where the model has an embedding.
    pub text_score: Option<f64>,
    /// Wall time per clip, seconds.
    pub seconds_per_clip: f64,
    /// Why the run broke down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}
