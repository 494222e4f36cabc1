//! How samples lie in a network's batch.

use ndarray::{ArrayD, ArrayViewD};

use super::batch::DenoiserBatch;
use crate::{RuntimeError, Tensor};

/// How the samples of one modality lie in the network's batch, once per condition.
///
/// Several conditions are combined as `x̂0 = Σ weight · x̂0(condition)`, with weights that sum to 1.
pub(super) trait SampleLayout: Send {
    /// Sets what the next calls make.
    fn set(&mut self, batch: DenoiserBatch) -> Result<(), RuntimeError>;

    /// `scale · x` once per condition, one after the other, as the network takes it.
    fn stacked(&mut self, x: &ArrayD<f32>, scale: Scale) -> Result<ArrayD<f32>, RuntimeError>;

    /// The network's inputs besides x_t and the time, for what was stacked last.
    fn conditions(&self) -> &[(String, Tensor)];

    /// `skip · x + Σ scale · part` of a network's output, `x` as the sampler has it.
    fn combined(
        &self,
        output: ArrayViewD<'_, f32>,
        scale: Scale,
        x: &ArrayD<f32>,
        skip: f64,
    ) -> Result<ArrayD<f32>, RuntimeError>;
}

/// What each condition's samples are multiplied by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    /// By this.
    All(f64),
    /// By the condition's weight, and this.
    Weighted(f64),
}

pub(super) fn another_modality(expected: &str) -> RuntimeError {
    RuntimeError::Parameter {
        name: "batch",
        value: "of another modality".into(),
        expected: format!("the model makes {expected}"),
    }
}
