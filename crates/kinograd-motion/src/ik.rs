//! Rotations from joint positions, and two-bone inverse kinematics of limbs.

mod align;
mod fit;
mod limb;
mod places;

pub use fit::fit_rotations;
pub use limb::{Limb, TwoBone, reach, two_bone};
pub use places::{Place, reach_places};

pub(crate) use align::{best_rotation, swing};
pub(crate) use places::offsets_to;
