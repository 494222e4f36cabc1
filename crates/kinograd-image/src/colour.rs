use kinograd_guidance::{GuidanceError, Loss, LossValue};
use ndarray::{ArrayD, ArrayView3, Axis};

use crate::batch::{images, root_mean_square};

/// Keeps the deviation's slope finite in flat images.
const FLOOR: f64 = 1e-8;

/// Mean and, where given, standard deviation of each channel's pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct ColourTarget {
    /// `[channels]`, in −1..1.
    pub means: Vec<f64>,
    /// `[channels]`; not compared if absent.
    pub deviations: Option<Vec<f64>>,
}

impl ColourTarget {
    /// The statistics of an image `[channels, height, width]`.
    #[must_use]
    pub fn of(image: ArrayView3<'_, f32>) -> Self {
        let (means, deviations) = image
            .axis_iter(Axis(0))
            .map(|plane| statistics(plane.iter().map(|&v| f64::from(v))))
            .unzip();
        Self {
            means,
            deviations: Some(deviations),
        }
    }
}

/// Mean and deviation.
fn statistics(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    (mean, (variance + FLOOR).sqrt())
}

/// Root mean square of the differences between an image's colour statistics and a target's.
#[derive(Debug, Clone)]
pub struct ColourStatistics {
    target: ColourTarget,
}

impl ColourStatistics {
    /// # Errors
    /// [`GuidanceError::Field`] if there are no channels, a number is not finite, or there are
    /// not as many deviations as means.
    pub fn new(target: ColourTarget) -> Result<Self, GuidanceError> {
        let deviations = target.deviations.as_deref().unwrap_or(&target.means);
        let finite = target.means.iter().chain(deviations).all(|v| v.is_finite());
        if finite && !target.means.is_empty() && deviations.len() == target.means.len() {
            return Ok(Self { target });
        }
        Err(GuidanceError::Field {
            field: "colour",
            value: format!("{target:?}"),
            expected: "must have a finite mean, and a deviation or none, for each channel",
        })
    }
}

impl Loss for ColourStatistics {
    fn name(&self) -> &str {
        "colour"
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let dynamic = x0.view();
        let view = images("colour", &dynamic)?;
        let (batch, channels, height, width) = view.dim();
        if channels != self.target.means.len() {
            return Err(GuidanceError::Shape {
                what: "image of these colours",
                expected: vec![batch, self.target.means.len(), height, width],
                got: x0.shape().to_vec(),
            });
        }
        let pixels = (height * width).max(1) as f64;
        let mut gradient = ArrayD::zeros(x0.raw_dim());
        let mut values = Vec::with_capacity(batch);
        for (image, mut out) in view.outer_iter().zip(gradient.axis_iter_mut(Axis(0))) {
            let found: Vec<(f64, f64)> = image
                .axis_iter(Axis(0))
                .map(|plane| statistics(plane.iter().map(|&v| f64::from(v))))
                .collect();
            let differences: Vec<(f64, f64)> = found
                .iter()
                .enumerate()
                .map(|(channel, (mean, deviation))| {
                    let wanted = self.target.deviations.as_ref();
                    let of_deviation = wanted.map_or(0.0, |wanted| deviation - wanted[channel]);
                    (mean - self.target.means[channel], of_deviation)
                })
                .collect();
            let squares = differences.iter().map(|(m, d)| m * m + d * d).sum();
            let compared = channels * (1 + usize::from(self.target.deviations.is_some()));
            let (value, factor) = root_mean_square(squares, compared as f64);
            for (channel, mut plane) in out.axis_iter_mut(Axis(0)).enumerate() {
                let ((mean, deviation), (of_mean, of_deviation)) =
                    (found[channel], differences[channel]);
                let source = image.index_axis(Axis(0), channel);
                for (out, &pixel) in plane.iter_mut().zip(source) {
                    let slope = of_mean + of_deviation * (f64::from(pixel) - mean) / deviation;
                    *out = (factor * slope / pixels) as f32;
                }
            }
            values.push(value);
        }
        Ok(LossValue { values, gradient })
    }
}
