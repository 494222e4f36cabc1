//! The pose in which a skeleton is bound to its skin.

use glam::DQuat;
use serde::{Deserialize, Serialize};

use crate::{Motion, Skeleton};

/// How far the arms of an A-pose hang below the horizontal, degrees; Unreal's mannequins have them
/// near this.
pub const A_POSE_DEG: f64 = 45.0;

/// Joints whose arm is lowered, with the sign of the turn about +Z.
const SHOULDERS: [(usize, f64); 2] = [(16, -1.0), (17, 1.0)];

/// The pose of a skeleton that nothing turns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RestPose {
    /// Arms held out to the sides.
    #[default]
    T,
    /// Arms lowered by [`A_POSE_DEG`].
    A,
}

impl RestPose {
    /// Both.
    pub const ALL: [Self; 2] = [Self::T, Self::A];

    /// As people type it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::T => "t",
            Self::A => "a",
        }
    }

    /// How each joint of the canonical body is turned in the world against the T-pose.
    #[must_use]
    pub fn turns(self, skeleton: &Skeleton) -> Vec<DQuat> {
        let mut turns = vec![DQuat::IDENTITY; skeleton.len()];
        if self == Self::T {
            return turns;
        }
        for (joint, parent) in skeleton.parents.iter().enumerate() {
            let own = SHOULDERS.iter().find(|(shoulder, _)| *shoulder == joint);
            turns[joint] = match (own, *parent) {
                (Some((_, sign)), _) => DQuat::from_rotation_z(sign * A_POSE_DEG.to_radians()),
                (None, Some(parent)) => turns[parent],
                (None, None) => DQuat::IDENTITY,
            };
        }
        turns
    }
}

/// The same motion of a skeleton whose joints rest turned by `turns` in the world: offsets are those
/// of the new rest pose, and joint frames are again parallel to the world in it.
pub(super) fn rested(motion: &mut Motion, turns: &[DQuat]) {
    let parents = &motion.skeleton.parents;
    for (joint, parent) in parents.iter().enumerate() {
        let Some(parent) = *parent else { continue };
        let turn = turns[parent];
        if turn == DQuat::IDENTITY {
            continue;
        }
        motion.skeleton.offsets_m[joint] = turn * motion.skeleton.offsets_m[joint];
        let way = motion.translations.get_mut(&joint);
        way.into_iter()
            .flatten()
            .for_each(|offset| *offset = turn * *offset);
    }
    for rotations in &mut motion.local_rotations {
        for (joint, parent) in parents.iter().enumerate() {
            let above = parent.map_or(DQuat::IDENTITY, |parent| turns[parent]);
            if above != DQuat::IDENTITY || turns[joint] != DQuat::IDENTITY {
                rotations[joint] = above * rotations[joint] * turns[joint].conjugate();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{largest_distance_m, rest_positions};
    use crate::synth::synth_walk;

    #[test]
    fn arms_hang_at_the_angle_and_the_motion_is_the_same() {
        let walk = synth_walk(1.2, 2.0, 20.0);
        let mut lowered = walk.clone();
        rested(&mut lowered, &RestPose::A.turns(&walk.skeleton));
        let rest = rest_positions(&lowered.skeleton);
        for (shoulder, wrist) in [(16, 20), (17, 21)] {
            let arm = rest[wrist] - rest[shoulder];
            let below = (-arm.y).atan2(arm.x.abs()).to_degrees();
            assert!((below - A_POSE_DEG).abs() < 1e-9, "{below}");
        }
        assert!(largest_distance_m(&walk, &lowered) < 1e-9);
        let back: Vec<DQuat> = RestPose::A.turns(&walk.skeleton);
        let back: Vec<DQuat> = back.iter().map(|turn| turn.conjugate()).collect();
        rested(&mut lowered, &back);
        let again = lowered
            .skeleton
            .offsets_m
            .iter()
            .zip(&walk.skeleton.offsets_m);
        assert!(again.map(|(a, b)| a.distance(*b)).fold(0.0, f64::max) < 1e-12);
    }
}
