//! A skeletal animation: local rotations on a skeleton, frame by frame.

use glam::{DQuat, DVec3};
use ndarray::Array3;

use crate::{MotionError, Skeleton};

/// A clip of local joint rotations. World frame: Y up, metres, right-handed.
#[derive(Debug, Clone, PartialEq)]
pub struct Motion {
    /// The body that moves.
    pub skeleton: Skeleton,
    /// Frames per second.
    pub fps: f64,
    /// Root position in the world per frame, metres.
    pub root_in_world_m: Vec<DVec3>,
    /// Rotation of each joint's frame in its parent's, `[frame][joint]`; the root's is in the world.
    pub local_rotations: Vec<Vec<DQuat>>,
}

impl Motion {
    /// Number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.root_in_world_m.len()
    }

    /// Whether there are no frames.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root_in_world_m.is_empty()
    }

    /// Checks that the skeleton is sound, that every frame has a root and a rotation per joint,
    /// and that the rate and every number are finite.
    ///
    /// # Errors
    /// Says which frame or joint is at fault.
    pub fn validate(&self) -> Result<(), MotionError> {
        self.skeleton.validate()?;
        let bad = |message: String| MotionError::Format {
            format: "motion",
            message,
        };
        if !(self.fps.is_finite() && self.fps > 0.0) {
            return Err(bad(format!("frame rate {}", self.fps)));
        }
        if self.local_rotations.len() != self.len() {
            return Err(bad(format!(
                "{} roots, {} frames of rotations",
                self.len(),
                self.local_rotations.len()
            )));
        }
        for (frame, (root, rotations)) in self
            .root_in_world_m
            .iter()
            .zip(&self.local_rotations)
            .enumerate()
        {
            if rotations.len() != self.skeleton.len() {
                return Err(bad(format!(
                    "frame {frame} has {} rotations for {} joints",
                    rotations.len(),
                    self.skeleton.len()
                )));
            }
            if !root.is_finite() || rotations.iter().any(|q| !q.is_finite()) {
                return Err(bad(format!(
                    "frame {frame} has a number that is not finite"
                )));
            }
        }
        Ok(())
    }

    /// Refuses what no file should hold: no frames, frames of unequal size, numbers that are not
    /// finite, a frame rate that is not positive.
    ///
    /// # Errors
    /// [`MotionError::Clip`] with what is wrong.
    pub fn check_storable(&self) -> Result<(), MotionError> {
        let refuse = |message: String| {
            Err(MotionError::Clip {
                clip: "motion".to_owned(),
                message,
            })
        };
        let joints = self.skeleton.len();
        if joints == 0
            || self.skeleton.parents.len() != joints
            || self.skeleton.offsets_m.len() != joints
        {
            return refuse("the skeleton has no joints, or tables of unequal length".to_owned());
        }
        if self.is_empty() {
            return refuse("no frames".to_owned());
        }
        if !(self.fps.is_finite() && self.fps > 0.0) {
            return refuse(format!(
                "{} frames per second; a positive number was expected",
                self.fps
            ));
        }
        if self.local_rotations.len() != self.len() {
            return refuse(format!(
                "{} frames of rotations for {} root positions",
                self.local_rotations.len(),
                self.len()
            ));
        }
        if !self.skeleton.offsets_m.iter().all(|o| o.is_finite()) {
            return refuse("the skeleton's offsets are not finite".to_owned());
        }
        let frames = self.root_in_world_m.iter().zip(&self.local_rotations);
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

    /// Joint positions in the world by forward kinematics, `[frame][joint]`, metres.
    #[must_use]
    pub fn joints_in_world_m(&self) -> Vec<Vec<DVec3>> {
        let parents = &self.skeleton.parents;
        self.root_in_world_m
            .iter()
            .zip(&self.local_rotations)
            .map(|(&root, rotations)| {
                let mut world_rotations = Vec::with_capacity(parents.len());
                let mut positions = Vec::with_capacity(parents.len());
                for (joint, parent) in parents.iter().enumerate() {
                    match *parent {
                        None => {
                            world_rotations.push(rotations[joint]);
                            positions.push(root);
                        }
                        Some(parent) => {
                            let parent_rotation: DQuat = world_rotations[parent];
                            positions.push(
                                positions[parent]
                                    + parent_rotation * self.skeleton.offsets_m[joint],
                            );
                            world_rotations.push(parent_rotation * rotations[joint]);
                        }
                    }
                }
                positions
            })
            .collect()
    }
}

/// Joint positions in the world by forward kinematics, `[frames, joints, 3]`, metres, Y up.
#[must_use]
pub fn joints_array(motion: &Motion) -> Array3<f32> {
    let joints = motion.joints_in_world_m();
    Array3::from_shape_fn(
        (motion.len(), motion.skeleton.len(), 3),
        |(frame, joint, axis)| joints[frame][joint][axis] as f32,
    )
}
