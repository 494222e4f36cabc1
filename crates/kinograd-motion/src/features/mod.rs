//! HumanML3D motion features: 263 numbers a frame at 20 fps.
//!
//! Source: Guo et al., "Generating Diverse and Natural 3D Human Motions from Text" (CVPR 2022),
//! `motion_representation.py` and `skeleton.py` of the authors' repository. `N` frames of joints
//! give `N − 1` frames of features:
//!
//! | columns | content | frame |
//! |---|---|---|
//! | 0 | heading velocity: half the turn to the next frame, negated (the y of the published quaternion), rad | world |
//! | 1..3 | root velocity x, z, m per frame | heading of the next frame |
//! | 3 | root height, m | world |
//! | 4..67 | positions of joints 1..22, x and z from the root, y from the floor, m | heading |
//! | 67..193 | rotations of the bones that end in joints 1..22, first two columns of the matrix | see below |
//! | 193..259 | velocities of the 22 joints, m per frame | heading |
//! | 259..263 | contacts of left ankle, left toe, right ankle, right toe, 0 or 1 | – |
//!
//! The heading is the published one: across the body from hips and shoulders, smoothed by a
//! Gaussian of 20 frames, and zero at frame 0 ([`Heading::Published`]). It includes the published
//! quirk that the hips enter with the opposite sign of the shoulders; [`Heading::Corrected`] does not.
//!
//! Two differences from the published arrays, both on purpose:
//!
//! - Where the heading crosses ±180° the published quaternion changes sign, so that its arcsine
//!   gives the turn with the wrong sign and everything decoded after it is turned. Here the turn is
//!   always the shorter one, and the round trip is exact.
//! - The published rotations come from an IK that knows bone directions only (no twist) and starts
//!   each chain from the inverse of the heading. Here they are the clip's own rotations, in the same
//!   slots: the slot of a joint holds the rotation that carries the bone from its parent, relative
//!   to the bone before it in the chain; chains start from the heading. Forward kinematics over
//!   [`CHAINS`] with the canonical offsets gives back the joints.

mod absolute;
mod adjoint;
mod decode;
mod encode;
mod heading;
mod normalizer;
mod representation;
mod rotations;

pub use absolute::{absolute_from_relative, relative_from_absolute, relative_from_absolute_vjp};
pub use adjoint::{decode_joints_vjp, decode_root_path_vjp};
pub use decode::{decode_headings, decode_joints, decode_root_path, motion_from_features};
pub use encode::{
    FloorLevel, canonicalize, features_from_joints, features_from_motion, floor_height_m,
    joints_from_motion,
};
pub use heading::{Heading, gaussian_smooth, headings_from_joints, wrap_angle};
pub use normalizer::{Normalizer, group_std};
pub use representation::{MotionRepresentation, RootForm};

use ndarray::ArrayView2;

use crate::{JOINTS, MotionError};

/// Features a frame.
pub const FEATURES: usize = 263;
/// Frame rate of the features.
pub const FEATURE_FPS: f64 = 20.0;
/// Column of the heading velocity.
pub const YAW_VELOCITY: usize = 0;
/// First column of the root's velocity (x, then z).
pub const ROOT_VELOCITY: usize = 1;
/// Column of the root's height.
pub const ROOT_HEIGHT: usize = 3;
/// First column of the joint positions.
pub const POSITIONS: usize = 4;
/// First column of the rotations.
pub const ROTATIONS: usize = POSITIONS + 3 * (JOINTS - 1);
/// First column of the joint velocities.
pub const VELOCITIES: usize = ROTATIONS + 6 * (JOINTS - 1);
/// First column of the foot contacts.
pub const CONTACTS: usize = VELOCITIES + 3 * JOINTS;

/// A foot joint is in contact below this squared displacement to the next frame, m².
pub const CONTACT_THRESHOLD_M2: f64 = 0.002;
/// Joints of the contact columns: left ankle, left toe, right ankle, right toe.
pub const CONTACT_JOINTS: [usize; 4] = [7, 10, 8, 11];

/// Kinematic chains, as published; the rotation of a chain's first joint is the heading.
pub const CHAINS: [&[usize]; 5] = [
    &[0, 2, 5, 8, 11],
    &[0, 1, 4, 7, 10],
    &[0, 3, 6, 9, 12, 15],
    &[9, 14, 17, 19, 21],
    &[9, 13, 16, 18, 20],
];

fn check_features(features: &ArrayView2<'_, f32>) -> Result<(), MotionError> {
    if features.ncols() == FEATURES {
        Ok(())
    } else {
        Err(MotionError::Shape {
            what: "features",
            expected: format!("[frames, {FEATURES}]"),
            got: features.shape().to_vec(),
        })
    }
}
