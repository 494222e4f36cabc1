use super::registry::{MethodInfo, Scales, by_rule};
use super::{Polyak, SampleStep, StepRule};
use crate::GuidanceError;

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "polyak-capped",
    "Polyak step size, no longer than the sampler's own noise allows",
    |objective, options| by_rule(CappedPolyak::default(), objective, options),
)
.scaled(Scales {
    path: 0.25,
    text: 0.125,
    seg: 8.0,
    sketch: 2.8284271247461903,
});

/// The [`Polyak`] step, but a move never longer than `cap · √n · σ_t`, with n the numbers in the
/// sample and σ_t the deviation of the posterior `q(x_{t−1} | x_t, x0)`.
///
/// The cap keeps a move within what the sampler's own noise would do, where the printed step
/// leaves the data for small gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CappedPolyak {
    cap: f64,
}

impl Default for CappedPolyak {
    fn default() -> Self {
        Self { cap: 0.1 }
    }
}

impl CappedPolyak {
    /// # Errors
    /// [`GuidanceError::Field`] if `cap` is not a positive number.
    pub fn new(cap: f64) -> Result<Self, GuidanceError> {
        if cap.is_finite() && cap > 0.0 {
            Ok(Self { cap })
        } else {
            Err(GuidanceError::Field {
                field: "cap",
                value: cap.to_string(),
                expected: "must be a positive number",
            })
        }
    }
}

impl StepRule for CappedPolyak {
    fn name(&self) -> &str {
        "polyak-capped"
    }

    fn factor(&self, at: &SampleStep) -> f64 {
        let longest = self.cap * (at.elements as f64).sqrt() * at.pair.posterior_std();
        Polyak.factor(at).min(longest / at.gradient_norm)
    }
}
