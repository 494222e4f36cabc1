//! How well clips meet goals on the ground.

use ndarray::{ArrayView3, Axis};

use super::physics::ground_speeds_mps;

/// No one walks through a scene at this speed, metres per second.
const IMPLAUSIBLE_SPEED_MPS: f64 = 2.6;
/// For this long it shows, seconds.
const IMPLAUSIBLE_SECS: f64 = 0.5;

/// Distance on the ground of the root from `target_xz_m` in `frame` (`None`: the last), metres.
/// `joints`: `[frames, joints, 3]`, Y up. No frames give infinity.
///
/// ```
/// let still = ndarray::Array3::<f32>::zeros((20, 22, 3));
/// let error = kinograd_motion::metrics::target_error_m(still.view(), [3.0, 4.0], None);
/// assert_eq!(error, 5.0);
/// ```
#[must_use]
pub fn target_error_m(
    joints: ArrayView3<'_, f32>,
    target_xz_m: [f64; 2],
    frame: Option<usize>,
) -> f64 {
    let Some(last) = joints.len_of(Axis(0)).checked_sub(1) else {
        return f64::INFINITY;
    };
    distance_m(joints, frame.unwrap_or(last).min(last), target_xz_m)
}

/// How deep the root enters any of the circles `[x, z, radius]` on the ground, metres; 0 when it
/// stays outside. The reported metric of Shen et al. 2024 takes the radius itself, without margin.
#[must_use]
pub fn deepest_penetration_m(joints: ArrayView3<'_, f32>, circles_m: &[[f64; 3]]) -> f64 {
    let mut deepest = 0.0_f64;
    for frame in 0..joints.len_of(Axis(0)) {
        for &[x, z, radius] in circles_m {
            deepest = deepest.max(radius - distance_m(joints, frame, [x, z]));
        }
    }
    deepest
}

/// Whether the root moves over the ground faster than 2.6 m/s for 0.5 s on end: what a walk does
/// only when guidance has torn it along.
#[must_use]
pub fn is_implausibly_fast(joints: ArrayView3<'_, f32>, fps: f64) -> bool {
    let needed = (IMPLAUSIBLE_SECS * fps).round().max(1.0) as usize;
    let mut run = 0;
    for speed in ground_speeds_mps(joints, fps) {
        run = if speed > IMPLAUSIBLE_SPEED_MPS {
            run + 1
        } else {
            0
        };
        if run >= needed {
            return true;
        }
    }
    false
}

/// Errors of a set of clips at their key frames.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct KeyframeErrors {
    /// Share of clips with any key frame off by more than 20 cm.
    pub trajectory_20cm: f64,
    /// Share of clips with any key frame off by more than 50 cm.
    pub trajectory_50cm: f64,
    /// Share of key frames off by more than 20 cm.
    pub location_20cm: f64,
    /// Share of key frames off by more than 50 cm.
    pub location_50cm: f64,
    /// Mean over the clips of their key frames' mean error, metres.
    pub average_m: f64,
}

/// Trajectory, location and average error of Karunratanakul et al. 2023 (GMD, strict form), each
/// computed per clip and averaged over the clips. `errors_m[clip]` are the distances of that
/// clip's key frames from where they should be; clips without key frames are left out, and none
/// at all gives `None`.
#[must_use]
pub fn keyframe_errors(errors_m: &[Vec<f64>]) -> Option<KeyframeErrors> {
    let clips: Vec<&Vec<f64>> = errors_m.iter().filter(|clip| !clip.is_empty()).collect();
    if clips.is_empty() {
        return None;
    }
    let mean = |value: &dyn Fn(&[f64]) -> f64| {
        clips.iter().map(|clip| value(clip)).sum::<f64>() / clips.len() as f64
    };
    let off = |clip: &[f64], limit_m: f64| {
        clip.iter()
            .filter(|&&error| error.is_nan() || error > limit_m)
            .count() as f64
            / clip.len() as f64
    };
    let any = |clip: &[f64], limit_m: f64| f64::from(u8::from(off(clip, limit_m) > 0.0));
    Some(KeyframeErrors {
        trajectory_20cm: mean(&|clip| any(clip, 0.2)),
        trajectory_50cm: mean(&|clip| any(clip, 0.5)),
        location_20cm: mean(&|clip| off(clip, 0.2)),
        location_50cm: mean(&|clip| off(clip, 0.5)),
        average_m: mean(&|clip| clip.iter().sum::<f64>() / clip.len() as f64),
    })
}

fn distance_m(joints: ArrayView3<'_, f32>, frame: usize, [x, z]: [f64; 2]) -> f64 {
    let root = |axis: usize| f64::from(joints[[frame, 0, axis]]);
    (root(0) - x).hypot(root(2) - z)
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    fn straight(speed_mps: f32) -> Array3<f32> {
        Array3::from_shape_fn((41, 22, 3), |(f, _, axis)| {
            if axis == 2 {
                speed_mps * f as f32 / 20.0
            } else {
                0.0
            }
        })
    }

    #[test]
    fn target_and_circles() {
        let walk = straight(1.0);
        assert!((target_error_m(walk.view(), [0.0, 2.5], None) - 0.5).abs() < 1e-6);
        assert!(target_error_m(walk.view(), [0.0, 1.0], Some(20)).abs() < 1e-6);
        let depth = deepest_penetration_m(walk.view(), &[[0.3, 1.0, 0.5], [9.0, 9.0, 1.0]]);
        assert!((depth - 0.2).abs() < 1e-6);
        assert_eq!(deepest_penetration_m(walk.view(), &[[2.0, 1.0, 0.5]]), 0.0);
    }

    #[test]
    fn fast_for_half_a_second() {
        assert!(!is_implausibly_fast(straight(2.5).view(), 20.0));
        assert!(is_implausibly_fast(straight(2.7).view(), 20.0));
        let mut burst = straight(1.0);
        for frame in 0..41 {
            burst[[frame, 0, 2]] += 0.15 * frame.clamp(10, 19) as f32; // 9 pairs at 4 m/s
        }
        assert!(!is_implausibly_fast(burst.view(), 20.0));
        for frame in 0..41 {
            burst[[frame, 0, 2]] += 0.15 * frame.clamp(19, 20) as f32;
        }
        assert!(is_implausibly_fast(burst.view(), 20.0));
    }

    #[test]
    fn key_frames() {
        let errors = [vec![0.1, 0.3], vec![0.6], vec![], vec![0.0, 0.1]];
        let found = keyframe_errors(&errors).unwrap();
        assert!((found.trajectory_20cm - 2.0 / 3.0).abs() < 1e-12);
        assert!((found.trajectory_50cm - 1.0 / 3.0).abs() < 1e-12);
        assert!((found.location_20cm - 0.5).abs() < 1e-12);
        assert!((found.location_50cm - 1.0 / 3.0).abs() < 1e-12);
        assert!((found.average_m - (0.2 + 0.6 + 0.05) / 3.0).abs() < 1e-12);
        assert_eq!(keyframe_errors(&[]), None);
    }
}
