//! Features to joints, ground path and rotations.

use glam::{DQuat, DVec3};
use ndarray::{Array2, Array3, ArrayView2};

use super::rotations::read_rotations;
use super::{FEATURE_FPS, POSITIONS, ROOT_HEIGHT, ROOT_VELOCITY, YAW_VELOCITY, check_features};
use crate::{JOINTS, Motion, MotionError, Skeleton};

/// Heading of each frame, radians, unwrapped, 0 at frame 0.
///
/// # Errors
/// [`MotionError::Shape`] unless `features` is `[frames, 263]`.
pub fn decode_headings(features: ArrayView2<'_, f32>) -> Result<Vec<f64>, MotionError> {
    check_features(&features)?;
    Ok(headings(&features))
}

/// Root on the ground per frame, `[frames, 2]` as (x, z), world, metres; the origin at frame 0.
///
/// `features`: `[frames, 263]`, not normalised.
///
/// # Errors
/// [`MotionError::Shape`] unless `features` is `[frames, 263]`.
pub fn decode_root_path(features: ArrayView2<'_, f32>) -> Result<Array2<f64>, MotionError> {
    check_features(&features)?;
    Ok(root_path(&features, &headings(&features)))
}

/// Joints in the world, `[frames, 22, 3]`, metres (`recover_from_ric`).
///
/// `features`: `[frames, 263]`, not normalised.
///
/// # Errors
/// [`MotionError::Shape`] unless `features` is `[frames, 263]`.
pub fn decode_joints(features: ArrayView2<'_, f32>) -> Result<Array3<f64>, MotionError> {
    check_features(&features)?;
    let yaws = headings(&features);
    let path = root_path(&features, &yaws);
    let mut joints = Array3::<f64>::zeros((features.nrows(), JOINTS, 3));
    for (frame, row) in features.outer_iter().enumerate() {
        let (sin, cos) = yaws[frame].sin_cos();
        let (root_x, root_z) = (path[[frame, 0]], path[[frame, 1]]);
        joints[[frame, 0, 0]] = root_x;
        joints[[frame, 0, 1]] = f64::from(row[ROOT_HEIGHT]);
        joints[[frame, 0, 2]] = root_z;
        for joint in 1..JOINTS {
            let column = POSITIONS + 3 * (joint - 1);
            let (x, z) = (f64::from(row[column]), f64::from(row[column + 2]));
            joints[[frame, joint, 0]] = root_x + x * cos + z * sin;
            joints[[frame, joint, 1]] = f64::from(row[column + 1]);
            joints[[frame, joint, 2]] = root_z - x * sin + z * cos;
        }
    }
    Ok(joints)
}

/// A clip on the canonical skeleton from the root and the rotation columns, at 20 fps.
///
/// Its joints equal [`decode_joints`] for features of a real clip; for a model's output the two
/// disagree by as much as the model contradicts itself, and bones keep their lengths here.
///
/// # Errors
/// [`MotionError::Shape`] unless `features` is `[frames, 263]`.
pub fn motion_from_features(features: ArrayView2<'_, f32>) -> Result<Motion, MotionError> {
    check_features(&features)?;
    let yaws = headings(&features);
    let path = root_path(&features, &yaws);
    let mut motion = Motion {
        skeleton: Skeleton::canonical(),
        fps: FEATURE_FPS,
        root_in_world_m: Vec::with_capacity(features.nrows()),
        local_rotations: Vec::with_capacity(features.nrows()),
        translations: std::collections::BTreeMap::new(),
    };
    for (frame, row) in features.outer_iter().enumerate() {
        motion.root_in_world_m.push(DVec3::new(
            path[[frame, 0]],
            f64::from(row[ROOT_HEIGHT]),
            path[[frame, 1]],
        ));
        motion
            .local_rotations
            .push(read_rotations(row, DQuat::from_rotation_y(yaws[frame])));
    }
    Ok(motion)
}

pub(super) fn headings(features: &ArrayView2<'_, f32>) -> Vec<f64> {
    let mut yaw = 0.0;
    features
        .column(YAW_VELOCITY)
        .iter()
        .map(|&half_turn| {
            let here = yaw;
            yaw -= 2.0 * f64::from(half_turn);
            here
        })
        .collect()
}

pub(super) fn root_path(features: &ArrayView2<'_, f32>, yaws: &[f64]) -> Array2<f64> {
    let mut path = Array2::<f64>::zeros((features.nrows(), 2));
    for frame in 1..features.nrows() {
        let (sin, cos) = yaws[frame].sin_cos();
        let x = f64::from(features[[frame - 1, ROOT_VELOCITY]]);
        let z = f64::from(features[[frame - 1, ROOT_VELOCITY + 1]]);
        path[[frame, 0]] = path[[frame - 1, 0]] + x * cos + z * sin;
        path[[frame, 1]] = path[[frame - 1, 1]] - x * sin + z * cos;
    }
    path
}
