//! Poses between frames, as plain maths.

use bevy::prelude::*;
use kinograd::motion::Motion;

/// A body at one moment, in Bevy's numbers.
#[derive(Component, Debug, Clone, PartialEq)]
pub struct Pose {
    /// Root in the clip's world, metres.
    pub root_m: Vec3,
    /// Rotation of each joint in its parent's frame; the root's in the world.
    pub local: Vec<Quat>,
    /// Joints in the clip's world, metres.
    pub joints_m: Vec<Vec3>,
}

/// The pose of a motion at a time: positions linear, rotations by spherical interpolation between the
/// two nearest frames. Times outside the clip hold its ends; an empty motion has no joints.
#[must_use]
pub fn sample(motion: &Motion, time_secs: f64) -> Pose {
    let Some(last) = motion.len().checked_sub(1) else {
        return Pose {
            root_m: Vec3::ZERO,
            local: Vec::new(),
            joints_m: Vec::new(),
        };
    };
    let place = (time_secs * motion.fps).clamp(0.0, last as f64);
    // NaN ends up at the start.
    let frame = (place.floor() as usize).min(last);
    let share = (place - frame as f64).clamp(0.0, 1.0);
    let share = if share.is_finite() { share } else { 0.0 };
    let next = (frame + 1).min(last);
    let root = motion.root_in_world_m[frame].lerp(motion.root_in_world_m[next], share);
    let local: Vec<Quat> = motion.local_rotations[frame]
        .iter()
        .zip(&motion.local_rotations[next])
        .map(|(&from, &to)| {
            let turn = from.slerp(to, share).normalize();
            Quat::from_array(turn.as_quat().to_array())
        })
        .collect();
    let root_m = Vec3::from_array(root.as_vec3().to_array());
    let joints_m = forward(motion, root_m, &local);
    Pose {
        root_m,
        local,
        joints_m,
    }
}

/// A pose between two: `share` 0 is `from`, 1 is `to`. Poses of other bodies than the motion's give `to`.
#[must_use]
pub fn blend(motion: &Motion, from: &Pose, to: &Pose, share: f32) -> Pose {
    let joints = motion.skeleton.len();
    if from.local.len() != joints || to.local.len() != joints {
        return to.clone();
    }
    let root_m = from.root_m.lerp(to.root_m, share);
    let pairs = from.local.iter().zip(&to.local);
    let local: Vec<Quat> = pairs.map(|(a, &b)| a.slerp(b, share)).collect();
    let joints_m = forward(motion, root_m, &local);
    Pose {
        root_m,
        local,
        joints_m,
    }
}

/// Joints in the world by forward kinematics.
fn forward(motion: &Motion, root_m: Vec3, local: &[Quat]) -> Vec<Vec3> {
    let skeleton = &motion.skeleton;
    let mut turns: Vec<Quat> = Vec::with_capacity(local.len());
    let mut joints: Vec<Vec3> = Vec::with_capacity(local.len());
    for (joint, &turn) in local.iter().enumerate() {
        match skeleton.parents[joint] {
            None => {
                joints.push(root_m);
                turns.push(turn);
            }
            Some(parent) => {
                let offset = Vec3::from_array(skeleton.offsets_m[joint].as_vec3().to_array());
                joints.push(joints[parent] + turns[parent] * offset);
                turns.push(turns[parent] * turn);
            }
        }
    }
    joints
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::synth_walk;

    #[test]
    fn frames_are_met_and_the_middle_lies_between() {
        let motion = synth_walk(1.2, 2.0, 20.0);
        let exact = motion.joints_in_world_m();
        for frame in [0, 7, motion.len() - 1] {
            let pose = sample(&motion, frame as f64 / 20.0);
            for (joint, place) in exact[frame].iter().enumerate() {
                let error = pose.joints_m[joint].as_dvec3().to_array();
                let error = (0..3)
                    .map(|a| (error[a] - place[a]).abs())
                    .fold(0.0, f64::max);
                assert!(error < 1e-4, "frame {frame}, joint {joint}: {error} m");
            }
        }
        let middle = sample(&motion, 7.5 / 20.0).root_m.z;
        let (low, high) = (exact[7][0].z as f32, exact[8][0].z as f32);
        assert!((middle - 0.5 * (low + high)).abs() < 1e-5);
    }

    #[test]
    fn times_outside_hold_the_ends_and_nothing_panics() {
        let motion = synth_walk(1.2, 1.0, 20.0);
        let end = (motion.len() - 1) as f64 / 20.0;
        assert_eq!(sample(&motion, -3.0), sample(&motion, 0.0));
        assert_eq!(sample(&motion, 99.0), sample(&motion, end));
        assert_eq!(sample(&motion, f64::NAN).local.len(), 22);
        let mut empty = motion;
        empty.root_in_world_m.clear();
        empty.local_rotations.clear();
        assert!(sample(&empty, 0.0).joints_m.is_empty());
    }
}
