use kinograd_diffusion::{DiffusionError, Guidance, Model, StepInfo};
use ndarray::ArrayD;

use super::GuidanceOptions;
use super::dsg::posterior_mean;
use super::edit::{add_scaled, confine, not_negative};
use super::registry::{MethodInfo, Scales};
use crate::loss::checked;
use crate::{GuidanceError, Loss};

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "mean",
    "Guidance of the posterior mean, without the model's gradient (Xie et al. 2024)",
    |objective, options| {
        let loss = objective.into_loss()?;
        Ok(Box::new(MeanGuidance::new(
            MeanOptions::default(),
            loss,
            options,
        )?))
    },
)
.forward_only()
.scaled(Scales {
    path: 0.0625,
    text: 1.0,
    seg: 1.0,
    sketch: 1.0,
});

const NAME: &str = "mean";

/// What [`MeanGuidance`] can be tuned by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanOptions {
    /// Descent steps on the mean per sampling step; the authors take 10, and 500 near the end.
    pub inner_steps: usize,
    /// Least variance that multiplies the gradient, so that the last steps still move.
    pub min_variance: f64,
}

impl Default for MeanOptions {
    fn default() -> Self {
        Self {
            inner_steps: 10,
            min_variance: 0.01,
        }
    }
}

/// Spatial guidance of the posterior mean as in OmniControl (Xie et al. 2024):
/// `μ_t −= s · Var_t · ∇_μ ℓ(μ_t)`, some times a step, with the loss taken on the mean as if it
/// were clean. `x_{t−1}` moves along with its mean. Needs no gradient of the denoiser.
pub struct MeanGuidance<'a> {
    loss: Box<dyn Loss + 'a>,
    mean: MeanOptions,
    options: GuidanceOptions,
}

impl<'a> MeanGuidance<'a> {
    /// # Errors
    /// [`GuidanceError::Field`] if an option is out of range.
    pub fn new(
        mean: MeanOptions,
        loss: impl Loss + 'a,
        options: GuidanceOptions,
    ) -> Result<Self, GuidanceError> {
        options.check()?;
        not_negative("min_variance", mean.min_variance)?;
        Ok(Self {
            loss: Box::new(loss),
            mean,
            options,
        })
    }

    fn change(
        &mut self,
        mean: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, GuidanceError> {
        let variance = step
            .pair
            .posterior_std()
            .powi(2)
            .max(self.mean.min_variance);
        let size = self.options.strength(step.pair) * variance;
        let mut moved = mean.clone();
        for _ in 0..self.mean.inner_steps {
            let value = checked(self.loss.as_mut(), &moved)?;
            add_scaled(&mut moved, -size, &value.gradient);
        }
        let mut change = moved - mean;
        confine(
            &mut change,
            step.layout,
            self.options.max_step_rms,
            self.loss.name(),
        )?;
        Ok(change)
    }
}

impl Guidance for MeanGuidance<'_> {
    fn name(&self) -> &str {
        NAME
    }

    fn needs_gradient(&self) -> bool {
        false
    }

    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        model.denoise(x_t, step.pair.from)
    }

    fn correct(
        &mut self,
        x_next: &mut ArrayD<f32>,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<(), DiffusionError> {
        if self.options.interval.contains(step.pair) {
            let mean = posterior_mean(x_t, x0, step).mapv(|value| value as f32);
            let change = self
                .change(&mean, step)
                .map_err(|error| error.during(NAME, step.pair.from.timestep))?;
            *x_next += &change;
        }
        Ok(())
    }
}
