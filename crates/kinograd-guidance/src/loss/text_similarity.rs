//! Similarity to a text in a joint embedding space.

use ndarray::{Array2, ArrayD};

use super::{Loss, LossValue};
use crate::GuidanceError;

/// `v ↦ Jᵀv` of an embedding: `[batch, e]` to the shape of x̂0.
pub type EmbeddingPullBack<'a> = Box<
    dyn FnMut(&Array2<f32>) -> Result<ArrayD<f32>, Box<dyn std::error::Error + Send + Sync>> + 'a,
>;

/// A network that embeds x̂0.
pub trait Embedding {
    /// The embeddings `[batch, e]` of `x0`, `[batch, ...]`, and the map `v ↦ Jᵀv` there.
    ///
    /// # Errors
    /// The network's own.
    fn linearize<'a>(
        &'a mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(Array2<f32>, EmbeddingPullBack<'a>), Box<dyn std::error::Error + Send + Sync>>;
}

/// `1 − cos(embedding of x̂0, embedding of the text)`, 0 to 2, without unit.
pub struct TextSimilarity<E> {
    embedding: E,
    text: Vec<f64>,
}

impl<E: Embedding> TextSimilarity<E> {
    /// `text`: the prompt's embedding, `[e]`, of any length but 0.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if it is zero or not finite.
    pub fn new(embedding: E, text: &[f32]) -> Result<Self, GuidanceError> {
        let norm = text
            .iter()
            .map(|&t| f64::from(t).powi(2))
            .sum::<f64>()
            .sqrt();
        if !(norm.is_finite() && norm > 0.0) {
            return Err(GuidanceError::Field {
                field: "text embedding",
                value: format!("length {norm}"),
                expected: "must be finite and not zero",
            });
        }
        Ok(Self {
            embedding,
            text: text.iter().map(|&t| f64::from(t) / norm).collect(),
        })
    }
}

impl<E: Embedding> Loss for TextSimilarity<E> {
    fn name(&self) -> &str {
        "text"
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let failed = |source| GuidanceError::Loss {
            loss: "text".to_owned(),
            source,
        };
        let (embedded, mut pull_back) = self.embedding.linearize(x0).map_err(failed)?;
        let batch = x0.shape().first().copied().unwrap_or(0);
        if embedded.shape() != [batch, self.text.len()] {
            return Err(GuidanceError::Shape {
                what: "embedding",
                expected: vec![batch, self.text.len()],
                got: embedded.shape().to_vec(),
            });
        }
        let mut cotangent = Array2::zeros(embedded.raw_dim());
        let mut values = Vec::with_capacity(batch);
        for (row, mut out) in embedded.outer_iter().zip(cotangent.outer_iter_mut()) {
            let norm = row
                .iter()
                .map(|&e| f64::from(e).powi(2))
                .sum::<f64>()
                .sqrt();
            let norm = norm.max(f64::MIN_POSITIVE);
            let cosine: f64 = row
                .iter()
                .zip(&self.text)
                .map(|(&e, t)| f64::from(e) / norm * t)
                .sum();
            // ∂cos/∂e = (text − cos · e/‖e‖) / ‖e‖.
            for ((out, &e), t) in out.iter_mut().zip(row).zip(&self.text) {
                *out = (-(t - cosine * f64::from(e) / norm) / norm) as f32;
            }
            values.push(1.0 - cosine);
        }
        let gradient = pull_back(&cotangent).map_err(failed)?;
        Ok(LossValue { values, gradient })
    }
}
