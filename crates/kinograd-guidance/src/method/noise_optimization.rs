use std::ops::ControlFlow;

use kinograd_diffusion::{DiffusionError, Layout, Model, StepPair};
use ndarray::{Array2, ArrayD, Axis, Zip};
use serde::{Deserialize, Serialize};

use super::decorrelation::decorrelation;
use super::edit::{add_scaled, not_negative, same_shape};
use super::loss_guidance::norm;
use super::registry::MethodInfo;
use super::{AdamDps, StepRule};
use crate::loss::checked;
use crate::{GuidanceError, Loss};

const NAME: &str = "dno";

pub(super) const INFO: MethodInfo = MethodInfo::new(
    NAME,
    "Adam on the noise through the whole DDIM chain (Karunratanakul et al. 2024), many runs a sample",
    |_, _| {
        Err(GuidanceError::Field {
            field: "method",
            value: NAME.to_owned(),
            expected: "must act step by step; this one optimises the noise of a whole run",
        })
    },
)
.on_noise();

/// What [`NoiseOptimizer`] can be tuned by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoiseOptions {
    /// Adam steps; the authors take 300 to 800.
    pub iterations: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Weight of `‖x_T − its start‖`, which keeps to the first motion; 0.01 for the authors' edits.
    pub stay: f64,
    /// Weight of the noise's correlation with itself along the axis after the batch, by scale:
    /// structure in the noise is no noise any more. 1000 for the authors.
    pub decorrelate: f64,
}

impl Default for NoiseOptions {
    fn default() -> Self {
        Self {
            iterations: 300,
            learning_rate: 0.05,
            stay: 0.0,
            decorrelate: 0.0,
        }
    }
}

/// A finished or interrupted optimisation: the best of each sample.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimizedNoise {
    /// x_T, of the layout's shape.
    pub noise: ArrayD<f32>,
    /// What the chain makes of it.
    pub clean: ArrayD<f32>,
    /// Its loss per sample.
    pub losses: Vec<f64>,
}

/// Diffusion noise optimisation (Karunratanakul et al. 2024, DNO): Adam on x_T through the whole
/// deterministic DDIM chain, with a gradient of unit norm per sample.
///
/// Activations are checkpointed at the steps: the forward pass keeps every x_t, the backward pass
/// linearises there again. An iteration over n steps costs 2n forward and n backward calls and
/// the memory of n samples.
///
/// ```
/// use std::ops::ControlFlow;
/// use kinograd_diffusion::{Layout, Model, NoiseSchedule, Spacing};
/// use kinograd_guidance::{ClosureLoss, NoiseOptimizer, NoiseOptions};
/// use ndarray::ArrayD;
/// # use kinograd_testkit::GaussianDenoiser;
/// let steps = NoiseSchedule::cosine(1000)?.steps(Spacing::Trailing, 10)?;
/// let high = ClosureLoss::new("high", |x: &ArrayD<f32>| {
///     Ok((vec![-f64::from(x.sum())], ArrayD::from_elem(x.raw_dim(), -1.0)))
/// });
/// let options = NoiseOptions { iterations: 5, ..NoiseOptions::default() };
/// let best = NoiseOptimizer::new(options, high)?.run(
///     &mut Model::differentiable(&mut GaussianDenoiser::isotropic(0.0, 1.0)),
///     &steps,
///     &Layout::full(&[1, 4])?,
///     ArrayD::zeros(vec![1, 4]),
///     &mut |_, _, _| ControlFlow::Continue(()),
/// )?;
/// assert!(best.clean.sum() > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct NoiseOptimizer<'a> {
    options: NoiseOptions,
    loss: Box<dyn Loss + 'a>,
}

/// Told of every iteration's number, clean samples and losses per sample; `Break` stops with the best so
/// far.
pub type IterationObserver<'a> = dyn FnMut(usize, &ArrayD<f32>, &[f64]) -> ControlFlow<()> + 'a;

