//! Gradients by central differences.

use ndarray::ArrayD;

/// `∂f/∂x` by central differences with steps of about `step`, for f32 inputs: the step is
/// measured after rounding.
pub fn central_difference(
    mut f: impl FnMut(&ArrayD<f32>) -> f64,
    x: &ArrayD<f32>,
    step: f32,
) -> ArrayD<f64> {
    let mut probe = x.as_standard_layout().into_owned();
    let values = (0..x.len()).map(|index| {
        let mut at = |offset: f32| {
            let value = probe.iter_mut().nth(index).map(|value| {
                *value += offset;
                *value
            });
            let result = f(&probe);
            (f64::from(value.unwrap_or(f32::NAN)), result)
        };
        let (low_x, low) = at(-step);
        let (high_x, high) = at(2.0 * step);
        if let (Some(value), Some(original)) = (probe.iter_mut().nth(index), x.iter().nth(index)) {
            *value = *original;
        }
        (high - low) / (high_x - low_x)
    });
    let values: Vec<f64> = values.collect();
    ArrayD::from_shape_vec(x.raw_dim(), values).unwrap_or_else(|_| ArrayD::zeros(x.raw_dim()))
}

/// `Σ a·b` in f64, for `<u, Jv> = <Jᵀu, v>`.
#[must_use]
pub fn inner_product(a: &ArrayD<f32>, b: &ArrayD<f32>) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tolerance, assert_close};
    use ndarray::array;

    #[test]
    fn differentiates_a_cubic() {
        let x = array![[1.0_f32, -2.0], [0.5, 3.0]].into_dyn();
        let f = |x: &ArrayD<f32>| x.iter().map(|&x| f64::from(x).powi(3)).sum();
        let expected = x.mapv(|x| 3.0 * f64::from(x).powi(2));
        let tolerance = Tolerance::Within {
            absolute: 1e-5,
            relative: 0.0,
        };
        assert_close(&central_difference(f, &x, 1e-3), &expected, tolerance);
    }
}
