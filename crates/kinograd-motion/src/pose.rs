//! A skeleton at one moment.

use glam::{DQuat, DVec3};

use crate::Skeleton;

/// A skeleton at one moment: where each joint lies in its parent's frame, the root in the world.
#[derive(Debug, Clone, PartialEq)]
pub struct Pose {
    /// Place of each joint from its parent, in the parent's frame, metres.
    pub translations_m: Vec<DVec3>,
    /// Rotation of each joint's frame in its parent's.
    pub rotations: Vec<DQuat>,
}

impl Pose {
    /// The rest pose of a skeleton, in which no joint is turned.
    #[must_use]
    pub fn rest(skeleton: &Skeleton) -> Self {
        Self {
            translations_m: skeleton.offsets_m.clone(),
            rotations: vec![DQuat::IDENTITY; skeleton.len()],
        }
    }

    /// The same joints, each in the world; `parents` as in [`Skeleton::parents`].
    #[must_use]
    pub fn in_world(mut self, parents: &[Option<usize>]) -> Self {
        for (joint, parent) in parents.iter().enumerate() {
            if let Some(parent) = *parent {
                let (place, turn) = (self.translations_m[parent], self.rotations[parent]);
                self.translations_m[joint] = place + turn * self.translations_m[joint];
                self.rotations[joint] = turn * self.rotations[joint];
            }
        }
        self
    }
}
