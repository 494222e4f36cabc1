//! A skeletal animation: local rotations on a skeleton, frame by frame.

use std::collections::BTreeMap;

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
    /// Joints below the root whose offset from the parent moves: the offset in each frame, in the
    /// parent's frame, metres, in place of the skeleton's. Rigs with a root above the hips need it.
    pub translations: BTreeMap<usize, Vec<DVec3>>,
}

impl Motion {
    /// A clip whose joints only turn, but for the root.
    #[must_use]
    pub fn new(
        skeleton: Skeleton,
        fps: f64,
        root_in_world_m: Vec<DVec3>,
        local_rotations: Vec<Vec<DQuat>>,
    ) -> Self {
        Self {
            skeleton,
            fps,
            root_in_world_m,
            local_rotations,
            translations: BTreeMap::new(),
        }
    }

    /// Where a joint lies from its parent in a frame, in the parent's frame, metres.
    #[must_use]
    pub fn offset_m(&self, frame: usize, joint: usize) -> DVec3 {
        self.translations
            .get(&joint)
            .map_or(self.skeleton.offsets_m[joint], |offsets| offsets[frame])
    }

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
        self.check_translations().map_err(bad)?;
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
        if let Err(message) = self.check_translations() {
            return refuse(message);
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

    /// Every joint that translates is there, is not the root, and has a finite offset per frame.
    fn check_translations(&self) -> Result<(), String> {
        for (&joint, offsets) in &self.translations {
            if joint == 0 || joint >= self.skeleton.len() {
                return Err(format!(
                    "translations of joint {joint}; joints 1 to {} may translate",
                    self.skeleton.len().saturating_sub(1)
                ));
            }
            let name = &self.skeleton.names[joint];
            if offsets.len() != self.len() {
                return Err(format!(
                    "joint `{name}` has {} translations for {} frames",
                    offsets.len(),
                    self.len()
                ));
            }
            if let Some(frame) = offsets.iter().position(|o| !o.is_finite()) {
                return Err(format!(
                    "the translation of joint `{name}` in frame {frame} is not finite"
                ));
            }
        }
        Ok(())
    }

    /// Joint positions in the world by forward kinematics, `[frame][joint]`, metres.
    #[must_use]
    pub fn joints_in_world_m(&self) -> Vec<Vec<DVec3>> {
        (0..self.len())
            .map(|frame| self.joint_poses_in_world(frame).0)
            .collect()
    }

    /// Positions, metres, and rotations of all joints of a frame in the world.
    #[must_use]
    pub fn joint_poses_in_world(&self, frame: usize) -> (Vec<DVec3>, Vec<DQuat>) {
        let parents = &self.skeleton.parents;
        let rotations = &self.local_rotations[frame];
        let mut turned: Vec<DQuat> = Vec::with_capacity(parents.len());
        let mut positions: Vec<DVec3> = Vec::with_capacity(parents.len());
        for (joint, parent) in parents.iter().enumerate() {
            match *parent {
                None => {
                    turned.push(rotations[joint]);
                    positions.push(self.root_in_world_m[frame]);
                }
                Some(parent) => {
                    let above = turned[parent];
                    positions.push(positions[parent] + above * self.offset_m(frame, joint));
                    turned.push(above * rotations[joint]);
                }
            }
        }
        (positions, turned)
    }

    /// The clip turned about the origin: the rest pose stays as it is.
    #[must_use]
    pub fn turned(mut self, turn: DQuat) -> Self {
        for root in &mut self.root_in_world_m {
            *root = turn * *root;
        }
        for rotations in &mut self.local_rotations {
            if let Some(root) = rotations.first_mut() {
                *root = (turn * *root).normalize();
            }
        }
        self
    }

    /// The clip in other axes and another unit: every place `p` becomes `scale * turn * p`, and
    /// every joint's frame turns with the world's, so that the rest pose is turned too.
    #[must_use]
    pub fn in_axes(mut self, turn: DQuat, scale: f64) -> Self {
        if scale == 1.0 && turn == DQuat::IDENTITY {
            return self;
        }
        let place = |p: &mut DVec3| *p = turn * *p * scale;
        self.skeleton.offsets_m.iter_mut().for_each(place);
        self.root_in_world_m.iter_mut().for_each(place);
        self.translations.values_mut().flatten().for_each(place);
        if turn != DQuat::IDENTITY {
            let back = turn.conjugate();
            for rotation in self.local_rotations.iter_mut().flatten() {
                *rotation = (turn * *rotation * back).normalize();
            }
        }
        self
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
