use ndarray::ArrayD;

use super::{Reevaluate, Sampler, add_noise, combine};
use crate::{DiffusionError, NoiseSource, StepPair};

/// Ancestral sampling: draws from the posterior `q(x_{t−1} | x_t, x̂0)` (Ho et al. 2020, eq. 6–7,
/// with the smaller of the two variances).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ddpm;

impl Sampler for Ddpm {
    fn name(&self) -> &'static str {
        "ddpm"
    }

    fn step(
        &mut self,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        pair: StepPair,
        noise: &mut dyn NoiseSource,
        _reevaluate: &mut Reevaluate<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let alpha = pair.alpha();
        let variance = pair.from.noise_variance();
        let mut x_next = combine(
            alpha.sqrt() * pair.to.noise_variance() / variance,
            x_t,
            pair.to.alpha_bar.sqrt() * (1.0 - alpha) / variance,
            x0,
        );
        add_noise(&mut x_next, pair.posterior_std(), noise)?;
        Ok(x_next)
    }
}
