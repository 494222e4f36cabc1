//! A loss smoothed by noise on x̂0.

use kinograd_diffusion::{Layout, NoiseSource, SeededNoise};
use ndarray::{ArrayD, Axis};

use crate::loss::checked;
use crate::{GuidanceError, Loss, LossValue};

/// `−log 1/n Σ exp(−ℓ(x̂0 + r ξ_i))` with standard normal ξ_i: Monte Carlo over a Gaussian around
/// x̂0 (Song et al. 2023, LGD-MC).
///
/// Its gradient is the mean of the draws' gradients, weighted by exp(−ℓ). Draws come from a seed
/// that all samples of a batch share, so that a sample doesn't depend on its batch.
pub struct MonteCarlo {
    draws: usize,
    seed: u64,
    source: Option<Box<dyn NoiseSource>>,
}

impl MonteCarlo {
    /// # Errors
    /// [`GuidanceError::Field`] if there are no draws.
    pub fn new(draws: usize, seed: u64) -> Result<Self, GuidanceError> {
        if draws == 0 {
            return Err(GuidanceError::Field {
                field: "draws",
                value: draws.to_string(),
                expected: "must be at least 1",
            });
        }
        Ok(Self {
            draws,
            seed,
            source: None,
        })
    }

    /// Takes the draws from here, once, in place of the seed.
    #[must_use]
    pub fn with_noise(self, source: Box<dyn NoiseSource>) -> Self {
        Self {
            draws: self.draws,
            seed: self.seed,
            source: Some(source),
        }
    }

    /// One sample's draws start again for every run.
    pub(super) fn begin(&self, layout: &Layout) -> SeededNoise {
        SeededNoise::new(vec![self.seed; layout.batch()])
    }

    /// The smoothed loss; the loss itself where `radius` is 0.
    pub(super) fn evaluate(
        &mut self,
        seeded: &mut SeededNoise,
        loss: &mut dyn Loss,
        x0: &ArrayD<f32>,
        radius: f64,
    ) -> Result<LossValue, GuidanceError> {
        if radius == 0.0 {
            return checked(loss, x0);
        }
        let mut values = Vec::with_capacity(self.draws);
        for _ in 0..self.draws {
            let mut point = ArrayD::zeros(x0.raw_dim());
            match &mut self.source {
                Some(source) => source.fill(&mut point)?,
                None => seeded.fill(&mut point)?,
            }
            point.zip_mut_with(x0, |n, &x| {
                *n = (f64::from(x) + radius * f64::from(*n)) as f32;
            });
            values.push(checked(loss, &point)?);
        }
        Ok(log_mean_exp(&values, x0))
    }
}

/// `−log 1/n Σ exp(−ℓ_i)` per sample, and its gradient.
fn log_mean_exp(draws: &[LossValue], x0: &ArrayD<f32>) -> LossValue {
    let mut gradient = ArrayD::zeros(x0.raw_dim());
    let batch = x0.shape().first().copied().unwrap_or(0);
    let mut values = Vec::with_capacity(batch);
    for sample in 0..batch {
        let of = |draw: &LossValue| draw.values.get(sample).copied().unwrap_or(0.0);
        // The least loss leads: exp would underflow for losses of a few hundred.
        let least = draws.iter().map(of).fold(f64::INFINITY, f64::min);
        let total: f64 = draws.iter().map(|draw| (least - of(draw)).exp()).sum();
        values.push(least - (total / draws.len() as f64).ln());
        let mut out = gradient.index_axis_mut(Axis(0), sample);
        for draw in draws {
            let weight = (least - of(draw)).exp() / total;
            out.scaled_add(weight as f32, &draw.gradient.index_axis(Axis(0), sample));
        }
    }
    LossValue { values, gradient }
}
