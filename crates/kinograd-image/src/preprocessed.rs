//! Networks and losses that see pictures through a map.

use kinograd_guidance::{GuidanceError, Loss, LossValue};
use ndarray::ArrayD;

use crate::network::{Failure, Network, NetworkPullBack};
use crate::preprocessing::Preprocessing;

/// A network that sees pictures through a [`Preprocessing`].
pub struct Preprocessed<N> {
    network: N,
    preprocessing: Preprocessing,
}

impl<N: Network> Preprocessed<N> {
    /// `network` takes what `preprocessing` makes.
    pub fn new(network: N, preprocessing: Preprocessing) -> Self {
        Self {
            network,
            preprocessing,
        }
    }
}

impl<N: Network> Network for Preprocessed<N> {
    fn batch(&self) -> Option<usize> {
        self.network.batch()
    }

    fn linearize<'a>(
        &'a mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkPullBack<'a>), Failure> {
        let preprocessing = &self.preprocessing;
        let (output, mut pull_back) = self.network.linearize(&preprocessing.apply(x0)?)?;
        let x0 = x0.clone();
        Ok((
            output,
            Box::new(move |cotangent| Ok(preprocessing.adjoint(&x0, &pull_back(cotangent)?)?)),
        ))
    }
}

/// A loss on pictures that are seen through a [`Preprocessing`].
pub struct PreprocessedLoss<L> {
    loss: L,
    preprocessing: Preprocessing,
}

impl<L: Loss> PreprocessedLoss<L> {
    /// `loss` takes what `preprocessing` makes.
    pub fn new(loss: L, preprocessing: Preprocessing) -> Self {
        Self {
            loss,
            preprocessing,
        }
    }
}

impl<L: Loss> Loss for PreprocessedLoss<L> {
    fn name(&self) -> &str {
        self.loss.name()
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let seen = self.preprocessing.apply(x0)?;
        let LossValue { values, gradient } = self.loss.value_and_grad(&seen)?;
        let gradient = self.preprocessing.adjoint(x0, &gradient)?;
        Ok(LossValue { values, gradient })
    }
}
