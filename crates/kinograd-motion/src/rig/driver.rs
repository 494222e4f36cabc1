//! What turns each joint of a rig.

use glam::{DMat3, DQuat, DVec3};

use super::parts::{Limb, Parts};
use crate::ik::swing;
use crate::{REST_OFFSETS, Skeleton};

/// The pose in which a skin is bound, which tells more of a rig than the pose its file is in.
#[derive(Debug, Clone, PartialEq)]
pub struct BindPose {
    /// Joints in the pose, Y up, metres; where the body stands does not matter.
    pub places_m: Vec<DVec3>,
    /// Rotation of each joint from the skeleton's rest pose to this, in the world.
    pub from_rest: Vec<DQuat>,
}

impl BindPose {
    /// The rest pose of a skeleton, as the bind pose of what has no skin.
    #[must_use]
    pub fn of_rest(skeleton: &Skeleton) -> Self {
        let mut places_m: Vec<DVec3> = Vec::with_capacity(skeleton.len());
        for (joint, parent) in skeleton.parents.iter().enumerate() {
            let above = parent.map_or(DVec3::ZERO, |parent| places_m[parent]);
            places_m.push(above + skeleton.offsets_m[joint]);
        }
        Self {
            from_rest: vec![DQuat::IDENTITY; skeleton.len()],
            places_m,
        }
    }
}

/// A joint's rotation as that of the canonical body's joints.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Driver {
    /// Two canonical joints, and the share of the second.
    pub from: usize,
    pub to: usize,
    pub share: f64,
    /// The rig joint's rotation from its rest pose where the canonical body is in its T-pose.
    pub in_t_pose: DQuat,
}

impl Driver {
    /// The rotation from the rest pose, in the world, of canonical rotations in the world.
    pub fn rotation(&self, canonical: &[DQuat]) -> DQuat {
        let turn = if self.share > 0.0 {
            canonical[self.from].slerp(canonical[self.to], self.share)
        } else {
            canonical[self.from]
        };
        turn * self.in_t_pose
    }
}

/// The rotation that brings the body of the bind pose upright, facing +Z. A body stands along an
/// axis of its file; how far its head is forward says nothing.
pub(super) fn facing(parts: &Parts, bind: &BindPose) -> DQuat {
    const ALONG: f64 = 0.8;
    let at = |joint: usize| bind.places_m[joint];
    let [left, right] = parts.legs.map(|leg| at(leg.root));
    let [left_arm, right_arm] = parts.arms.map(|arm| at(arm.root));
    let body = (at(parts.head) - 0.5 * (left + right)).normalize_or(DVec3::Y);
    let axes = DVec3::AXES.into_iter().flat_map(|axis| [axis, -axis]);
    let up = axes.into_iter().find(|axis| axis.dot(body) > ALONG);
    let up = up.unwrap_or(body);
    let side = (left - right).normalize_or_zero() + (left_arm - right_arm).normalize_or_zero();
    let side = side.reject_from_normalized(up);
    let side = side
        .try_normalize()
        .unwrap_or_else(|| up.any_orthonormal_vector());
    DQuat::from_mat3(&DMat3::from_cols(side, up, side.cross(up))).inverse()
}

/// What a joint does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Drive {
    /// It turns with the canonical body.
    Body(Driver),
    /// It keeps a rotation in its parent's frame.
    Still(DQuat),
}

/// What each joint does: under the hips, those that no part of the body drives keep their bind
/// pose; above, the pose that the file is in.
pub(super) fn drives(skeleton: &Skeleton, parts: &Parts, bind: &BindPose) -> Vec<Drive> {
    let mut under = vec![false; skeleton.len()];
    let mut drives = Vec::with_capacity(skeleton.len());
    for (joint, parent) in skeleton.parents.iter().enumerate() {
        under[joint] = joint == parts.hips || parent.is_some_and(|parent| under[parent]);
        let local = match *parent {
            Some(parent) if under[parent] => {
                bind.from_rest[parent].inverse() * bind.from_rest[joint]
            }
            _ => DQuat::IDENTITY,
        };
        drives.push(Drive::Still(local.normalize()));
    }
    let upright = facing(parts, bind);
    let mut set = |joint: usize, from: usize, to: usize, share: f64, swing: DQuat| {
        drives[joint] = Drive::Body(Driver {
            from,
            to,
            share,
            in_t_pose: (swing * bind.from_rest[joint]).normalize(),
        });
    };
    // A trunk stands as it stands in the bind pose: only its turns are taken over.
    const TRUNK: [usize; 4] = [0, 3, 6, 9];
    let last = parts.spine.len().saturating_sub(1).max(1) as f64;
    for (at, &joint) in parts.spine.iter().enumerate() {
        let along = 3.0 * at as f64 / last;
        let from = (along.floor() as usize).min(2);
        set(
            joint,
            TRUNK[from],
            TRUNK[from + 1],
            along - from as f64,
            upright,
        );
    }
    for (at, &joint) in parts.necks.iter().enumerate() {
        set(joint, 12, 15, at as f64 / parts.necks.len() as f64, upright);
    }
    set(parts.head, 15, 15, 0.0, upright);
    // Limbs are swung to the T-pose, bone by bone.
    let straighten = |a: usize, b: usize, wanted: DVec3| {
        let bone = upright * (bind.places_m[b] - bind.places_m[a]);
        swing(bone, wanted, DVec3::Z) * upright
    };
    let rest = |joint: usize| DVec3::from_array(REST_OFFSETS[joint]);
    for (leg, [hip, knee, ankle, toe]) in parts.legs.iter().zip([[1, 4, 7, 10], [2, 5, 8, 11]]) {
        let Limb {
            root,
            middle,
            end,
            tip,
            ..
        } = *leg;
        set(root, hip, hip, 0.0, straighten(root, middle, rest(knee)));
        set(
            middle,
            knee,
            knee,
            0.0,
            straighten(middle, end, rest(ankle)),
        );
        // A foot stands on the ground as it does in the bind pose.
        set(end, ankle, ankle, 0.0, upright);
        if let Some(tip) = tip {
            set(tip, toe, toe, 0.0, upright);
        }
    }
    for (arm, [collar, shoulder, elbow, wrist]) in
        parts.arms.iter().zip([[13, 16, 18, 20], [14, 17, 19, 21]])
    {
        let Limb {
            root, middle, end, ..
        } = *arm;
        if let Some(joint) = arm.collar {
            set(joint, collar, collar, 0.0, upright);
        }
        set(
            root,
            shoulder,
            shoulder,
            0.0,
            straighten(root, middle, rest(elbow)),
        );
        let forearm = straighten(middle, end, rest(wrist));
        set(middle, elbow, elbow, 0.0, forearm);
        set(end, wrist, wrist, 0.0, forearm);
    }
    drives
}
