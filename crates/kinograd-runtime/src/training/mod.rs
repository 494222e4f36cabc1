//! Training of ONNX models: gradients by their weights, and Adam.
//!
//! A [`TrainingSession`] holds the chosen weights outside the graphs, so that nothing is rebuilt
//! between two steps; a [`DenoiserTrainer`] fits a denoiser to clips by denoising score matching.

mod adam;
mod denoiser;
mod session;

pub use adam::Adam;
pub use denoiser::{DenoiserTrainer, TrainingClips};
pub use session::{TrainingSession, WeightChoice};
