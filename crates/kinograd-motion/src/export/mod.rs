//! Clips as files: GLB for engines, NPZ for NumPy, and how files are written.

mod atomic;
pub mod glb;
pub mod npz;
mod provenance;

pub use atomic::write_atomic;
pub use provenance::Provenance;

use glam::DVec3;

use crate::{Motion, MotionError};

/// Refuses what no file should hold: no frames, frames of unequal size, numbers that are not
/// finite, a frame rate that is not positive.
pub(crate) fn check_motion(motion: &Motion) -> Result<(), MotionError> {
    let refuse = |message: String| {
        Err(MotionError::Clip {
            clip: "motion".to_owned(),
            message,
        })
    };
    let joints = motion.skeleton.len();
    if joints == 0
        || motion.skeleton.parents.len() != joints
        || motion.skeleton.offsets_m.len() != joints
    {
        return refuse("the skeleton has no joints, or tables of unequal length".to_owned());
    }
    if motion.is_empty() {
        return refuse("no frames".to_owned());
    }
    if !(motion.fps.is_finite() && motion.fps > 0.0) {
        return refuse(format!(
            "{} frames per second; a positive number was expected",
            motion.fps
        ));
    }
    if motion.local_rotations.len() != motion.len() {
        return refuse(format!(
            "{} frames of rotations for {} root positions",
            motion.local_rotations.len(),
            motion.len()
        ));
    }
    if !motion.skeleton.offsets_m.iter().all(|o| o.is_finite()) {
        return refuse("the skeleton's offsets are not finite".to_owned());
    }
    let frames = motion.root_in_world_m.iter().zip(&motion.local_rotations);
    for (frame, (root, rotations)) in frames.enumerate() {
        if rotations.len() != joints {
            return refuse(format!(
                "frame {frame} has {} rotations for {joints} joints",
                rotations.len()
            ));
        }
        if !DVec3::is_finite(*root) || !rotations.iter().all(|r| r.is_finite()) {
            return refuse(format!("frame {frame} is not finite"));
        }
    }
    Ok(())
}
