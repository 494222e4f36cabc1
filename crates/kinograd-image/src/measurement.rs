use kinograd_guidance::{GuidanceError, Loss, LossValue};
use ndarray::{Array3, ArrayD, ArrayView3, Axis};

use crate::ImageOperator;
use crate::batch::{images, root_mean_square};

/// Root mean square of `A x̂0 − y` over the measured pixels: inpainting, super-resolution,
/// deblurring (Chung et al. 2022 take the residual's norm, which is this times a constant).
#[derive(Debug, Clone)]
pub struct LinearMeasurement {
    name: &'static str,
    operator: ImageOperator,
    measured: Array3<f64>,
}

impl LinearMeasurement {
    /// `measured`: y, `[channels, height, width]` as the operator gives it, in −1..1. Under a mask
    /// of weights it is the whole image; what the mask drops is not read.
    ///
    /// # Errors
    /// [`GuidanceError::Shape`] if `measured` is of another size than the operator gives.
    pub fn new(
        name: &'static str,
        operator: ImageOperator,
        measured: ArrayView3<'_, f32>,
    ) -> Result<Self, GuidanceError> {
        let (channels, height, width) = measured.dim();
        let [expected_height, expected_width] = operator.output_size();
        if [height, width] != [expected_height, expected_width] {
            return Err(GuidanceError::Shape {
                what: "measured image",
                expected: vec![channels, expected_height, expected_width],
                got: measured.shape().to_vec(),
            });
        }
        let mut measured = measured.mapv(f64::from);
        if operator.is_mask() {
            measured = operator.apply(measured.view());
        }
        Ok(Self {
            name,
            operator,
            measured,
        })
    }
}

impl Loss for LinearMeasurement {
    fn name(&self) -> &str {
        self.name
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let dynamic = x0.view();
        let view = images("measured image", &dynamic)?;
        let [height, width] = self.operator.input_size();
        let channels = self.measured.dim().0;
        if view.shape()[1..] != [channels, height, width] {
            return Err(GuidanceError::Shape {
                what: "image",
                expected: vec![view.dim().0, channels, height, width],
                got: x0.shape().to_vec(),
            });
        }
        let count = self.operator.measured_pixels() * channels as f64;
        let mut gradient = ArrayD::zeros(x0.raw_dim());
        let mut values = Vec::with_capacity(view.dim().0);
        for (image, mut out) in view.outer_iter().zip(gradient.axis_iter_mut(Axis(0))) {
            let residual = self.operator.apply(image.mapv(f64::from).view()) - &self.measured;
            let squares = residual.iter().map(|r| r * r).sum();
            let (value, factor) = root_mean_square(squares, count);
            let pulled = self.operator.adjoint(residual.view());
            for (out, pulled) in out.iter_mut().zip(&pulled) {
                *out = (factor * pulled) as f32;
            }
            values.push(value);
        }
        Ok(LossValue { values, gradient })
    }
}
