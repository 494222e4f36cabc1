//! Tolerances, goldens and gradient checks for Kinograd's tests.
//!
//! - [`assert_close`] compares arrays and names the first bad index.
//! - [`Golden`] reads `tests/golden/<name>/io.npz`.
//! - [`central_difference`] is the second witness of a gradient.
//! - [`Mutator`] damages inputs.
//! - [`skip`] leaves a test out where a machine lacks something, but not in CI.
//! - [`workspace`] is where the repository lies.
//! - [`GaussianDenoiser`] is the exact denoiser of Gaussian data, with its Jacobian.

mod close;
mod difference;
mod gaussian;
mod golden;
mod mutate;
mod noise;
mod skip;
mod workspace;

pub use close::{Tolerance, assert_close, compare};
pub use difference::{central_difference, inner_product};
pub use gaussian::GaussianDenoiser;
pub use golden::Golden;
pub use mutate::Mutator;
pub use noise::RecordedNoise;
pub use skip::skip;
pub use workspace::workspace;
