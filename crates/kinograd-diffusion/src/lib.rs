//! Noise schedules, samplers and denoiser traits for diffusion models.

mod denoiser;
mod error;

pub use denoiser::{Denoiser, DifferentiableDenoiser, NoiseLevel, PullBack};
pub use error::DiffusionError;
