use kinograd_diffusion::{Layout, SeededNoise, StepPair};
use ndarray::ArrayD;

use super::registry::{MethodInfo, Scales, by_rule};
use super::{MonteCarlo, SampleStep, StepRule};
use crate::{GuidanceError, Loss, LossValue};

/// Draws in the paper.
const DRAWS: usize = 10;

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "lgd-mc",
    "Loss guidance with Monte Carlo, 10 draws (Song et al. 2023)",
    |objective, options| by_rule(LgdMc::with_draws(DRAWS, 0)?, objective, options),
)
.scaled(Scales {
    path: 0.0625,
    text: 64.0,
    seg: 181.01933598375618,
    sketch: 1448.1546878700494,
});

/// Loss guidance with Monte Carlo: `x_{t−1} −= s · ∇_{x_t} −log 1/n Σ exp(−ℓ(x̂0 + r_t ξ_i))` with
/// `r_t = √(1 − ᾱ_t)` and n = 10 (Song et al. 2023; r_t as the code of Ye et al. 2024 has it).
pub struct LgdMc {
    smoothing: MonteCarlo,
    seeded: SeededNoise,
}

impl LgdMc {
    /// The method with this smoothing.
    #[must_use]
    pub fn new(smoothing: MonteCarlo) -> Self {
        Self {
            smoothing,
            seeded: SeededNoise::new(Vec::new()),
        }
    }

    /// `draws` a step, from a seed.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if there are no draws.
    pub fn with_draws(draws: usize, seed: u64) -> Result<Self, GuidanceError> {
        Ok(Self::new(MonteCarlo::new(draws, seed)?))
    }
}

impl StepRule for LgdMc {
    fn name(&self) -> &str {
        "lgd-mc"
    }

    fn begin(&mut self, layout: &Layout) {
        self.seeded = self.smoothing.begin(layout);
    }

    fn evaluate(
        &mut self,
        loss: &mut dyn Loss,
        x0: &ArrayD<f32>,
        pair: StepPair,
    ) -> Result<LossValue, GuidanceError> {
        let radius = pair.from.noise_variance().sqrt();
        self.smoothing.evaluate(&mut self.seeded, loss, x0, radius)
    }

    fn factor(&self, _at: &SampleStep) -> f64 {
        1.0
    }
}
