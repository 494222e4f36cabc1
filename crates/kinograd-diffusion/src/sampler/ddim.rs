use ndarray::ArrayD;

use super::{Reevaluate, Sampler, add_noise, toward_x0};
use crate::{DiffusionError, NoiseSource, StepPair};

/// Denoising diffusion implicit model (Song et al. 2020, eq. 12 and 16).
///
/// With `eta` 0 it is deterministic and the same as Euler's method on the probability-flow ODE in
/// σ; with `eta` 1 its noise is that of [`Ddpm`](super::Ddpm).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ddim {
    eta: f64,
}

impl Ddim {
    /// # Errors
    /// [`DiffusionError::Parameter`] if `eta` is not within `0..=1`.
    pub fn new(eta: f64) -> Result<Self, DiffusionError> {
        if (0.0..=1.0).contains(&eta) {
            Ok(Self { eta })
        } else {
            Err(DiffusionError::Parameter {
                name: "eta",
                value: eta.to_string(),
                expected: "must lie within 0..=1",
            })
        }
    }
}

impl Sampler for Ddim {
    fn name(&self) -> &'static str {
        "ddim"
    }

    fn step(
        &mut self,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        pair: StepPair,
        noise: &mut dyn NoiseSource,
        _reevaluate: &mut Reevaluate<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let deviation = self.eta * pair.posterior_std();
        let direction = (pair.to.noise_variance() - deviation * deviation).max(0.0);
        let mut x_next = toward_x0(x_t, x0, pair, direction.sqrt());
        add_noise(&mut x_next, deviation, noise)?;
        Ok(x_next)
    }
}
