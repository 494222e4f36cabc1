//! What a sampler needs of a model.
//!
//! Inside this workspace every model is an x0-predictor: the families (ε, v, flow, classifier-free
//! pairs) are adapted where the model is loaded.

use ndarray::ArrayD;

use crate::DiffusionError;

/// Where on the noise schedule a sample is.
///
/// `x_t = √alpha_bar · x0 + √(1 − alpha_bar) · noise`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseLevel {
    /// Index into the schedule the model was trained with, `0..train_steps`; fractional for
    /// samplers that evaluate between two training steps.
    pub timestep: f64,
    /// Cumulative signal share ᾱ, `0.0..=1.0`.
    pub alpha_bar: f64,
}

impl NoiseLevel {
    /// The level of a sample without noise.
    pub const CLEAN: Self = Self {
        timestep: 0.0,
        alpha_bar: 1.0,
    };

    /// Noise relative to the signal, σ = √((1 − ᾱ)/ᾱ).
    #[must_use]
    pub fn sigma(self) -> f64 {
        (self.noise_variance() / self.alpha_bar).sqrt()
    }

    /// Share of the noise in the flow `(1 − σ) x0 + σ noise` that has this ratio of noise to signal,
    /// σ = √(1 − ᾱ) / (√ᾱ + √(1 − ᾱ)). That sample is `x_t / (√ᾱ + √(1 − ᾱ))`.
    #[must_use]
    pub fn flow_sigma(self) -> f64 {
        let noise = self.noise_variance().sqrt();
        noise / (self.alpha_bar.sqrt() + noise)
    }

    /// Variance of the noise part, 1 − ᾱ.
    #[must_use]
    pub fn noise_variance(self) -> f64 {
        1.0 - self.alpha_bar
    }
}

/// Predicts the clean sample x̂0 from a noisy one.
pub trait Denoiser {
    /// `x_t`: `[batch, ...]` in the model's normalised units; returns x̂0 of the same shape.
    ///
    /// # Errors
    /// [`DiffusionError::Model`] if the model cannot run on this input.
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError>;
}

/// A denoiser with a vector–Jacobian product.
///
/// One call costs one forward; each pull-back costs one backward, since the forward's activations
/// are kept for it.
pub trait DifferentiableDenoiser: Denoiser {
    /// Returns x̂0 and the map `v ↦ Jᵀv`, where `J = ∂x̂0/∂x_t` at this `x_t`.
    ///
    /// # Errors
    /// [`DiffusionError::Model`] if the model cannot run on this input.
    fn linearize<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError>;
}

impl<D: Denoiser + ?Sized> Denoiser for &mut D {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        (**self).denoise(x_t, level)
    }
}

impl<D: DifferentiableDenoiser + ?Sized> DifferentiableDenoiser for &mut D {
    fn linearize<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError> {
        (**self).linearize(x_t, level)
    }
}

/// `v ↦ Jᵀv` at the point of the [`DifferentiableDenoiser::linearize`] call that made it.
/// `v` and the result have the shape of `x_t`.
pub type PullBack<'a> = Box<dyn FnMut(&ArrayD<f32>) -> Result<ArrayD<f32>, DiffusionError> + 'a>;
