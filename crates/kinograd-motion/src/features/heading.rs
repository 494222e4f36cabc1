//! Which way a body faces.

use crate::{JOINTS, MotionError};
use std::f64::consts::{PI, TAU};

use glam::DVec3;
use ndarray::ArrayView3;

const LEFT_HIP: usize = 1;
const RIGHT_HIP: usize = 2;
const LEFT_SHOULDER: usize = 16;
const RIGHT_SHOULDER: usize = 17;

/// Standard deviation of the published smoothing, frames.
const PUBLISHED_SIGMA_FRAMES: f64 = 20.0;

/// How the heading is estimated from joints.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Heading {
    /// As published: shoulders minus hips (a sign slip that became the standard), smoothed over
    /// 20 frames, zero at frame 0.
    #[default]
    Published,
    /// Shoulders plus hips, smoothed by a Gaussian of `sigma_frames`; not forced to zero at frame 0.
    Corrected {
        /// Standard deviation of the smoothing, frames; 0 for none.
        sigma_frames: f64,
    },
}

/// Heading per frame, radians, wrapped to (−π, π]: the angle about Y that turns +Z to the facing.
///
/// `joints`: `[frames, 22, 3]`, world, metres.
///
/// # Errors
/// [`MotionError::Shape`] for joints of another shape.
pub fn headings_from_joints(
    joints: ArrayView3<'_, f64>,
    heading: Heading,
) -> Result<Vec<f64>, MotionError> {
    if joints.shape()[1..] != [JOINTS, 3] {
        return Err(MotionError::Shape {
            what: "joints",
            expected: format!("[frames, {JOINTS}, 3]"),
            got: joints.shape().to_vec(),
        });
    }
    Ok(headings_rad(joints, heading))
}

/// Heading per frame, radians, wrapped to (−π, π]: the angle about Y that turns +Z to the facing.
///
/// `joints`: `[frames, 22, 3]`, world, metres. A frame whose facing is undefined (across the body is
/// vertical) keeps the heading before it.
pub(super) fn headings_rad(joints: ArrayView3<'_, f64>, heading: Heading) -> Vec<f64> {
    let (hip_sign, sigma_frames) = match heading {
        Heading::Published => (-1.0, PUBLISHED_SIGMA_FRAMES),
        Heading::Corrected { sigma_frames } => (1.0, sigma_frames),
    };
    let frames = joints.shape()[0];
    let (mut forward_x, mut forward_z) = (vec![0.0; frames], vec![0.0; frames]);
    for frame in 0..frames {
        let forward = forward_of(&joints, frame, hip_sign);
        forward_x[frame] = forward.x;
        forward_z[frame] = forward.z;
    }
    let forward_x = gaussian_smooth(&forward_x, sigma_frames);
    let forward_z = gaussian_smooth(&forward_z, sigma_frames);
    let mut last = 0.0;
    let mut yaws: Vec<f64> = forward_x
        .iter()
        .zip(&forward_z)
        .map(|(&x, &z)| {
            if x.hypot(z) > 1e-9 {
                last = x.atan2(z);
            }
            last
        })
        .collect();
    if heading == Heading::Published
        && let Some(first) = yaws.first_mut()
    {
        *first = 0.0;
    }
    yaws
}

/// Unnormalised facing at a frame: up × (across / |across|).
pub(super) fn forward_of(joints: &ArrayView3<'_, f64>, frame: usize, hip_sign: f64) -> DVec3 {
    let at = |joint: usize| {
        DVec3::new(
            joints[[frame, joint, 0]],
            joints[[frame, joint, 1]],
            joints[[frame, joint, 2]],
        )
    };
    let across =
        hip_sign * (at(RIGHT_HIP) - at(LEFT_HIP)) + (at(RIGHT_SHOULDER) - at(LEFT_SHOULDER));
    DVec3::Y.cross(across.normalize_or_zero())
}

/// Gaussian filter with the edge values repeated, cut at 4 standard deviations (as SciPy's
/// `gaussian_filter1d(mode="nearest")`).
#[must_use]
pub fn gaussian_smooth(values: &[f64], sigma: f64) -> Vec<f64> {
    if sigma <= 0.0 || values.is_empty() {
        return values.to_vec();
    }
    let radius = (4.0 * sigma + 0.5) as usize;
    let mut weights: Vec<f64> = (0..=radius)
        .map(|k| (-0.5 * (k as f64 / sigma).powi(2)).exp())
        .collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    for weight in &mut weights {
        *weight /= total;
    }
    let last = values.len() - 1;
    (0..values.len())
        .map(|i| {
            weights[0] * values[i]
                + (1..=radius)
                    .map(|k| weights[k] * (values[i.saturating_sub(k)] + values[(i + k).min(last)]))
                    .sum::<f64>()
        })
        .collect()
}

/// Wraps to (−π, π].
#[must_use]
pub fn wrap_angle(angle_rad: f64) -> f64 {
    let wrapped = (angle_rad + PI).rem_euclid(TAU) - PI;
    if wrapped <= -PI { PI } else { wrapped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_the_shorter_turn() {
        assert!((wrap_angle(3.5 * PI) + 0.5 * PI).abs() < 1e-12);
        assert!((wrap_angle(-PI) - PI).abs() < 1e-12);
        assert_eq!(wrap_angle(0.25), 0.25);
    }

    #[test]
    fn smoothing_keeps_constants_and_spreads_an_impulse_symmetrically() {
        let flat = gaussian_smooth(&[2.0; 7], 20.0);
        assert!(flat.iter().all(|v| (v - 2.0).abs() < 1e-12));
        let mut impulse = vec![0.0; 41];
        impulse[20] = 1.0;
        let smooth = gaussian_smooth(&impulse, 2.0);
        assert!((smooth.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((smooth[17] - smooth[23]).abs() < 1e-15);
        // exp(-1/8) is the Gaussian's ratio of neighbours at sigma 2.
        assert!((smooth[21] / smooth[20] - (-0.125_f64).exp()).abs() < 1e-12);
    }
}
