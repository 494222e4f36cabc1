use ndarray::ArrayD;

use super::{Loss, LossValue, checked};
use crate::GuidanceError;

/// A weighted sum of losses.
#[derive(Default)]
pub struct SumLoss<'a> {
    terms: Vec<(f64, Box<dyn Loss + 'a>)>,
}

impl<'a> SumLoss<'a> {
    /// A sum without terms, which is 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a term.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the weight is negative or not finite.
    pub fn with(mut self, weight: f64, loss: impl Loss + 'a) -> Result<Self, GuidanceError> {
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(GuidanceError::Field {
                field: "weight",
                value: weight.to_string(),
                expected: "must be a number that is not negative",
            });
        }
        self.terms.push((weight, Box::new(loss)));
        Ok(self)
    }
}

impl Loss for SumLoss<'_> {
    fn name(&self) -> &str {
        "sum"
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let batch = x0.shape().first().copied().unwrap_or(0);
        let mut total = LossValue {
            values: vec![0.0; batch],
            gradient: ArrayD::zeros(x0.raw_dim()),
        };
        for (weight, loss) in &mut self.terms {
            let term = checked(loss.as_mut(), x0)?;
            for (sum, value) in total.values.iter_mut().zip(&term.values) {
                *sum += *weight * value;
            }
            total.gradient.scaled_add(*weight as f32, &term.gradient);
        }
        Ok(total)
    }
}
