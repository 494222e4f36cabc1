//! A denoiser as the sampling loop sees it: with or without gradient, its calls counted.

use ndarray::ArrayD;

use crate::{Denoiser, DifferentiableDenoiser, DiffusionError, NoiseLevel, PullBack};

enum Access<'a> {
    Forward(&'a mut dyn Denoiser),
    Differentiable(&'a mut dyn DifferentiableDenoiser),
}

/// A borrowed denoiser that counts its calls.
pub struct Model<'a> {
    access: Access<'a>,
    calls: usize,
}

impl<'a> Model<'a> {
    /// A model without gradient.
    pub fn forward_only(denoiser: &'a mut dyn Denoiser) -> Self {
        Self {
            access: Access::Forward(denoiser),
            calls: 0,
        }
    }

    /// A model with gradient.
    pub fn differentiable(denoiser: &'a mut dyn DifferentiableDenoiser) -> Self {
        Self {
            access: Access::Differentiable(denoiser),
            calls: 0,
        }
    }

    /// Whether [`Model::linearize`] works.
    #[must_use]
    pub fn has_gradient(&self) -> bool {
        matches!(self.access, Access::Differentiable(_))
    }

    /// Forward evaluations so far, those with a gradient included.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// x̂0 of `x_t`, `[batch, ...]`.
    ///
    /// # Errors
    /// What the denoiser returns; [`DiffusionError::Shape`] or [`DiffusionError::NonFinite`] if
    /// its x̂0 is unusable.
    pub fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.calls += 1;
        let x0 = match &mut self.access {
            Access::Forward(denoiser) => denoiser.denoise(x_t, level)?,
            Access::Differentiable(denoiser) => denoiser.denoise(x_t, level)?,
        };
        check("x̂0", &x0, x_t.shape(), level)?;
        Ok(x0)
    }

    /// x̂0 and the map `v ↦ Jᵀv` at `x_t`.
    ///
    /// # Errors
    /// As [`Model::denoise`]; [`DiffusionError::NoGradient`] if the model has none.
    pub fn linearize<'m>(
        &'m mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'m>), DiffusionError> {
        let Access::Differentiable(denoiser) = &mut self.access else {
            return Err(DiffusionError::NoGradient);
        };
        self.calls += 1;
        let (x0, pull_back) = denoiser.linearize(x_t, level)?;
        check("x̂0", &x0, x_t.shape(), level)?;
        Ok((x0, pull_back))
    }
}

/// Rejects an array of another shape or with non-finite values.
pub(crate) fn check(
    what: &'static str,
    array: &ArrayD<f32>,
    shape: &[usize],
    level: NoiseLevel,
) -> Result<(), DiffusionError> {
    if array.shape() != shape {
        return Err(DiffusionError::Shape {
            what,
            expected: shape.to_vec(),
            got: array.shape().to_vec(),
        });
    }
    if !array.iter().all(|value| value.is_finite()) {
        return Err(DiffusionError::NonFinite {
            what,
            timestep: level.timestep,
        });
    }
    Ok(())
}
