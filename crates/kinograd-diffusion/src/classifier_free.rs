//! Classifier-free guidance as one batched call.

use ndarray::{ArrayD, Axis, Slice, Zip, concatenate};

use crate::{Denoiser, DifferentiableDenoiser, DiffusionError, NoiseLevel, PullBack};

/// Classifier-free guidance (Ho & Salimans 2022) on x̂0:
/// `x̂0 = x̂0(null) + scale · (x̂0(condition) − x̂0(null))`.
///
/// The inner denoiser is called once with a batch of twice the size, `x_t` stacked on itself: its
/// first half must run with the conditions, its second half with the null condition.
#[derive(Debug, Clone)]
pub struct ClassifierFree<D> {
    inner: D,
    scale: f64,
}

impl<D> ClassifierFree<D> {
    /// `scale` 1 is the conditional model, 0 the unconditional one.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if `scale` is not finite.
    pub fn new(inner: D, scale: f64) -> Result<Self, DiffusionError> {
        if scale.is_finite() {
            Ok(Self { inner, scale })
        } else {
            Err(DiffusionError::Parameter {
                name: "cfg",
                value: scale.to_string(),
                expected: "must be a finite number",
            })
        }
    }

    /// The denoiser inside.
    pub fn inner_mut(&mut self) -> &mut D {
        &mut self.inner
    }
}

fn stacked(first: &ArrayD<f32>, second: &ArrayD<f32>) -> Result<ArrayD<f32>, DiffusionError> {
    concatenate(Axis(0), &[first.view(), second.view()]).map_err(|_| DiffusionError::Shape {
        what: "batch",
        expected: first.shape().to_vec(),
        got: second.shape().to_vec(),
    })
}

/// `a · first half + b · second half` of a stacked batch.
fn halves_combined(
    stacked: &ArrayD<f32>,
    like: &[usize],
    a: f64,
    b: f64,
) -> Result<ArrayD<f32>, DiffusionError> {
    let batch = like.first().copied().unwrap_or(0);
    let mut expected = like.to_vec();
    if let Some(first) = expected.first_mut() {
        *first = 2 * batch;
    }
    if stacked.shape() != expected {
        return Err(DiffusionError::Shape {
            what: "classifier-free batch",
            expected,
            got: stacked.shape().to_vec(),
        });
    }
    let first = stacked.slice_axis(Axis(0), Slice::from(..batch));
    let second = stacked.slice_axis(Axis(0), Slice::from(batch..));
    Ok(Zip::from(first)
        .and(second)
        .map_collect(|&x, &y| (a * f64::from(x) + b * f64::from(y)) as f32))
}

impl<D: Denoiser> Denoiser for ClassifierFree<D> {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let both = self.inner.denoise(&stacked(x_t, x_t)?, level)?;
        halves_combined(&both, x_t.shape(), self.scale, 1.0 - self.scale)
    }
}

impl<D: DifferentiableDenoiser> DifferentiableDenoiser for ClassifierFree<D> {
    fn linearize<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError> {
        let scale = self.scale;
        let (both, mut inner_pull_back) = self.inner.linearize(&stacked(x_t, x_t)?, level)?;
        let x0 = halves_combined(&both, x_t.shape(), scale, 1.0 - scale)?;
        let pull_back = move |cotangent: &ArrayD<f32>| {
            let scaled = |by: f64| cotangent.mapv(|v| (by * f64::from(v)) as f32);
            let both = inner_pull_back(&stacked(&scaled(scale), &scaled(1.0 - scale))?)?;
            halves_combined(&both, cotangent.shape(), 1.0, 1.0)
        };
        Ok((x0, Box::new(pull_back)))
    }
}
