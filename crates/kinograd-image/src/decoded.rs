//! Losses on pictures that a network decodes from latents.

use kinograd_guidance::{GuidanceError, Loss, LossValue};
use ndarray::ArrayD;

use crate::Network;

/// A loss on pictures as a loss on the latents that they are decoded from: x̂0 is `[batch, ...]` of
/// latents, and the gradient is pulled back through the decoder, `∂ℓ/∂x̂0 = Jᵀ ∂ℓ/∂picture`.
pub struct DecodedLossAdapter<N, L> {
    decoder: N,
    loss: L,
}

impl<N: Network, L: Loss> DecodedLossAdapter<N, L> {
    /// `decoder`: latents to pictures, sample by sample of the batch.
    pub fn new(decoder: N, loss: L) -> Self {
        Self { decoder, loss }
    }
}

impl<N: Network, L: Loss> Loss for DecodedLossAdapter<N, L> {
    fn name(&self) -> &str {
        self.loss.name()
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let failed = |source| GuidanceError::Loss {
            loss: "decoder".to_owned(),
            source,
        };
        let (pictures, mut pull_back) = self.decoder.linearize(x0).map_err(failed)?;
        let LossValue { values, gradient } = self.loss.value_and_grad(&pictures)?;
        let gradient = pull_back(&gradient).map_err(failed)?;
        Ok(LossValue { values, gradient })
    }
}
