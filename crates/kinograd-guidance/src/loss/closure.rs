use ndarray::ArrayD;

use super::{Loss, LossValue};
use crate::GuidanceError;

/// What a closure behind a loss may fail with.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A loss from a closure: x̂0 `[batch, ...]` to the values `[batch]` and the gradient.
pub struct ClosureLoss<F> {
    name: String,
    evaluate: F,
}

impl<F> ClosureLoss<F>
where
    F: FnMut(&ArrayD<f32>) -> Result<(Vec<f64>, ArrayD<f32>), Failure>,
{
    /// Names a closure.
    pub fn new(name: impl Into<String>, evaluate: F) -> Self {
        Self {
            name: name.into(),
            evaluate,
        }
    }
}

impl<F> Loss for ClosureLoss<F>
where
    F: FnMut(&ArrayD<f32>) -> Result<(Vec<f64>, ArrayD<f32>), Failure>,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let (values, gradient) = (self.evaluate)(x0).map_err(|source| GuidanceError::Loss {
            loss: self.name.clone(),
            source,
        })?;
        Ok(LossValue { values, gradient })
    }
}
