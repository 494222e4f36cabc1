//! The two places where guidance enters a sampling step.

use ndarray::ArrayD;

use crate::{DiffusionError, Layout, Model, NoiseLevel, StepPair};

/// The step that is being taken.
#[derive(Debug, Clone, Copy)]
pub struct StepInfo<'a> {
    /// Which step, from 0.
    pub index: usize,
    /// Number of steps.
    pub total: usize,
    /// How often this step was redone before (time travel).
    pub repeat: usize,
    /// The noise levels it goes between.
    pub pair: StepPair,
    /// Shape and lengths of the batch.
    pub layout: &'a Layout,
}

/// Steers a sampling run. Samples of a batch don't influence each other.
///
/// The run calls [`predict`](Guidance::predict), lets the sampler step, then calls
/// [`correct`](Guidance::correct).
pub trait Guidance {
    /// The method's name, as the command line writes it.
    fn name(&self) -> &str;

    /// Whether the method needs Jᵀv of the denoiser.
    fn needs_gradient(&self) -> bool;

    /// Forgets the last run and checks that the batch fits.
    ///
    /// # Errors
    /// [`DiffusionError::Guidance`] if it doesn't.
    fn begin(&mut self, layout: &Layout) -> Result<(), DiffusionError> {
        let _ = layout;
        Ok(())
    }

    /// Evaluates the model at `x_t` and returns the x̂0 that the sampler steps with, edited or not.
    ///
    /// # Errors
    /// What the model returns; [`DiffusionError::Guidance`] for the method's own.
    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError>;

    /// As [`predict`](Guidance::predict), for a second evaluation inside a step of a higher-order
    /// sampler. Methods that edit x̂0 do it here too; others leave it alone.
    ///
    /// # Errors
    /// As [`predict`](Guidance::predict).
    fn predict_again(
        &mut self,
        model: &mut Model<'_>,
        x: &ArrayD<f32>,
        level: NoiseLevel,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let _ = step;
        model.denoise(x, level)
    }

    /// Edits the sampler's `x_{t−1}`, given the step's `x_t` and x̂0. Methods that only edit x̂0 leave
    /// it alone.
    ///
    /// # Errors
    /// [`DiffusionError::Guidance`] for the method's own.
    fn correct(
        &mut self,
        x_next: &mut ArrayD<f32>,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<(), DiffusionError> {
        let _ = (x_next, x_t, x0, step);
        Ok(())
    }

    /// How often the step is taken, at least once: after each but the last time the sample is
    /// noised back to `x_t` (time travel).
    fn visits(&self, step: &StepInfo<'_>) -> usize {
        let _ = step;
        1
    }
}

impl<G: Guidance + ?Sized> Guidance for Box<G> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn needs_gradient(&self) -> bool {
        (**self).needs_gradient()
    }

    fn begin(&mut self, layout: &Layout) -> Result<(), DiffusionError> {
        (**self).begin(layout)
    }

    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        (**self).predict(model, x_t, step)
    }

    fn predict_again(
        &mut self,
        model: &mut Model<'_>,
        x: &ArrayD<f32>,
        level: NoiseLevel,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        (**self).predict_again(model, x, level, step)
    }

    fn correct(
        &mut self,
        x_next: &mut ArrayD<f32>,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<(), DiffusionError> {
        (**self).correct(x_next, x_t, x0, step)
    }

    fn visits(&self, step: &StepInfo<'_>) -> usize {
        (**self).visits(step)
    }
}
