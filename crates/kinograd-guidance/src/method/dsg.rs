use kinograd_diffusion::{DiffusionError, Guidance, Layout, Model, SamplerKind, StepInfo};
use ndarray::{ArrayD, Axis};

use super::GuidanceOptions;
use super::edit::{not_negative, same_shape};
use super::loss_guidance::norm;
use super::registry::{MethodInfo, Scales};
use crate::loss::checked;
use crate::{GuidanceError, Loss};

/// w at scale 1.
const WEIGHT: f64 = 0.3;

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "dsg",
    "Diffusion with spherical Gaussian constraint (Yang et al. 2024)",
    |objective, options| {
        let loss = objective.into_loss()?;
        Ok(Box::new(Dsg::new(WEIGHT, loss, options)?))
    },
)
.sampled_by(SamplerKind::Ddpm)
.scaled(Scales {
    path: 0.0625,
    text: 1.0,
    seg: 1.0,
    sketch: 1.0,
});

const NAME: &str = "dsg";

/// Diffusion with spherical Gaussian constraint (Yang et al. 2024): with μ and σ_t the mean and
/// deviation of the posterior `q(x_{t−1} | x_t, x̂0)` and d the sampler's own noise,
///
/// `d* = −√n σ_t g/‖g‖`, `m = d + w (d* − d)`, `x_{t−1} = μ + √n σ_t m/‖m‖`.
///
/// Every move has the length that the noise has in n dimensions, so the sample stays where the
/// denoiser was trained. Steps as the paper's with [`Ddpm`](kinograd_diffusion::Ddpm) or DDIM at
/// eta 1; with a sampler without noise, d is what its step goes beyond μ. In the last step σ_t is
/// 0 and nothing moves. The scale and its schedule multiply w, which is kept within 0..=1.
pub struct Dsg<'a> {
    loss: Box<dyn Loss + 'a>,
    weight: f64,
    options: GuidanceOptions,
    gradient: Option<ArrayD<f32>>,
}

impl<'a> Dsg<'a> {
    /// `weight`: w, 0 for the sampler's noise alone, 1 for the steepest descent on the sphere.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the weight is beyond 0..=1 or an option out of range.
    pub fn new(
        weight: f64,
        loss: impl Loss + 'a,
        options: GuidanceOptions,
    ) -> Result<Self, GuidanceError> {
        options.check()?;
        not_negative("weight", weight)?;
        if weight > 1.0 {
            return Err(GuidanceError::Field {
                field: "weight",
                value: weight.to_string(),
                expected: "must lie within 0..=1",
            });
        }
        Ok(Self {
            loss: Box::new(loss),
            weight,
            options,
            gradient: None,
        })
    }
}

impl Guidance for Dsg<'_> {
    fn name(&self) -> &str {
        NAME
    }

    fn needs_gradient(&self) -> bool {
        true
    }

    fn begin(&mut self, _layout: &Layout) -> Result<(), DiffusionError> {
        self.gradient = None;
        Ok(())
    }

    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let level = step.pair.from;
        self.gradient = None;
        if !self.options.interval.contains(step.pair) || step.pair.posterior_std() == 0.0 {
            return model.denoise(x_t, level);
        }
        let (x0, mut pull_back) = model.linearize(x_t, level)?;
        let value =
            checked(self.loss.as_mut(), &x0).map_err(|error| error.during(NAME, level.timestep))?;
        let gradient = pull_back(&value.gradient)?;
        same_shape(&gradient, x_t)?;
        self.gradient = Some(gradient);
        drop(pull_back);
        Ok(x0)
    }

    fn correct(
        &mut self,
        x_next: &mut ArrayD<f32>,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<(), DiffusionError> {
        let Some(gradient) = self.gradient.take() else {
            return Ok(());
        };
        let weight = (self.weight * self.options.strength(step.pair)).min(1.0);
        let mean = posterior_mean(x_t, x0, step);
        for sample in 0..step.layout.batch() {
            let elements = step.layout.elements(sample);
            let g = gradient.index_axis(Axis(0), sample);
            let slope = norm(g.view(), elements);
            if !slope.is_finite() {
                let fault = GuidanceError::NonFinite {
                    loss: format!("gradient of {}", self.loss.name()),
                    sample,
                };
                return Err(fault.during(NAME, step.pair.from.timestep));
            }
            let radius = (elements as f64).sqrt() * step.pair.posterior_std();
            if slope == 0.0 || weight == 0.0 {
                continue;
            }
            let mean = mean.index_axis(Axis(0), sample);
            let mut out = x_next.index_axis_mut(Axis(0), sample);
            let mut mixed: Vec<f64> = Vec::with_capacity(elements);
            for ((&x, &mean), &g) in out.iter().zip(&mean).zip(&g).take(elements) {
                let drawn = f64::from(x) - mean;
                let steepest = -radius * f64::from(g) / slope;
                mixed.push(drawn + weight * (steepest - drawn));
            }
            let length = mixed.iter().map(|m| m * m).sum::<f64>().sqrt();
            let mut factor = if length > 0.0 { radius / length } else { 0.0 };
            if let Some(max_step_rms) = self.options.max_step_rms {
                factor = factor
                    .min(max_step_rms * (elements as f64).sqrt() / length.max(f64::MIN_POSITIVE));
            }
            for ((x, &mean), m) in out.iter_mut().zip(&mean).zip(mixed) {
                *x = (mean + factor * m) as f32;
            }
        }
        Ok(())
    }
}

/// Mean of `q(x_{t−1} | x_t, x̂0)` (Ho et al. 2020, eq. 7).
pub(super) fn posterior_mean(
    x_t: &ArrayD<f32>,
    x0: &ArrayD<f32>,
    step: &StepInfo<'_>,
) -> ArrayD<f64> {
    let pair = step.pair;
    let variance = pair.from.noise_variance();
    let on_noisy = pair.alpha().sqrt() * pair.to.noise_variance() / variance;
    let on_clean = pair.to.alpha_bar.sqrt() * (1.0 - pair.alpha()) / variance;
    ndarray::Zip::from(x_t)
        .and(x0)
        .map_collect(|&x, &x0| on_noisy * f64::from(x) + on_clean * f64::from(x0))
}
