use super::registry::{MethodInfo, Scales, by_rule};
use super::{SampleStep, StepRule};

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "freedom",
    "Training-free energy guidance, FreeDoM (Yu et al. 2023)",
    |objective, options| by_rule(FreeDom, objective, options),
)
.scaled(Scales {
    path: 0.5,
    text: 512.0,
    seg: 512.0,
    sketch: 512.0,
});

/// FreeDoM: `x_{t−1} −= ρ · √ᾱ_t · ∇_{x_t} ℓ` (Yu et al. 2023, algorithm 1, with the step size as
/// the code of Shen et al. 2024 has it). Its time travel is [`TimeTravel`](super::TimeTravel).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FreeDom;

impl StepRule for FreeDom {
    fn name(&self) -> &str {
        "freedom"
    }

    fn factor(&self, at: &SampleStep) -> f64 {
        at.pair.from.alpha_bar.sqrt()
    }
}
