//! The prompt as a loss: how far the clip's embedding is from the text's.

use kinograd_guidance::{GuidanceError, Loss, LossValue};
use kinograd_runtime::MotionEmbedding;
use ndarray::{Array2, ArrayD};

/// `1 − cos(embedding of x̂0, embedding of the prompt)` by a package's motion embedding.
pub(crate) struct TextLoss<'a> {
    pub embedding: &'a mut MotionEmbedding,
    /// Frames of each clip of the batch.
    pub lengths: Vec<usize>,
    /// `[batch, e]`, unit length.
    pub text: Array2<f32>,
}

impl Loss for TextLoss<'_> {
    fn name(&self) -> &str {
        "text"
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let (values, gradient) = self
            .embedding
            .cosine_distance_and_grad(x0, &self.lengths, self.text.view())
            .map_err(|source| GuidanceError::Loss {
                loss: "text".to_owned(),
                source: Box::new(source),
            })?;
        Ok(LossValue { values, gradient })
    }
}
