//! Skeletons, BVH, motion features and their adjoints, data sets, foot lock and export.

pub mod bvh;
pub mod ik;
pub mod mapping;
pub mod resample;
pub mod retarget;
mod error;
mod motion;
mod skeleton;

pub use error::MotionError;
pub use motion::Motion;
pub use skeleton::{JOINT_NAMES, JOINTS, PARENTS, REST_OFFSETS, Skeleton};