impl<'a> NoiseOptimizer<'a> {
    /// # Errors
    /// [`GuidanceError::Field`] if an option is negative or not finite.
    pub fn new(options: NoiseOptions, loss: impl Loss + 'a) -> Result<Self, GuidanceError> {
        not_negative("learning_rate", options.learning_rate)?;
        not_negative("stay", options.stay)?;
        not_negative("decorrelate", options.decorrelate)?;
        Ok(Self {
            options,
            loss: Box::new(loss),
        })
    }

    /// What it is tuned by.
    #[must_use]
    pub fn options(&self) -> NoiseOptions {
        self.options
    }

    /// Optimises from `start`, an x_T of the layout's shape.
    ///
    /// # Errors
    /// What the model returns; [`DiffusionError::NoGradient`] if it has no gradient;
    /// [`DiffusionError::Guidance`] if the loss fails or is not finite.
    pub fn run(
        &mut self,
        model: &mut Model<'_>,
        steps: &[StepPair],
        layout: &Layout,
        start: ArrayD<f32>,
        observer: &mut IterationObserver<'_>,
    ) -> Result<OptimizedNoise, DiffusionError> {
        if start.shape() != layout.shape() {
            return Err(DiffusionError::Shape {
                what: "x_T",
                expected: layout.shape().to_vec(),
                got: start.shape().to_vec(),
            });
        }
        if !model.has_gradient() {
            return Err(DiffusionError::NoGradient);
        }
        let mut adam = AdamDps::default();
        let mut noise = start.clone();
        let mut best: Option<OptimizedNoise> = None;
        for iteration in 0..=self.options.iterations {
            let states = chain(model, steps, &noise)?;
            let failed = |error: GuidanceError| {
                error.during(NAME, steps.last().map_or(0.0, |pair| pair.to.timestep))
            };
            let clean = states.last().unwrap_or(&noise);
            let value = checked(self.loss.as_mut(), clean).map_err(failed)?;
            keep_best(&mut best, &noise, clean, &value.values);
            let last = iteration == self.options.iterations;
            if observer(iteration, clean, &value.values).is_break() || last {
                break;
            }
            let mut gradient = pulled_back(model, steps, &noise, &states, value.gradient)?;
            self.add_stay(&mut gradient, &noise, &start, layout);
            self.add_decorrelation(&mut gradient, &noise, layout);
            unit_norm(&mut gradient, layout).map_err(failed)?;
            if let Some(&pair) = steps.first() {
                let direction = adam.direction(gradient, pair);
                add_scaled(&mut noise, -self.options.learning_rate, &direction);
            }
        }
        best.ok_or(DiffusionError::Cancelled)
    }

    /// Gradient of `decorrelate` times the noise's correlation with itself.
    fn add_decorrelation(&self, gradient: &mut ArrayD<f32>, noise: &ArrayD<f32>, layout: &Layout) {
        if self.options.decorrelate == 0.0 {
            return;
        }
        for (sample, &length) in layout.lengths().iter().enumerate() {
            let elements = layout.elements(sample);
            let rows = noise.index_axis(Axis(0), sample);
            let rows: Vec<f64> = rows.iter().take(elements).map(|&x| f64::from(x)).collect();
            let Ok(rows) = Array2::from_shape_vec((length, elements / length.max(1)), rows) else {
                continue;
            };
            let (_, slope) = decorrelation(rows.view());
            let mut out = gradient.index_axis_mut(Axis(0), sample);
            for (out, slope) in out.iter_mut().zip(&slope) {
                *out += (self.options.decorrelate * slope) as f32;
            }
        }
    }

