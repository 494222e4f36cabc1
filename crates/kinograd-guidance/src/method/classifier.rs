use kinograd_diffusion::{DiffusionError, Guidance, Model, NoiseLevel, StepInfo};
use ndarray::ArrayD;

use super::GuidanceOptions;
use super::edit::{add_scaled, confine};
use crate::loss::finite;
use crate::{GuidanceError, LossValue};

const NAME: &str = "classifier";

/// A classifier that was trained on noised samples.
pub trait TimeClassifier {
    /// The classifier's name, for messages.
    fn name(&self) -> &str;

    /// `−log p_t(y | x_t)` per sample and its gradient on `x_t`, `[batch, ...]`, at a noise level.
    ///
    /// # Errors
    /// [`GuidanceError`] if `x_t` doesn't fit or the network behind it fails.
    fn value_and_grad(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<LossValue, GuidanceError>;
}

/// Classifier guidance (Dhariwal & Nichol 2021, algorithm 2):
/// `ε̂ = ε − s √(1 − ᾱ) ∇_{x_t} log p_t(y | x_t)`, which changes x̂0 by
/// `s (1 − ᾱ)/√ᾱ ∇ log p_t`. Needs the classifier's gradient and none of the denoiser.
pub struct ClassifierGuidance<C> {
    classifier: C,
    options: GuidanceOptions,
}

impl<C: TimeClassifier> ClassifierGuidance<C> {
    /// # Errors
    /// [`GuidanceError::Field`] if an option is out of range.
    pub fn new(classifier: C, options: GuidanceOptions) -> Result<Self, GuidanceError> {
        options.check()?;
        Ok(Self {
            classifier,
            options,
        })
    }

    fn edited(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let x0 = model.denoise(x_t, level)?;
        if !self.options.interval.contains(step.pair) || level.noise_variance() == 0.0 {
            return Ok(x0);
        }
        let change = self
            .change(x_t, level, step)
            .map_err(|error| error.during(NAME, level.timestep))?;
        Ok(x0 + change)
    }

    fn change(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, GuidanceError> {
        let value = self.classifier.value_and_grad(x_t, level)?;
        finite(self.classifier.name(), &value, x_t)?;
        let factor = level.noise_variance() / level.alpha_bar.sqrt();
        let mut change = ArrayD::zeros(x_t.raw_dim());
        add_scaled(
            &mut change,
            -self.options.strength(step.pair) * factor,
            &value.gradient,
        );
        confine(
            &mut change,
            step.layout,
            self.options.max_step_rms,
            self.classifier.name(),
        )?;
        Ok(change)
    }
}

impl<C: TimeClassifier> Guidance for ClassifierGuidance<C> {
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
        self.edited(model, x_t, step.pair.from, step)
    }

    fn predict_again(
        &mut self,
        model: &mut Model<'_>,
        x: &ArrayD<f32>,
        level: NoiseLevel,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.edited(model, x, level, step)
    }
}
