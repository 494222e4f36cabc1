//! Change of frame rate.

use glam::DQuat;

use crate::{Motion, MotionError};

/// A motion at another frame rate, from its first frame on: local rotations by slerp (Shoemake
/// 1985), the root linearly. Equal rates give the same motion.
///
/// # Errors
/// When `fps` is not a positive number, or the motion is not sound ([`Motion::validate`]).
pub fn resample(motion: &Motion, fps: f64) -> Result<Motion, MotionError> {
    motion.validate()?;
    let samples = sample_points(motion.len(), motion.fps, fps)?;
    let mut root_in_world_m = Vec::with_capacity(samples.len());
    let mut local_rotations: Vec<Vec<DQuat>> = Vec::with_capacity(samples.len());
    for (before, after, t) in samples {
        let (a, b) = (
            motion.root_in_world_m[before],
            motion.root_in_world_m[after],
        );
        root_in_world_m.push(if t > 0.0 { a.lerp(b, t) } else { a });
        let pairs = motion.local_rotations[before]
            .iter()
            .zip(&motion.local_rotations[after]);
        local_rotations.push(pairs.map(|(a, b)| slerp(*a, *b, t)).collect());
    }
    if fps != motion.fps {
        for frame in 1..local_rotations.len() {
            let (done, rest) = local_rotations.split_at_mut(frame);
            keep_signs(&done[frame - 1], &mut rest[0]);
        }
    }
    Ok(Motion {
        skeleton: motion.skeleton.clone(),
        fps,
        root_in_world_m,
        local_rotations,
    })
}

/// Spherical interpolation along the shorter arc; exact at both ends.
#[must_use]
pub fn slerp(a: DQuat, b: DQuat, t: f64) -> DQuat {
    if t <= 0.0 {
        a
    } else if t >= 1.0 {
        b
    } else {
        a.slerp(b, t)
    }
}

/// For each output frame the source frames before and after it and the share of the latter.
///
/// # Errors
/// When a rate is not a positive number.
pub fn sample_points(
    frames: usize,
    from_fps: f64,
    to_fps: f64,
) -> Result<impl ExactSizeIterator<Item = (usize, usize, f64)>, MotionError> {
    if !(to_fps.is_finite() && to_fps > 0.0 && from_fps.is_finite() && from_fps > 0.0) {
        return Err(MotionError::Format {
            format: "frame rate",
            message: format!("expected a positive number, got {to_fps} (from {from_fps})"),
        });
    }
    let ratio = from_fps / to_fps;
    let last = frames.saturating_sub(1);
    // The slack keeps a last frame that rounding would lose.
    let count = if frames == 0 {
        0
    } else {
        (last as f64 / ratio + 1e-6).floor() as usize + 1
    };
    Ok((0..count).map(move |frame| {
        let at = frame as f64 * ratio;
        let nearest = at.round();
        let (before, t) = if (at - nearest).abs() < 1e-6 {
            (nearest as usize, 0.0)
        } else {
            (at.floor() as usize, at - at.floor())
        };
        let before = before.min(last);
        (before, (before + 1).min(last), t)
    }))
}

/// Flips quaternions of `next` onto the half sphere of `previous`.
pub fn keep_signs(previous: &[DQuat], next: &mut [DQuat]) {
    for (a, b) in previous.iter().zip(next) {
        if a.dot(*b) < 0.0 {
            *b = -*b;
        }
    }
}