    /// Gradient of `stay · ‖x_T − start‖`.
    fn add_stay(
        &self,
        gradient: &mut ArrayD<f32>,
        noise: &ArrayD<f32>,
        start: &ArrayD<f32>,
        layout: &Layout,
    ) {
        if self.options.stay == 0.0 {
            return;
        }
        let offset = noise - start;
        for sample in 0..layout.batch() {
            let offset = offset.index_axis(Axis(0), sample);
            let length = norm(offset.view(), layout.elements(sample));
            if length > 0.0 {
                let factor = (self.options.stay / length) as f32;
                gradient
                    .index_axis_mut(Axis(0), sample)
                    .scaled_add(factor, &offset);
            }
        }
    }
}

/// `(a, b)` of DDIM's `x_{t−1} = a x_t + b x̂0`.
fn coefficients(pair: StepPair) -> (f64, f64) {
    let keep = (pair.to.noise_variance() / pair.from.noise_variance()).sqrt();
    (
        keep,
        pair.to.alpha_bar.sqrt() - keep * pair.from.alpha_bar.sqrt(),
    )
}

/// Every state after x_T.
fn chain(
    model: &mut Model<'_>,
    steps: &[StepPair],
    start: &ArrayD<f32>,
) -> Result<Vec<ArrayD<f32>>, DiffusionError> {
    let mut states: Vec<ArrayD<f32>> = Vec::with_capacity(steps.len());
    for &pair in steps {
        let x_t = states.last().unwrap_or(start);
        let x0 = model.denoise(x_t, pair.from)?;
        let (keep, add) = coefficients(pair);
        let next = Zip::from(x_t)
            .and(&x0)
            .map_collect(|&x, &x0| (keep * f64::from(x) + add * f64::from(x0)) as f32);
        states.push(next);
    }
    Ok(states)
}

/// The gradient on x_T from the one on the clean sample.
fn pulled_back(
    model: &mut Model<'_>,
    steps: &[StepPair],
    start: &ArrayD<f32>,
    states: &[ArrayD<f32>],
    mut gradient: ArrayD<f32>,
) -> Result<ArrayD<f32>, DiffusionError> {
    for (index, &pair) in steps.iter().enumerate().rev() {
        let x_t = match index {
            0 => start,
            _ => &states[index - 1],
        };
        let (keep, add) = coefficients(pair);
        let (_, mut pull_back) = model.linearize(x_t, pair.from)?;
        let through = pull_back(&gradient)?;
        same_shape(&through, x_t)?;
        gradient.mapv_inplace(|g| (keep * f64::from(g)) as f32);
        add_scaled(&mut gradient, add, &through);
    }
    Ok(gradient)
}

fn unit_norm(gradient: &mut ArrayD<f32>, layout: &Layout) -> Result<(), GuidanceError> {
    for (sample, mut part) in gradient.axis_iter_mut(Axis(0)).enumerate() {
        let elements = layout.elements(sample);
        let length = norm(part.view(), elements);
        if !length.is_finite() {
            return Err(GuidanceError::NonFinite {
                loss: "gradient through the chain".to_owned(),
                sample,
            });
        }
        let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
        for (index, g) in part.iter_mut().enumerate() {
            let kept = if index < elements { factor } else { 0.0 };
            *g = (kept * f64::from(*g)) as f32;
        }
    }
    Ok(())
}

/// Each sample's best so far: they don't influence each other here either.
fn keep_best(
    best: &mut Option<OptimizedNoise>,
    noise: &ArrayD<f32>,
    clean: &ArrayD<f32>,
    losses: &[f64],
) {
    let Some(best) = best else {
        *best = Some(OptimizedNoise {
            noise: noise.clone(),
            clean: clean.clone(),
            losses: losses.to_vec(),
        });
        return;
    };
    for (sample, &loss) in losses.iter().enumerate() {
        if loss < best.losses[sample] {
            best.losses[sample] = loss;
            for (kept, new) in [(&mut best.noise, noise), (&mut best.clean, clean)] {
                kept.index_axis_mut(Axis(0), sample)
                    .assign(&new.index_axis(Axis(0), sample));
            }
        }
    }
}
