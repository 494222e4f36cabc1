//! Minimum-norm changes of a root path that meet goals on the ground.

mod constraints;
mod linear;
mod solve;

pub(crate) use constraints::Side;
pub(crate) use linear::solve_positive;
pub(crate) use solve::{Correction, PathSolver};

/// Root channels of the features: heading velocity and the two planar velocities.
pub(crate) const CHANNELS: usize = 3;
