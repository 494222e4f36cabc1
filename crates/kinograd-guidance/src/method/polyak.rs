use super::registry::{MethodInfo, Scales, by_rule};
use super::{SampleStep, StepRule};

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "polyak",
    "Polyak step size as printed (Shen et al. 2024)",
    |objective, options| by_rule(Polyak, objective, options),
)
.scaled(Scales {
    path: 1.0,
    text: 8.0,
    seg: 0.015624999999999998,
    sketch: 0.015624999999999998,
});

/// Polyak step size as printed: `x_{t−1} −= η · ‖ε‖ / ‖g‖² · g` (Shen et al. 2024,
/// arXiv 2403.12404, algorithm 2 without augmentation).
///
/// The move is `η · ‖ε‖ / ‖g‖` long, without bound as the gradient vanishes: see
/// [`CappedPolyak`](super::CappedPolyak).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polyak;

impl StepRule for Polyak {
    fn name(&self) -> &str {
        "polyak"
    }

    fn factor(&self, at: &SampleStep) -> f64 {
        at.noise_norm / (at.gradient_norm * at.gradient_norm)
    }
}
