//! Vector–Jacobian products of the decoders: exact, one backward pass over the frames.
//!
//! With heading θ_t = −2 Σ_{s<t} f_s and root r_t = Σ_{1≤s≤t} R(θ_s) v_{s−1}, the cumulative sums
//! become suffix sums of the cotangents. A vector w = R(θ) l turns as ∂w/∂θ = (w_z, −w_x).

use ndarray::{Array2, ArrayView2, ArrayView3};

use super::decode::headings;
use super::{FEATURES, POSITIONS, ROOT_HEIGHT, ROOT_VELOCITY, YAW_VELOCITY, check_features};
use crate::{JOINTS, MotionError};

/// Jᵀu of [`decode_joints`](super::decode_joints) at `features`: the cotangent on world joints
/// `[frames, 22, 3]` becomes one on features `[frames, 263]`.
///
/// # Errors
/// [`MotionError::Shape`] unless the shapes are `[frames, 263]` and `[frames, 22, 3]`.
pub fn decode_joints_vjp(
    features: ArrayView2<'_, f32>,
    cotangent: ArrayView3<'_, f64>,
) -> Result<Array2<f64>, MotionError> {
    check_features(&features)?;
    let frames = features.nrows();
    if cotangent.shape() != [frames, JOINTS, 3] {
        return Err(MotionError::Shape {
            what: "cotangent on joints",
            expected: format!("[{frames}, {JOINTS}, 3]"),
            got: cotangent.shape().to_vec(),
        });
    }
    let yaws = headings(&features);
    let mut out = Array2::<f64>::zeros((frames, FEATURES));
    let mut root = Array2::<f64>::zeros((frames, 2));
    let mut yaw = vec![0.0; frames];
    for frame in 0..frames {
        let (sin, cos) = yaws[frame].sin_cos();
        out[[frame, ROOT_HEIGHT]] = cotangent[[frame, 0, 1]];
        root[[frame, 0]] += cotangent[[frame, 0, 0]];
        root[[frame, 1]] += cotangent[[frame, 0, 2]];
        for joint in 1..JOINTS {
            let column = POSITIONS + 3 * (joint - 1);
            let (ux, uz) = (cotangent[[frame, joint, 0]], cotangent[[frame, joint, 2]]);
            let (x, z) = (
                f64::from(features[[frame, column]]),
                f64::from(features[[frame, column + 2]]),
            );
            root[[frame, 0]] += ux;
            root[[frame, 1]] += uz;
            out[[frame, column]] = ux * cos - uz * sin;
            out[[frame, column + 1]] = cotangent[[frame, joint, 1]];
            out[[frame, column + 2]] = ux * sin + uz * cos;
            yaw[frame] += ux * (z * cos - x * sin) - uz * (x * cos + z * sin);
        }
    }
    root_vjp(&features, &yaws, &root.view(), yaw, &mut out);
    Ok(out)
}

/// Jᵀu of [`decode_root_path`](super::decode_root_path) at `features`: the cotangent on the ground
/// path `[frames, 2]` (x, z) becomes one on features `[frames, 263]`, zero but in columns 0..3.
///
/// # Errors
/// [`MotionError::Shape`] unless the shapes are `[frames, 263]` and `[frames, 2]`.
pub fn decode_root_path_vjp(
    features: ArrayView2<'_, f32>,
    cotangent: ArrayView2<'_, f64>,
) -> Result<Array2<f64>, MotionError> {
    check_features(&features)?;
    let frames = features.nrows();
    if cotangent.shape() != [frames, 2] {
        return Err(MotionError::Shape {
            what: "cotangent on the root path",
            expected: format!("[{frames}, 2]"),
            got: cotangent.shape().to_vec(),
        });
    }
    let mut out = Array2::<f64>::zeros((frames, FEATURES));
    root_vjp(
        &features,
        &headings(&features),
        &cotangent,
        vec![0.0; frames],
        &mut out,
    );
    Ok(out)
}

/// Adds the root's share: `root` is the cotangent on positions (x, z), `yaw` that on headings.
fn root_vjp(
    features: &ArrayView2<'_, f32>,
    yaws: &[f64],
    root: &ArrayView2<'_, f64>,
    mut yaw: Vec<f64>,
    out: &mut Array2<f64>,
) {
    let (mut sum_x, mut sum_z, mut sum_yaw) = (0.0, 0.0, 0.0);
    for frame in (1..yaws.len()).rev() {
        let (sin, cos) = yaws[frame].sin_cos();
        sum_x += root[[frame, 0]];
        sum_z += root[[frame, 1]];
        let x = f64::from(features[[frame - 1, ROOT_VELOCITY]]);
        let z = f64::from(features[[frame - 1, ROOT_VELOCITY + 1]]);
        out[[frame - 1, ROOT_VELOCITY]] = sum_x * cos - sum_z * sin;
        out[[frame - 1, ROOT_VELOCITY + 1]] = sum_x * sin + sum_z * cos;
        yaw[frame] += sum_x * (z * cos - x * sin) - sum_z * (x * cos + z * sin);
        sum_yaw += yaw[frame];
        out[[frame - 1, YAW_VELOCITY]] = -2.0 * sum_yaw;
    }
}
