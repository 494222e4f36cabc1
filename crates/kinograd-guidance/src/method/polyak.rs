use super::{SampleStep, StepRule};

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
