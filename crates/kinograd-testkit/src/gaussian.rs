//! The exact denoiser of Gaussian data.

use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, DiffusionError, NoiseLevel, PullBack};
use ndarray::{Array1, Array2, ArrayD};

/// `E[x0 | x_t]` for data `x0 ~ N(mean, covariance)`:
/// `x̂0 = μ + √ᾱ Σ (ᾱΣ + (1 − ᾱ) I)⁻¹ (x_t − √ᾱ μ)`.
///
/// A sample is cut into consecutive blocks of the mean's size that are independent of each other.
#[derive(Debug, Clone)]
pub struct GaussianDenoiser {
    mean: Array1<f64>,
    covariance: Array2<f64>,
}

impl GaussianDenoiser {
    /// `mean`: `[d]`; `covariance`: `[d, d]`, symmetric, positive semidefinite.
    ///
    /// # Panics
    /// If the shapes disagree.
    #[must_use]
    pub fn new(mean: Array1<f64>, covariance: Array2<f64>) -> Self {
        assert_eq!(covariance.shape(), [mean.len(), mean.len()]);
        Self { mean, covariance }
    }

    /// Independent elements with the same mean and variance.
    #[must_use]
    pub fn isotropic(mean: f64, variance: f64) -> Self {
        Self::new(
            Array1::from_elem(1, mean),
            Array2::from_elem((1, 1), variance),
        )
    }

    /// `J = ∂x̂0/∂x_t` of a block, `[d, d]`.
    #[must_use]
    pub fn jacobian(&self, level: NoiseLevel) -> Array2<f64> {
        let size = self.mean.len();
        let system =
            &self.covariance * level.alpha_bar + Array2::<f64>::eye(size) * (1.0 - level.alpha_bar);
        // Σ and the system commute and are symmetric, so S⁻¹Σ is Σ S⁻¹.
        solve(system, self.covariance.clone()) * level.alpha_bar.sqrt()
    }

    fn apply(&self, x: &ArrayD<f32>, f: impl Fn(&[f64]) -> Vec<f64>) -> ArrayD<f32> {
        let flat: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
        let out: Vec<f32> = flat
            .chunks(self.mean.len())
            .flat_map(f)
            .map(|v| v as f32)
            .collect();
        ArrayD::from_shape_vec(x.raw_dim(), out)
            .unwrap_or_else(|_| ArrayD::from_elem(x.raw_dim(), f32::NAN))
    }
}

impl Denoiser for GaussianDenoiser {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        if !x_t.len().is_multiple_of(self.mean.len()) {
            return Err(DiffusionError::Shape {
                what: "x_t",
                expected: vec![self.mean.len()],
                got: x_t.shape().to_vec(),
            });
        }
        let jacobian = self.jacobian(level);
        let signal = level.alpha_bar.sqrt();
        Ok(self.apply(x_t, |block| {
            let offset = &Array1::from_vec(block.to_vec()) - &(&self.mean * signal);
            (&self.mean + &jacobian.dot(&offset)).to_vec()
        }))
    }
}

impl DifferentiableDenoiser for GaussianDenoiser {
    fn linearize<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError> {
        let x0 = self.denoise(x_t, level)?;
        let transposed = self.jacobian(level).reversed_axes();
        let this: &'a Self = self;
        Ok((
            x0,
            Box::new(move |cotangent| {
                Ok(this.apply(cotangent, |block| {
                    transposed.dot(&Array1::from_vec(block.to_vec())).to_vec()
                }))
            }),
        ))
    }
}

/// `A⁻¹ B` for a positive definite A, by Gauss–Jordan elimination.
fn solve(mut a: Array2<f64>, mut b: Array2<f64>) -> Array2<f64> {
    for pivot in 0..a.nrows() {
        let scale = 1.0 / a[[pivot, pivot]];
        a.row_mut(pivot).mapv_inplace(|v| v * scale);
        b.row_mut(pivot).mapv_inplace(|v| v * scale);
        let (a_row, b_row) = (a.row(pivot).to_owned(), b.row(pivot).to_owned());
        for row in (0..a.nrows()).filter(|&row| row != pivot) {
            let factor = a[[row, pivot]];
            a.row_mut(row).scaled_add(-factor, &a_row);
            b.row_mut(row).scaled_add(-factor, &b_row);
        }
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tolerance, assert_close, central_difference, inner_product};
    use ndarray::{IxDyn, array};

    fn denoiser() -> GaussianDenoiser {
        GaussianDenoiser::new(array![1.0, -2.0], array![[2.0, 0.6], [0.6, 0.5]])
    }

    const LEVEL: NoiseLevel = NoiseLevel {
        timestep: 0.0,
        alpha_bar: 0.3,
    };

    #[test]
    fn one_dimension_is_the_textbook_posterior_mean() {
        let x = ArrayD::from_elem(IxDyn(&[1, 1]), 0.7_f32);
        let got = GaussianDenoiser::isotropic(2.0, 3.0)
            .denoise(&x, LEVEL)
            .unwrap();
        // Precision-weighted mean of the prior and the observation x/√ᾱ with variance σ².
        let variance = (1.0 - 0.3) / 0.3;
        let observation = f64::from(0.7_f32) / 0.3_f64.sqrt();
        let expected = (2.0 / 3.0 + observation / variance) / (1.0 / 3.0 + 1.0 / variance);
        assert!((f64::from(got[[0, 0]]) - expected).abs() < 1e-6);
    }

    #[test]
    fn the_pull_back_is_the_gradient() {
        let x = array![[0.3_f32, 1.0], [-1.0, 0.2]].into_dyn();
        let v = array![[1.0_f32, 0.5], [-0.3, 2.0]].into_dyn();
        let mut model = denoiser();
        let (_, mut pull_back) = model.linearize(&x, LEVEL).unwrap();
        let got = pull_back(&v).unwrap();
        let f = |x: &ArrayD<f32>| inner_product(&denoiser().denoise(x, LEVEL).unwrap(), &v);
        assert_close(
            &got,
            &central_difference(f, &x, 1e-2),
            Tolerance::Approximate,
        );
    }
}
