//! The prompt as a loss: how far the clip's embedding is from the text's.

use std::ops::Range;

use kinograd_guidance::{GuidanceError, Loss, LossValue};
use kinograd_runtime::{MotionEmbedding, RuntimeError};
use ndarray::{Array2, ArrayD, s};

/// A prompt's part of the clips.
pub(crate) struct TextPart {
    /// Its frames.
    pub frames: Range<usize>,
    /// `[batch, e]`, unit length.
    pub text: Array2<f32>,
}

/// Mean over the prompts, by their frames, of `1 − cos(embedding of that part of x̂0, embedding of
/// the prompt)` by a package's motion embedding.
pub(crate) struct TextLoss<'a> {
    pub embedding: &'a mut MotionEmbedding,
    pub parts: Vec<TextPart>,
}

impl TextLoss<'_> {
    fn evaluate(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, RuntimeError> {
        let batch = x0.shape().first().copied().unwrap_or(0);
        let mut total = LossValue {
            values: vec![0.0; batch],
            gradient: ArrayD::zeros(x0.raw_dim()),
        };
        let frames: usize = self.parts.iter().map(|part| part.frames.len()).sum();
        for part in &self.parts {
            let Range { start, end } = part.frames;
            let share = part.frames.len() as f64 / frames.max(1) as f64;
            let of_part = x0.slice(s![.., start..end, ..]).to_owned().into_dyn();
            let lengths = vec![part.frames.len(); batch];
            let (values, gradient) =
                self.embedding
                    .cosine_distance_and_grad(&of_part, &lengths, part.text.view())?;
            for (sum, value) in total.values.iter_mut().zip(values) {
                *sum += share * value;
            }
            let mut out = total.gradient.slice_mut(s![.., start..end, ..]);
            out.scaled_add(share as f32, &gradient);
        }
        Ok(total)
    }
}

impl Loss for TextLoss<'_> {
    fn name(&self) -> &str {
        "text"
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        self.evaluate(x0).map_err(|source| GuidanceError::Loss {
            loss: "text".to_owned(),
            source: Box::new(source),
        })
    }
}
