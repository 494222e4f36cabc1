//! The clips of a plan as samples of the answer: in the client's world, on the client's skeleton.

use glam::DQuat;
use kinograd::motion::trajectory::{self, Trajectory};
use kinograd::motion::{Motion, contacts_from_joints};
use kinograd::{Clip, Error};

use crate::gltf::{Document, Sample};
use crate::model::ModelInfo;
use crate::plan::{Figure, Plan};

/// Joints whose contacts are told, in the order of the detector.
pub(crate) const CONTACT_JOINTS: [&str; 4] =
    ["left_ankle", "left_foot", "right_ankle", "right_foot"];
/// The end of a loop goes over into its start within this time, seconds.
const CLOSE_SECS: f64 = 0.6;

/// Builds the answer to a plan.
pub(crate) fn answer(plan: &Plan, clips: Vec<Clip>, model: &ModelInfo) -> Result<Document, Error> {
    let samples = clips.into_iter().map(|clip| sample(plan, clip.motion));
    Ok(Document {
        skeleton: plan.skeleton.clone(),
        samples: samples.collect::<Result<_, _>>()?,
        model: model.id.clone(),
        fps: plan.fps,
        canonical_to_request: match &plan.figure {
            Figure::Body => Vec::new(),
            Figure::Rig(_) => plan.figure.names(),
        },
    })
}

fn sample(plan: &Plan, mut motion: Motion) -> Result<Sample, Error> {
    motion.root_in_world_m.truncate(plan.frames);
    motion.local_rotations.truncate(plan.frames);
    for offsets in motion.translations.values_mut() {
        offsets.truncate(plan.frames);
    }
    let mut motion = moved_by_the_root(motion);
    if plan.is_loop {
        close(&mut motion);
    }
    let contacts = contacts(plan, &motion)?;
    let motion = plan.placement.motion_in_world(motion);
    Ok(Sample {
        contacts,
        trajectory: trajectory(plan, &motion)?,
        motion,
        is_loop: plan.is_loop,
    })
}

/// The same with a root that moves in place of the hips below it: the protocol's clips move the root
/// alone.
fn moved_by_the_root(mut motion: Motion) -> Motion {
    let moving = std::mem::take(&mut motion.translations);
    for (&joint, offsets) in &moving {
        let Some(parent) = motion.skeleton.parents[joint] else {
            continue;
        };
        let rest = motion.skeleton.offsets_m[joint];
        for (frame, offset) in offsets.iter().enumerate() {
            let (_, turned) = motion.joint_poses_in_world(frame);
            motion.root_in_world_m[frame] += turned[parent] * (*offset - rest);
        }
    }
    motion
}

/// The travel of a motion in the client's world. What is near and slow is told on our body's scale.
fn trajectory(plan: &Plan, motion: &Motion) -> Result<Trajectory, Error> {
    let scale = plan.figure.scale();
    let joints = plan
        .figure
        .canonical_joints(motion)
        .mapv(|length| length / scale);
    let found = trajectory::of_joints(joints.view(), motion.fps, plan.is_loop)?;
    Ok(found.scaled(scale))
}

/// Which feet stand, by the client's names.
fn contacts(plan: &Plan, motion: &Motion) -> Result<Vec<(String, Vec<bool>)>, Error> {
    let scale = plan.figure.scale();
    let joints = plan.figure.canonical_joints(motion);
    let joints = joints.mapv(|length| (length / scale) as f32);
    let stands = contacts_from_joints(joints.view(), motion.fps)?;
    let names = plan.figure.names();
    let named = CONTACT_JOINTS
        .iter()
        .enumerate()
        .filter_map(|(column, part)| {
            let (_, own) = names.iter().find(|(name, _)| name == part)?;
            plan.skeleton.index(own).ok()?;
            Some((own.clone(), stands.column(column).to_vec()))
        });
    Ok(named.collect())
}

/// Turns the end of a clip into its first pose, at its first height; where the root has come to on the
/// ground stays.
fn close(motion: &mut Motion) {
    let Some(last) = motion.len().checked_sub(1).filter(|&last| last > 0) else {
        return;
    };
    let frames = (CLOSE_SECS * motion.fps).min(last as f64);
    let lift = motion.root_in_world_m[0].y - motion.root_in_world_m[last].y;
    let first = motion.local_rotations[0].iter();
    let missing: Vec<DQuat> = first
        .zip(&motion.local_rotations[last])
        .map(|(first, last)| {
            let missing = *first * last.conjugate();
            if missing.w < 0.0 { -missing } else { missing }
        })
        .collect();
    for frame in 0..=last {
        let along = (1.0 - (last - frame) as f64 / frames).clamp(0.0, 1.0);
        let share = along * along * (3.0 - 2.0 * along);
        motion.root_in_world_m[frame].y += share * lift;
        for (rotation, missing) in motion.local_rotations[frame].iter_mut().zip(&missing) {
            *rotation = (DQuat::IDENTITY.slerp(*missing, share) * *rotation).normalize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DVec3;
    use kinograd::motion::{Skeleton, synth::synth_walk};

    #[test]
    fn a_loop_ends_in_its_first_pose() {
        let mut walk = synth_walk(1.2, 0.7, 30.0);
        let end = *walk.root_in_world_m.last().unwrap();
        close(&mut walk);
        let (first, last) = (
            &walk.local_rotations[0],
            walk.local_rotations.last().unwrap(),
        );
        for (a, b) in first.iter().zip(last) {
            assert!(a.dot(*b).abs() > 1.0 - 1e-12);
        }
        let closed = *walk.root_in_world_m.last().unwrap();
        assert!((closed.y - walk.root_in_world_m[0].y).abs() < 1e-12);
        assert_eq!([closed.x, closed.z], [end.x, end.z]);
    }

    #[test]
    fn hips_below_a_root_stay_where_they_are() {
        let skeleton = Skeleton {
            names: ["root", "hips", "spine"].map(str::to_owned).to_vec(),
            parents: vec![None, Some(0), Some(1)],
            offsets_m: vec![DVec3::ZERO, DVec3::Y, DVec3::Y * 0.2],
        };
        let turn = DQuat::from_rotation_y(0.4);
        let mut motion = Motion::new(
            skeleton,
            30.0,
            vec![DVec3::X, DVec3::Z],
            vec![vec![turn, DQuat::from_rotation_x(0.3), DQuat::IDENTITY]; 2],
        );
        let way = vec![DVec3::new(0.1, 0.9, 0.3), DVec3::new(0.4, 1.1, 0.0)];
        motion.translations.insert(1, way);
        let moved = moved_by_the_root(motion.clone());
        assert!(moved.translations.is_empty());
        for frame in 0..2 {
            let before = motion.joint_poses_in_world(frame).0;
            let after = moved.joint_poses_in_world(frame).0;
            for joint in 1..3 {
                assert!(
                    before[joint].abs_diff_eq(after[joint], 1e-12),
                    "{frame} {joint}"
                );
            }
        }
    }
}
