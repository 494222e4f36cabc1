use ndarray::ArrayD;

use super::{Reevaluate, Sampler, combine};
use crate::{DiffusionError, NoiseLevel, NoiseSource, StepPair};

/// DPM-Solver++(2M), the second-order multistep solver on x̂0 (Lu et al. 2022b, algorithm 2).
///
/// The first step, the step to the clean sample and the step after a [`reset`](Sampler::reset)
/// are of first order.
#[derive(Debug, Clone, Default)]
pub struct DpmSolverPp2m {
    last: Option<(StepPair, ArrayD<f32>)>,
}

impl DpmSolverPp2m {
    /// A solver without history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// λ = log(√ᾱ / √(1 − ᾱ)).
fn half_log_snr(level: NoiseLevel) -> f64 {
    -level.sigma().ln()
}

impl Sampler for DpmSolverPp2m {
    fn name(&self) -> &'static str {
        "dpmpp-2m"
    }

    fn reset(&mut self) {
        self.last = None;
    }

    fn step(
        &mut self,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        pair: StepPair,
        _noise: &mut dyn NoiseSource,
        _reevaluate: &mut Reevaluate<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let width = half_log_snr(pair.to) - half_log_snr(pair.from);
        let estimate = match &self.last {
            Some((last, last_x0)) if width.is_finite() && last.to == pair.from => {
                let last_width = half_log_snr(last.to) - half_log_snr(last.from);
                let half_ratio = width / (2.0 * last_width);
                combine(1.0 + half_ratio, x0, -half_ratio, last_x0)
            }
            _ => x0.clone(),
        };
        self.last = Some((pair, x0.clone()));
        let kept = (pair.to.noise_variance() / pair.from.noise_variance()).sqrt();
        let gained = -pair.to.alpha_bar.sqrt() * (-width).exp_m1();
        Ok(combine(kept, x_t, gained, &estimate))
    }
}
