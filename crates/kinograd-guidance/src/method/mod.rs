//! Guidance methods, one a file.
//!
//! The gradient methods share [`LossGuidance`]: each is a [`StepRule`] that says how far to move
//! `x_{t−1}` against the gradient.

mod capped_polyak;
mod dps;
mod freedom;
mod loss_guidance;
mod mpgd;
mod named;
mod normalized;
mod options;
mod path_projection;
mod polyak;
mod time_travel;

pub use capped_polyak::CappedPolyak;
pub use dps::Dps;
pub use freedom::FreeDom;
pub use loss_guidance::{GradientAt, LossGuidance, SampleStep, StepRule};
pub use mpgd::Mpgd;
pub use named::Method;
pub use normalized::NormalizedGradient;
pub use options::{GuidanceOptions, Interval};
pub use path_projection::{PathProjection, ProjectionOptions};
pub use polyak::Polyak;
pub use time_travel::TimeTravel;
