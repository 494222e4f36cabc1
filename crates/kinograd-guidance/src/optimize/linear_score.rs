use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, DiffusionError, NoiseLevel, PullBack};
use ndarray::{Array1, Array2, ArrayD, Axis};

use super::AdaptiveDenoiser;
use crate::GuidanceError;
use crate::projection::solve_positive;

/// The linear score of Gaussian data, `x̂0 = x̄ + √ᾱ Σ (ᾱΣ + (1 − ᾱ) I)⁻¹ (x_t − √ᾱ x̄)`, which
/// Algorithm 2 updates in closed form: with Σ fixed, score matching on all samples so far, those of
/// the first data and of every round with one weight each, has its least loss at their mean (Guo
/// et al. 2024, section 5).
#[derive(Debug, Clone)]
pub struct LinearScore {
    first_mean: Array1<f64>,
    mean: Array1<f64>,
    covariance: Array2<f64>,
    rounds: usize,
    cached: Option<(f64, Array2<f64>)>,
}

impl LinearScore {
    /// `mean`: `[n]` over a sample's elements; `covariance`: `[n, n]`, symmetric and positive
    /// semidefinite.
    ///
    /// # Errors
    /// [`GuidanceError::Shape`] if the sizes disagree; [`GuidanceError::Field`] if a number is not
    /// finite or the covariance not symmetric.
    pub fn new(mean: Array1<f64>, covariance: Array2<f64>) -> Result<Self, GuidanceError> {
        if covariance.shape() != [mean.len(), mean.len()] {
            return Err(GuidanceError::Shape {
                what: "covariance",
                expected: vec![mean.len(), mean.len()],
                got: covariance.shape().to_vec(),
            });
        }
        let asymmetry = (&covariance - &covariance.t()).mapv(f64::abs).sum();
        let finite = mean.iter().chain(&covariance).all(|v| v.is_finite());
        if !finite || asymmetry > 1e-9 * covariance.mapv(f64::abs).sum() {
            return Err(GuidanceError::Field {
                field: "covariance",
                value: "not finite or not symmetric".to_owned(),
                expected: "must be that of data",
            });
        }
        Ok(Self {
            first_mean: mean.clone(),
            mean,
            covariance,
            rounds: 0,
            cached: None,
        })
    }

    /// The mean that it now has.
    #[must_use]
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// `∂x̂0/∂x_t`, symmetric.
    fn jacobian(&mut self, level: NoiseLevel) -> Result<&Array2<f64>, DiffusionError> {
        let known = self.cached.take();
        let jacobian = match known {
            Some((alpha_bar, jacobian)) if alpha_bar == level.alpha_bar => jacobian,
            _ => self.solved(level)?,
        };
        Ok(&self.cached.insert((level.alpha_bar, jacobian)).1)
    }

    fn solved(&self, level: NoiseLevel) -> Result<Array2<f64>, DiffusionError> {
        let size = self.mean.len();
        let mut jacobian = Array2::zeros((size, size));
        if level.noise_variance() == 0.0 {
            // Without noise nothing is left to remove.
            return Ok(Array2::eye(size));
        }
        let system =
            &self.covariance * level.alpha_bar + Array2::<f64>::eye(size) * level.noise_variance();
        for (column, mut out) in self
            .covariance
            .axis_iter(Axis(1))
            .zip(jacobian.axis_iter_mut(Axis(1)))
        {
            let solution = solve_positive(system.clone(), column.to_vec()).ok_or_else(|| {
                DiffusionError::Parameter {
                    name: "covariance",
                    value: "indefinite".to_owned(),
                    expected: "must be positive semidefinite",
                }
            })?;
            out.assign(&(Array1::from(solution) * level.alpha_bar.sqrt()));
        }
        Ok(jacobian)
    }

    fn check(&self, x: &ArrayD<f32>) -> Result<(), DiffusionError> {
        let batch = x.shape().first().copied().unwrap_or(0);
        if x.len() == batch * self.mean.len() {
            Ok(())
        } else {
            Err(DiffusionError::Shape {
                what: "x_t",
                expected: vec![batch, self.mean.len()],
                got: x.shape().to_vec(),
            })
        }
    }
}

/// `f` of every sample, each as a list of its elements.
fn per_sample(x: &ArrayD<f32>, f: impl Fn(Array1<f64>) -> Array1<f64>) -> ArrayD<f32> {
    let mut out = x.clone();
    for mut sample in out.axis_iter_mut(Axis(0)) {
        let result = f(sample.iter().map(|&v| f64::from(v)).collect());
        for (out, value) in sample.iter_mut().zip(result) {
            *out = value as f32;
        }
    }
    out
}

impl Denoiser for LinearScore {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.check(x_t)?;
        let mean = self.mean.clone();
        let jacobian = self.jacobian(level)?;
        let signal = level.alpha_bar.sqrt();
        Ok(per_sample(x_t, |x| {
            &mean + &jacobian.dot(&(x - &mean * signal))
        }))
    }
}

impl DifferentiableDenoiser for LinearScore {
    fn linearize<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError> {
        let x0 = self.denoise(x_t, level)?;
        let jacobian = self.jacobian(level)?;
        let pull_back = move |v: &ArrayD<f32>| Ok(per_sample(v, |v| jacobian.t().dot(&v)));
        Ok((x0, Box::new(pull_back)))
    }
}

impl AdaptiveDenoiser for LinearScore {
    fn adapt(&mut self, generated: &ArrayD<f32>) -> Result<(), DiffusionError> {
        self.check(generated)?;
        let batch = generated.len_of(Axis(0)).max(1) as f64;
        let mut mean = Array1::<f64>::zeros(self.mean.len());
        for sample in generated.axis_iter(Axis(0)) {
            for (mean, &value) in mean.iter_mut().zip(&sample) {
                *mean += f64::from(value) / batch;
            }
        }
        self.rounds += 1;
        let share = 1.0 / (self.rounds as f64 + 1.0);
        self.mean = &self.mean * (1.0 - share) + mean * share;
        Ok(())
    }

    /// Of the mean that the score has now: each round is regularised towards what was learnt.
    fn moments_along(&self, gradient: &[f64]) -> Option<(f64, f64)> {
        if gradient.len() != self.mean.len() {
            return None;
        }
        let g = Array1::from(gradient.to_vec());
        Some((g.dot(&self.mean), g.dot(&self.covariance.dot(&g))))
    }
}

impl LinearScore {
    /// Back to what it was before [`AdaptiveDenoiser::adapt`].
    pub fn reset(&mut self) {
        self.mean = self.first_mean.clone();
        self.rounds = 0;
    }
}
