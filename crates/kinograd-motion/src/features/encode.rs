//! Joints and rotations to features.

use glam::{DQuat, DVec3};
use ndarray::{Array2, Array3, ArrayView3};

use super::heading::{forward_of, headings_rad, wrap_angle};
use super::rotations::write_rotations;
use super::{
    CONTACT_JOINTS, CONTACT_THRESHOLD_M2, CONTACTS, FEATURES, Heading, POSITIONS, ROOT_HEIGHT,
    ROOT_VELOCITY, VELOCITIES, YAW_VELOCITY,
};
use crate::{JOINTS, Motion, MotionError};

/// Which height of a clip is its floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FloorLevel {
    /// The lowest joint of the clip, as published.
    Lowest,
    /// This height is the floor, metres.
    At(f64),
}

/// Joint positions as an array `[frames, 22, 3]`, world, metres.
///
/// # Errors
/// [`MotionError::Shape`] if the motion is not on the canonical skeleton.
pub fn joints_from_motion(motion: &Motion) -> Result<Array3<f64>, MotionError> {
    if motion.skeleton.len() != JOINTS {
        return Err(MotionError::Shape {
            what: "skeleton",
            expected: format!("{JOINTS} canonical joints"),
            got: vec![motion.skeleton.len()],
        });
    }
    let frames = motion.joints_in_world_m();
    Ok(Array3::from_shape_fn(
        (frames.len(), JOINTS, 3),
        |(frame, joint, axis)| frames[frame][joint][axis],
    ))
}

/// Height of the floor under a clip, metres: the `share` quantile over frames of the lowest joint.
/// 0 gives the lowest point of all; a small share ignores single dips of a toe.
#[must_use]
pub fn floor_height_m(joints: ArrayView3<'_, f64>, share: f64) -> f64 {
    let mut lowest: Vec<f64> = joints
        .outer_iter()
        .map(|frame| {
            let heights = frame
                .rows()
                .into_iter()
                .filter_map(|joint| joint.get(1).copied());
            heights.fold(f64::INFINITY, f64::min)
        })
        .collect();
    if lowest.is_empty() {
        return 0.0;
    }
    lowest.sort_by(f64::total_cmp);
    let index = (share.clamp(0.0, 1.0) * (lowest.len() - 1) as f64).round() as usize;
    lowest[index]
}

/// Puts a clip on the floor, its root over the origin and its facing along +Z at frame 0.
///
/// # Errors
/// [`MotionError::Shape`] if the motion is not on the canonical skeleton or has no frames.
pub fn canonicalize(motion: &Motion, floor: FloorLevel) -> Result<Motion, MotionError> {
    let joints = joints_from_motion(motion)?;
    let Some(&first) = motion.root_in_world_m.first() else {
        return Err(too_short(0));
    };
    let floor_y = match floor {
        FloorLevel::Lowest => floor_height_m(joints.view(), 0.0),
        FloorLevel::At(height) => height,
    };
    let forward = forward_of(&joints.view(), 0, 1.0);
    let turn = if forward.length() > 1e-9 {
        DQuat::from_rotation_y(-forward.x.atan2(forward.z))
    } else {
        DQuat::IDENTITY
    };
    let origin = DVec3::new(first.x, floor_y, first.z);
    let mut canonical = motion.clone();
    for (root, rotations) in canonical
        .root_in_world_m
        .iter_mut()
        .zip(&mut canonical.local_rotations)
    {
        *root = turn * (*root - origin);
        rotations[0] = (turn * rotations[0]).normalize();
    }
    Ok(canonical)
}

/// Features of a clip on the canonical skeleton at 20 fps: put on the floor and turned as published
/// first, then encoded. `[frames − 1, 263]`.
///
/// # Errors
/// [`MotionError::Shape`] if the motion is not on the canonical skeleton or has under two frames.
pub fn features_from_motion(motion: &Motion) -> Result<Array2<f32>, MotionError> {
    let canonical = canonicalize(motion, FloorLevel::Lowest)?;
    let joints = joints_from_motion(&canonical)?;
    features_from_joints(
        joints.view(),
        &canonical.local_rotations,
        Heading::Published,
    )
}

/// Features of joints `[frames, 22, 3]` (world, metres, already canonical) and their local rotations
/// `[frames][22]`. `[frames − 1, 263]`.
///
/// # Errors
/// [`MotionError::Shape`] if an array has another shape or there are under two frames.
pub fn features_from_joints(
    joints: ArrayView3<'_, f64>,
    local_rotations: &[Vec<DQuat>],
    heading: Heading,
) -> Result<Array2<f32>, MotionError> {
    let &[frames, joint_count, 3] = joints.shape() else {
        return Err(joints_shape(&joints));
    };
    if joint_count != JOINTS || local_rotations.len() != frames {
        return Err(joints_shape(&joints));
    }
    if frames < 2 {
        return Err(too_short(frames));
    }
    let yaws = headings_rad(joints, heading);
    let at = |frame: usize, joint: usize| {
        DVec3::new(
            joints[[frame, joint, 0]],
            joints[[frame, joint, 1]],
            joints[[frame, joint, 2]],
        )
    };
    let mut features = Array2::<f32>::zeros((frames - 1, FEATURES));
    for (frame, mut row) in features.outer_iter_mut().enumerate() {
        let heading_from_world = DQuat::from_rotation_y(-yaws[frame]);
        let next_heading_from_world = DQuat::from_rotation_y(-yaws[frame + 1]);
        let root = at(frame, 0);
        row[YAW_VELOCITY] = (-0.5 * wrap_angle(yaws[frame + 1] - yaws[frame])) as f32;
        let root_velocity = next_heading_from_world * (at(frame + 1, 0) - root);
        row[ROOT_VELOCITY] = root_velocity.x as f32;
        row[ROOT_VELOCITY + 1] = root_velocity.z as f32;
        row[ROOT_HEIGHT] = root.y as f32;
        for joint in 0..JOINTS {
            let position = at(frame, joint);
            if joint > 0 {
                let local = heading_from_world * (position - DVec3::new(root.x, 0.0, root.z));
                for axis in 0..3 {
                    row[POSITIONS + 3 * (joint - 1) + axis] = local[axis] as f32;
                }
            }
            let velocity = heading_from_world * (at(frame + 1, joint) - position);
            for axis in 0..3 {
                row[VELOCITIES + 3 * joint + axis] = velocity[axis] as f32;
            }
        }
        write_rotations(&local_rotations[frame], heading_from_world, &mut row)?;
        for (slot, &joint) in CONTACT_JOINTS.iter().enumerate() {
            let moved = (at(frame + 1, joint) - at(frame, joint)).length_squared();
            row[CONTACTS + slot] = f32::from(u8::from(moved < CONTACT_THRESHOLD_M2));
        }
    }
    Ok(features)
}

fn too_short(frames: usize) -> MotionError {
    MotionError::Shape {
        what: "motion frames",
        expected: "at least 2".to_owned(),
        got: vec![frames],
    }
}

fn joints_shape(joints: &ArrayView3<'_, f64>) -> MotionError {
    MotionError::Shape {
        what: "joints",
        expected: format!("[frames, {JOINTS}, 3], with as many frames of rotations"),
        got: joints.shape().to_vec(),
    }
}
