//! HumanML3D's features with the root by its place instead of its velocities.
//!
//! Source: Karunratanakul et al., "Guided Motion Diffusion for Controllable Human Motion Synthesis"
//! (ICCV 2023), `recover_root_rot_pos(abs_3d=True)` of the authors' repository. Column 0 is half the
//! heading, negated, columns 1 and 2 are x and z in the world; the others are the same.

use ndarray::{Array2, ArrayView2};

use super::decode::{headings, root_path};
use super::{ROOT_VELOCITY, YAW_VELOCITY, check_features};
use crate::MotionError;

/// Features whose root is by its velocities from such whose root is by its place, both `[frames, 263]`,
/// not normalised. Where a clip begins is left out: decoded, it starts at the origin facing +Z. The last
/// frame's velocities are those before.
///
/// # Errors
/// [`MotionError::Shape`] unless `absolute` is `[frames, 263]`.
pub fn relative_from_absolute(absolute: ArrayView2<'_, f32>) -> Result<Array2<f32>, MotionError> {
    check_features(&absolute)?;
    let mut relative = absolute.to_owned();
    for frame in 1..absolute.nrows() {
        let step = Step::to(&absolute, frame);
        relative[[frame - 1, YAW_VELOCITY]] = step.half_turn as f32;
        relative[[frame - 1, ROOT_VELOCITY]] = step.local[0] as f32;
        relative[[frame - 1, ROOT_VELOCITY + 1]] = step.local[1] as f32;
    }
    let last = absolute.nrows().saturating_sub(1);
    for column in YAW_VELOCITY..ROOT_VELOCITY + 2 {
        if absolute.nrows() > 0 {
            relative[[last, column]] = match last.checked_sub(1) {
                Some(before) => relative[[before, column]],
                None => 0.0,
            };
        }
    }
    Ok(relative)
}

/// Jᵀu of [`relative_from_absolute`] at `absolute`: a cotangent on the features that it returns becomes
/// one on those that it takes, both `[frames, 263]`.
///
/// # Errors
/// [`MotionError::Shape`] unless both are `[frames, 263]` of equally many frames.
pub fn relative_from_absolute_vjp(
    absolute: ArrayView2<'_, f32>,
    cotangent: ArrayView2<'_, f64>,
) -> Result<Array2<f64>, MotionError> {
    check_features(&absolute)?;
    if cotangent.shape() != absolute.shape() {
        return Err(MotionError::Shape {
            what: "cotangent on features",
            expected: format!("{:?}", absolute.shape()),
            got: cotangent.shape().to_vec(),
        });
    }
    let mut out = cotangent.to_owned();
    let root = [YAW_VELOCITY, ROOT_VELOCITY, ROOT_VELOCITY + 1];
    for column in root {
        out.column_mut(column).fill(0.0);
    }
    let last = absolute.nrows().saturating_sub(1);
    for frame in 1..absolute.nrows() {
        let Step {
            sin, cos, local, ..
        } = Step::to(&absolute, frame);
        let [turn, x, z] = root.map(|column| {
            // The last frame repeats the one before.
            let repeated = if frame == last {
                cotangent[[last, column]]
            } else {
                0.0
            };
            cotangent[[frame - 1, column]] + repeated
        });
        let heading = z * local[0] - x * local[1];
        let on_place = [x * cos + z * sin, z * cos - x * sin];
        out[[frame, YAW_VELOCITY]] += turn - 2.0 * heading;
        out[[frame - 1, YAW_VELOCITY]] -= turn;
        for (axis, on_place) in on_place.into_iter().enumerate() {
            out[[frame, ROOT_VELOCITY + axis]] += on_place;
            out[[frame - 1, ROOT_VELOCITY + axis]] -= on_place;
        }
    }
    Ok(out)
}

/// Features whose root is by its place from such whose root is by its velocities, both `[frames, 263]`,
/// not normalised. `start`: columns 0 to 2 of the first frame; zeros are the origin facing +Z.
///
/// # Errors
/// [`MotionError::Shape`] unless `relative` is `[frames, 263]`.
pub fn absolute_from_relative(
    relative: ArrayView2<'_, f32>,
    start: [f64; 3],
) -> Result<Array2<f32>, MotionError> {
    check_features(&relative)?;
    let yaws = headings(&relative);
    let path = root_path(&relative, &yaws);
    let [half_turn, x, z] = start;
    let (sin, cos) = (-2.0 * half_turn).sin_cos();
    let mut absolute = relative.to_owned();
    for (frame, yaw) in yaws.into_iter().enumerate() {
        let (ahead, aside) = (path[[frame, 1]], path[[frame, 0]]);
        absolute[[frame, YAW_VELOCITY]] = (half_turn - 0.5 * yaw) as f32;
        absolute[[frame, ROOT_VELOCITY]] = (x + aside * cos + ahead * sin) as f32;
        absolute[[frame, ROOT_VELOCITY + 1]] = (z + ahead * cos - aside * sin) as f32;
    }
    Ok(absolute)
}

/// How the root comes to a frame from the one before.
struct Step {
    /// As column 0 of the features has it.
    half_turn: f64,
    sin: f64,
    cos: f64,
    /// x and z in the heading of the frame, m.
    local: [f64; 2],
}

impl Step {
    fn to(absolute: &ArrayView2<'_, f32>, frame: usize) -> Self {
        let at = |frame: usize, column: usize| f64::from(absolute[[frame, column]]);
        let moved = |column: usize| at(frame, column) - at(frame - 1, column);
        let (sin, cos) = (-2.0 * at(frame, YAW_VELOCITY)).sin_cos();
        let (x, z) = (moved(ROOT_VELOCITY), moved(ROOT_VELOCITY + 1));
        Self {
            half_turn: moved(YAW_VELOCITY),
            sin,
            cos,
            local: [x * cos - z * sin, x * sin + z * cos],
        }
    }
}
