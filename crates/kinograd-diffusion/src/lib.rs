//! Noise schedules, samplers and denoiser traits for diffusion models.
//!
//! A schedule is a table of ᾱ; [`NoiseSchedule::steps`] turns it into explicit pairs of noise
//! levels, and [`sample`] walks them: the [`Guidance`] or the [`Model`] gives x̂0, the [`Sampler`]
//! takes the step. Scalars are `f64`, tensors `f32`; noise and seeds are passed in.

#![warn(clippy::integer_division)]

mod classifier_free;
mod denoiser;
mod error;
mod guidance;
mod layout;
mod model;
mod noise;
mod observer;
mod run;
mod sampler;
mod schedule;
mod spacing;
mod step;

pub use classifier_free::ClassifierFree;
pub use denoiser::{Denoiser, DifferentiableDenoiser, NoiseLevel, PullBack};
pub use error::DiffusionError;
pub use guidance::{Guidance, StepInfo};
pub use layout::Layout;
pub use model::Model;
pub use noise::{NoiseSource, SeededNoise};
pub use observer::{NoObserver, Observer, Progress};
pub use run::{sample, sample_from};
pub use sampler::{Consistency, Ddim, Ddpm, DpmSolverPp2m, Heun, Reevaluate, Sampler, SamplerKind};
pub use schedule::NoiseSchedule;
pub use spacing::Spacing;
pub use step::StepPair;
