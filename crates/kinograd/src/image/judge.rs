//! Networks of the runtime as losses see them.

use kinograd_image::{Network, NetworkPullBack};
use kinograd_runtime::OnnxNetwork;
use ndarray::ArrayD;

/// A network as a loss sees it.
pub(super) struct Judge<'a>(pub(super) &'a mut OnnxNetwork);

impl Network for Judge<'_> {
    fn batch(&self) -> Option<usize> {
        self.0.batch()
    }

    fn linearize<'b>(
        &'b mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkPullBack<'b>), Box<dyn std::error::Error + Send + Sync>> {
        let (output, mut pull_back) = self.0.linearize(x0)?;
        Ok((output, Box::new(move |cotangent| Ok(pull_back(cotangent)?))))
    }
}
