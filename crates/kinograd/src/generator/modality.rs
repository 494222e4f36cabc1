//! What differs between clips and pictures in a run.

use std::ops::{ControlFlow, Range};

use kinograd_diffusion::{NoiseSource, Progress};
use kinograd_guidance::Objective;
use kinograd_motion::Provenance;
use kinograd_runtime::DenoiserBatch;
use ndarray::ArrayD;

use super::OpenModel;
use crate::Error;
use crate::observer::Observer;
use crate::task::{Checked, Spec};
use crate::warning::Warning;

/// What a generator makes, and how that is conditioned, steered and finished.
///
/// The run itself, its batches, steps and events, is written once, in [`Generator`](super::Generator).
pub trait Modality: Sized {
    /// The task's data.
    type Spec: Spec;
    /// What comes out, one for each sample.
    type Output;
    /// What a task comes to with this model: conditions, and files that were read.
    type Plan<'p>;
    /// What is kept of a batch's steps.
    type Trajectory: Trajectory;

    /// Checks a task against the model, reads its files and encodes its texts.
    ///
    /// # Errors
    /// [`Error::Task`] for what this model does not make, and what encoders and files give.
    fn plan(
        &mut self,
        model: &mut OpenModel,
        task: &Checked<Self::Spec>,
        observer: &mut dyn Observer,
    ) -> Result<Self::Plan<'static>, Error>;

    /// Samples that are drawn together at most.
    fn batch_size(&self) -> usize;

    /// Shape of a batch, as the sampler has it.
    fn shape(&self, task: &Self::Spec, batch: usize) -> Vec<usize>;

    /// What the denoiser is conditioned on.
    fn conditions(
        &self,
        model: &OpenModel,
        task: &Self::Spec,
        plan: &Self::Plan<'_>,
        batch: usize,
    ) -> DenoiserBatch;

    /// Noise of the samples `rows` of the task, which have these seeds.
    fn noise(
        &self,
        plan: &Self::Plan<'_>,
        rows: Range<usize>,
        seeds: &[u64],
    ) -> Box<dyn NoiseSource>;

    /// Whether anything steers.
    fn is_guided(task: &Self::Spec, plan: &Self::Plan<'_>) -> bool;

    /// What a batch is steered by.
    ///
    /// # Errors
    /// [`Error::Task`] for what this model cannot be steered by, and what the losses give.
    fn objective<'a>(
        &'a mut self,
        task: &Self::Spec,
        plan: &'a mut Self::Plan<'_>,
        batch: usize,
    ) -> Result<Objective<'a>, Error>;

    /// What will be kept of a batch of this many steps.
    fn trajectory(&self, plan: &Self::Plan<'_>, steps: usize) -> Self::Trajectory;

    /// Decodes x̂0, cleans up, measures and records.
    ///
    /// # Errors
    /// What the networks that measure give.
    fn finish(
        &mut self,
        model: &mut OpenModel,
        task: &Checked<Self::Spec>,
        plan: &mut Self::Plan<'_>,
        x0: &ArrayD<f32>,
        trajectory: &Self::Trajectory,
        seeds: &[u64],
    ) -> Result<Vec<Self::Output>, Error>;

    /// The seed of a sample that came out.
    fn seed(output: &Self::Output) -> Option<u64>;

    /// How good a sample is beside others of its task; more is better.
    fn score(output: &Self::Output) -> f64;

    /// A sample's record.
    fn record(output: &mut Self::Output) -> &mut Provenance;

    /// What the user should know of a sample.
    fn warning(model: &OpenModel, output: &Self::Output) -> Option<Warning>;

    /// All that the user should know of an output.
    fn warnings(model: &OpenModel, output: &Self::Output) -> Vec<Warning> {
        Self::warning(model, output).into_iter().collect()
    }
}

/// Follows the steps of a batch.
pub trait Trajectory {
    /// Takes a step, after its [`Event::Advanced`](crate::Event::Advanced); `Break` stops the run.
    fn step(&mut self, progress: &Progress<'_>, observer: &mut dyn Observer) -> ControlFlow<()>;
}
