//! Keyframes as places of joints.

use std::f64::consts::PI;

use glam::{DQuat, DVec3};
use kinograd::goal::{Facing, JointTarget, Keyframe, RootTarget};
use kinograd::motion::{JOINT_NAMES, JOINTS, Motion};
use kinograd::{Goal, goal};

use crate::plan::Figure;
use crate::request::constraints::{FillMode, PoseKeyframe};
use crate::request::skeleton::RequestSkeleton;

const LEFT_HIP: usize = 1;
const RIGHT_HIP: usize = 2;

/// A keyframe's pose on the canonical joints, in the client's world.
pub(crate) struct Pose {
    /// `[22]`, metres; joints that are not named rest.
    pub joints_m: Vec<[f64; 3]>,
    /// Whether the body's heading is stated.
    pub knows_heading: bool,
    /// Whether all joints above a canonical joint are stated, so that its place follows.
    placed: [bool; JOINTS],
    /// Whether the joint above it is stated.
    moved: [bool; JOINTS],
}

impl Pose {
    /// The pose of a keyframe whose joints are the skeleton's.
    pub(crate) fn of(keyframe: &PoseKeyframe, skeleton: &RequestSkeleton, figure: &Figure) -> Self {
        let own = &skeleton.skeleton;
        let stated = |joint: usize| keyframe.joint_rotations.get(&own.names[joint]);
        let rotations = (0..own.len()).map(|j| stated(j).map_or(DQuat::IDENTITY, |q| rotation(*q)));
        let root = keyframe
            .root_position
            .map_or(own.offsets_m[0], DVec3::from_array);
        let motion = Motion::new(own.clone(), 1.0, vec![root], vec![rotations.collect()]);
        let joints = figure.canonical_joints(&motion);
        let rests = keyframe.fill_mode == FillMode::Rest;
        let mut pose = Self {
            joints_m: (0..JOINTS)
                .map(|j| [0, 1, 2].map(|axis| joints[[0, j, axis]]))
                .collect(),
            knows_heading: rests || stated(0).is_some(),
            placed: [rests; JOINTS],
            moved: [rests; JOINTS],
        };
        if !rests {
            pose.follow(skeleton, figure, &|joint| stated(joint).is_some());
        }
        pose
    }

    /// Notes which joints' places follow from the rotations that are stated.
    fn follow(
        &mut self,
        skeleton: &RequestSkeleton,
        figure: &Figure,
        stated: &dyn Fn(usize) -> bool,
    ) {
        let parents = &skeleton.skeleton.parents;
        for (part, own) in figure.names() {
            let Some(index) = JOINT_NAMES.iter().position(|name| *name == part) else {
                continue;
            };
            let Ok(joint) = skeleton.index(&own) else {
                continue;
            };
            self.moved[index] = parents[joint].is_some_and(stated);
            let mut above = parents[joint];
            let mut all = true;
            while let Some(parent) = above {
                all &= stated(parent);
                above = parents[parent];
            }
            self.placed[index] = all;
        }
    }

    /// The goals that take a clip to it at a time, in the client's world.
    pub(crate) fn goals(&self, has_place: bool, time_secs: f64) -> Vec<Goal> {
        let in_world = has_place && self.knows_heading;
        let mut goals = Vec::new();
        if in_world {
            let placed = (0..JOINTS).filter(|&joint| self.placed[joint]);
            let joints = placed.map(|joint| (JOINT_NAMES[joint].to_owned(), self.joints_m[joint]));
            goals.push(Goal::from(Keyframe {
                joints_m: joints.collect(),
                time_secs: Some(time_secs),
                weight: 1.0,
            }));
        } else {
            if has_place {
                let [x, _, z] = self.joints_m[0];
                goals.push(Goal::from(RootTarget {
                    position_m: [x, z],
                    time_secs: Some(time_secs),
                    weight: 1.0,
                    arrive: false,
                }));
            }
            if self.knows_heading {
                goals.push(facing(heading_rad(&self.joints_m), time_secs));
            }
        }
        let beside = (1..JOINTS).filter(|&j| self.moved[j] && !(in_world && self.placed[j]));
        goals.extend(beside.map(|joint| self.beside_body(joint, time_secs)));
        goals
    }

    /// A joint's place as the body sees it: from the root and its heading, and from the floor.
    fn beside_body(&self, joint: usize, time_secs: f64) -> Goal {
        let heading = DQuat::from_rotation_y(-heading_rad(&self.joints_m));
        let root = DVec3::from_array(self.joints_m[0]);
        let place = DVec3::from_array(self.joints_m[joint]);
        let from_root = heading * (place - root);
        JointTarget {
            joint: JOINT_NAMES[joint].to_owned(),
            position_m: [Some(from_root.x), Some(place.y), Some(from_root.z)],
            relative_to: Some("body".to_owned()),
            time_secs: Some(time_secs),
            weight: 1.0,
        }
        .into()
    }
}

/// A heading at a time, radians about +Y.
pub(crate) fn facing(heading_rad: f64, time_secs: f64) -> Goal {
    // Whole turns mean nothing; a task has no angles of many.
    let turns = (heading_rad / (2.0 * PI)).round();
    goal::Goal::from(Facing {
        heading_deg: Some((heading_rad - turns * 2.0 * PI).to_degrees()),
        towards_m: None,
        from_secs: Some(time_secs),
        to_secs: Some(time_secs),
        weight: 1.0,
    })
}

/// Which way a pose faces, square to its hips: radians about +Y, 0 faces +Z, π/2 faces +X.
pub(crate) fn heading_rad(joints_m: &[[f64; 3]]) -> f64 {
    let (left, right) = (joints_m[LEFT_HIP], joints_m[RIGHT_HIP]);
    // Facing +Z, left is at +X.
    (right[2] - left[2]).atan2(left[0] - right[0])
}

/// The rotation of a quaternion x, y, z, w of any length; none where it has no length.
fn rotation(quaternion: [f64; 4]) -> DQuat {
    let rotation = DQuat::from_array(quaternion);
    if rotation.length_squared() > 1e-12 {
        rotation.normalize()
    } else {
        DQuat::IDENTITY
    }
}
