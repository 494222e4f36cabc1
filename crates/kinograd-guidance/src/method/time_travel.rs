use kinograd_diffusion::{DiffusionError, Guidance, Layout, Model, NoiseLevel, StepInfo};
use ndarray::ArrayD;

use super::TimestepInterval;
use crate::GuidanceError;

/// Takes each step of a window several times: after each visit but the last, the sample is noised
/// back to `x_t` (Lugmayr et al. 2022, resampling; Yu et al. 2023, algorithm 2).
pub struct TimeTravel<G> {
    inner: G,
    visits: usize,
    window: TimestepInterval,
}

impl<G: Guidance> TimeTravel<G> {
    /// `visits`: how often each step of the window is taken; 1 changes nothing.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if `visits` is 0 or the window is empty.
    pub fn new(inner: G, visits: usize, window: TimestepInterval) -> Result<Self, GuidanceError> {
        window.check()?;
        if visits == 0 {
            return Err(GuidanceError::Field {
                field: "time travel",
                value: "0 visits".to_owned(),
                expected: "must visit each step at least once",
            });
        }
        Ok(Self {
            inner,
            visits,
            window,
        })
    }
}

impl<G: Guidance> Guidance for TimeTravel<G> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn needs_gradient(&self) -> bool {
        self.inner.needs_gradient()
    }

    fn begin(&mut self, layout: &Layout) -> Result<(), DiffusionError> {
        self.inner.begin(layout)
    }

    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.inner.predict(model, x_t, step)
    }

    fn predict_again(
        &mut self,
        model: &mut Model<'_>,
        x: &ArrayD<f32>,
        level: NoiseLevel,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.inner.predict_again(model, x, level, step)
    }

    fn correct(
        &mut self,
        x_next: &mut ArrayD<f32>,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<(), DiffusionError> {
        self.inner.correct(x_next, x_t, x0, step)
    }

    fn visits(&self, step: &StepInfo<'_>) -> usize {
        let inner = self.inner.visits(step);
        if self.window.contains(step.pair) {
            inner * self.visits
        } else {
            inner
        }
    }
}
