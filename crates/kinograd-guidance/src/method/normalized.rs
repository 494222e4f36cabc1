use super::registry::{MethodInfo, Scales, by_rule};
use super::{SampleStep, StepRule};

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "normalized",
    "A step of fixed length along the gradient (the code of Shen et al. 2024)",
    |objective, options| by_rule(NormalizedGradient, objective, options),
)
.scaled(Scales {
    path: 1.0,
    text: 2.82842712474619,
    seg: 8.0,
    sketch: 2.82842712474619,
});

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
