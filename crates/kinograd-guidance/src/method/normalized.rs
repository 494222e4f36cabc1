use super::{SampleStep, StepRule};

/// The normalised gradient `x_{t−1} −= ρ · g / ‖g‖`, which the code of Shen et al. 2024 runs for
/// motion in place of the printed Polyak step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NormalizedGradient;

impl StepRule for NormalizedGradient {
    fn name(&self) -> &str {
        "normalized"
    }

    fn factor(&self, at: &SampleStep) -> f64 {
        1.0 / at.gradient_norm
    }
}
