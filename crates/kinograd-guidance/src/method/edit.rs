//! What methods share that edit x̂0 or add moves of their own.

use kinograd_diffusion::{DiffusionError, Layout};
use ndarray::{ArrayD, Axis};

use super::loss_guidance::norm;
use crate::GuidanceError;

/// `out += factor · direction`, each element in f64.
pub(super) fn add_scaled(out: &mut ArrayD<f32>, factor: f64, direction: &ArrayD<f32>) {
    out.zip_mut_with(direction, |out, &d| {
        *out = (f64::from(*out) + factor * f64::from(d)) as f32;
    });
}

/// Zeroes a change in the padding and shortens it to `max_step_rms · √n` for each sample.
pub(super) fn confine(
    change: &mut ArrayD<f32>,
    layout: &Layout,
    max_step_rms: Option<f64>,
    what: &str,
) -> Result<(), GuidanceError> {
    for (sample, mut part) in change.axis_iter_mut(Axis(0)).enumerate() {
        let elements = layout.elements(sample);
        let length = norm(part.view(), elements);
        if !length.is_finite() {
            return Err(GuidanceError::NonFinite {
                loss: format!("gradient of {what}"),
                sample,
            });
        }
        let longest = max_step_rms.map_or(f64::INFINITY, |rms| rms * (elements as f64).sqrt());
        let factor = if length > longest {
            longest / length
        } else {
            1.0
        };
        for (index, element) in part.iter_mut().enumerate() {
            *element = if index < elements {
                (factor * f64::from(*element)) as f32
            } else {
                0.0
            };
        }
    }
    Ok(())
}

/// Refuses a pulled-back gradient of another shape than `x_t`.
pub(super) fn same_shape(gradient: &ArrayD<f32>, x_t: &ArrayD<f32>) -> Result<(), DiffusionError> {
    if gradient.shape() == x_t.shape() {
        Ok(())
    } else {
        Err(DiffusionError::Shape {
            what: "pulled-back gradient",
            expected: x_t.shape().to_vec(),
            got: gradient.shape().to_vec(),
        })
    }
}

/// Refuses a number that is negative or not finite.
pub(super) fn not_negative(field: &'static str, value: f64) -> Result<(), GuidanceError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(GuidanceError::Field {
            field,
            value: value.to_string(),
            expected: "must be a number that is not negative",
        })
    }
}
