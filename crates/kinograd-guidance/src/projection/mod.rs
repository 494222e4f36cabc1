//! Least changes of a clip that meet goals: of the root's path on the ground, and of all joints.

mod constraints;
mod linear;
mod motion;
mod own_numbers;
mod smooth;
mod solve;

pub(crate) use constraints::Side;
pub(crate) use linear::solve_positive;
pub(crate) use motion::MotionSolver;
pub(crate) use own_numbers::correction_on_x0;
pub(crate) use solve::{Correction, PathSolver};

/// Root channels of the features: heading velocity and the two planar velocities.
pub(crate) const CHANNELS: usize = 3;
