use super::{SampleStep, StepRule};

/// Diffusion posterior sampling: `x_{t−1} −= s · ∇_{x_t} ‖y − A(x̂0)‖` (Chung et al. 2022,
/// algorithm 1 with its ζ = ζ′/‖y − A(x̂0)‖).
///
/// The loss is taken as the squared norm of a residual, so its root is the norm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dps;

impl StepRule for Dps {
    fn name(&self) -> &str {
        "dps"
    }

    fn factor(&self, at: &SampleStep) -> f64 {
        if at.loss > 0.0 {
            0.5 / at.loss.sqrt()
        } else {
            0.0
        }
    }
}
