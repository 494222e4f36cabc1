use super::registry::{MethodInfo, Scales, by_rule};
use super::{GradientAt, SampleStep, StepRule};

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "mpgd",
    "Manifold-preserving guidance, without the model's gradient (He et al. 2023)",
    |objective, options| by_rule(Mpgd, objective, options),
)
.forward_only()
.scaled(Scales {
    path: 0.5,
    text: 181.01933598375618,
    seg: 512.0,
    sketch: 512.0,
});

/// Manifold-preserving guided diffusion without autoencoder: `x̂0 −= s · ∂ℓ/∂x̂0`, then the
/// sampler's step with the noise of the unedited x̂0 (He et al. 2023, algorithm 1).
///
/// With DDIM that is the unguided step and `x_{t−1} −= √ᾱ_{t−1} · s · ∂ℓ/∂x̂0`, which is how it
/// runs here with any sampler. Needs no gradient of the denoiser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mpgd;

impl StepRule for Mpgd {
    fn name(&self) -> &str {
        "mpgd"
    }

    fn gradient_at(&self) -> GradientAt {
        GradientAt::Denoised
    }

    fn factor(&self, at: &SampleStep) -> f64 {
        at.pair.to.alpha_bar.sqrt()
    }
}
