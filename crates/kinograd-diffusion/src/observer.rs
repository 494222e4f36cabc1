//! Progress and cancellation.

use std::ops::ControlFlow;

use ndarray::ArrayD;

use crate::StepPair;

/// A finished sampling step.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Which step, from 0.
    pub index: usize,
    /// Number of steps.
    pub total: usize,
    /// How often this step was redone before (time travel).
    pub repeat: usize,
    /// The noise levels it went between.
    pub pair: StepPair,
    /// Denoiser calls so far.
    pub calls: usize,
    /// x̂0 as used by the step.
    pub x0: &'a ArrayD<f32>,
    /// The sample after the step.
    pub x_next: &'a ArrayD<f32>,
}

/// Watches a sampling run, and may stop it.
///
/// Any `FnMut(&Progress) -> ControlFlow<()>` is an observer.
pub trait Observer {
    /// Called after every step; `Break` ends the run with
    /// [`DiffusionError::Cancelled`](crate::DiffusionError::Cancelled).
    fn step_done(&mut self, progress: &Progress<'_>) -> ControlFlow<()>;
}

impl<F: FnMut(&Progress<'_>) -> ControlFlow<()>> Observer for F {
    fn step_done(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        self(progress)
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn step_done(&mut self, _progress: &Progress<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
