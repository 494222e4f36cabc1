//! Change of frame rate.

use glam::{DQuat, DVec3};
use kinograd_files::Budget;

use crate::{Motion, MotionError, Pose};

/// A motion at another frame rate, from its first frame on, without corners at its frames:
/// places by Catmull and Rom's cubic (1974), rotations by Shoemake's quadrangle (1987, "squad").
/// A steady motion or turn comes back exactly; equal rates give the same motion.
///
/// A frame lasts `1 / fps`, so that the length in seconds is kept: 60 frames at 20 per second are
/// 90 at 30. What lies after the last frame goes on as the motion left it.
///
/// # Errors
/// When `fps` is not a positive number, or the motion is not sound ([`Motion::validate`]).
pub fn resample(motion: &Motion, fps: f64) -> Result<Motion, MotionError> {
    motion.validate()?;
    if fps.is_finite() && fps > 0.0 {
        let frames = (motion.len() as f64 * fps / motion.fps).ceil() as usize;
        Budget::of_process().check_joint_frames(motion.skeleton.len(), frames)?;
    }
    let samples: Vec<_> = sample_points(motion.len(), motion.fps, fps)?.collect();
    if fps == motion.fps {
        return Ok(motion.clone());
    }
    let root_in_world_m = cubic(&motion.root_in_world_m, &samples);
    let translations = motion
        .translations
        .iter()
        .map(|(&joint, offsets)| (joint, cubic(offsets, &samples)))
        .collect();
    let mut local_rotations = vec![vec![DQuat::IDENTITY; motion.skeleton.len()]; samples.len()];
    for joint in 0..motion.skeleton.len() {
        let keys = on_one_side(motion.local_rotations.iter().map(|f| f[joint]).collect());
        let mut last = DQuat::IDENTITY;
        for (frame, rotation) in squad(&keys, &samples).enumerate() {
            last = if frame > 0 && last.dot(rotation) < 0.0 {
                -rotation
            } else {
                rotation
            };
            local_rotations[frame][joint] = last;
        }
    }
    Ok(Motion {
        skeleton: motion.skeleton.clone(),
        fps,
        root_in_world_m,
        local_rotations,
        translations,
    })
}

/// The pose of a sound motion ([`Motion::validate`]) at any time, seconds from its first frame, as
/// [`resample`] has it there. Before the first frame it is the first pose; after the last one the
/// motion goes on as it was for as long as a frame lasts, and then holds.
///
/// ```
/// use kinograd_motion::{resample::{pose_at, resample}, synth::synth_walk};
/// let walk = synth_walk(1.2, 1.0, 20.0);
/// let pose = pose_at(&walk, 7.0 / 60.0)?;
/// let frame = resample(&walk, 60.0)?.root_in_world_m[7];
/// assert!(pose.translations_m[0].distance(frame) < 1e-12);
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
///
/// # Errors
/// When `time_secs` is not finite, or the motion has no frames.
pub fn pose_at(motion: &Motion, time_secs: f64) -> Result<Pose, MotionError> {
    let Some(last) = motion
        .len()
        .checked_sub(1)
        .filter(|_| time_secs.is_finite())
    else {
        return Err(MotionError::Clip {
            clip: "motion".to_owned(),
            message: format!("{} frames have no pose at {time_secs} s", motion.len()),
        });
    };
    let at = (time_secs * motion.fps).clamp(0.0, (last + 1) as f64);
    let nearest = at.round();
    let at = if (at - nearest).abs() < 1e-6 {
        nearest
    } else {
        at
    };
    let before = (at as usize).min(last);
    // The frames that the curves depend on.
    let window = before.saturating_sub(1)..(before + 3).min(last + 1);
    let sample = [(before - window.start, 0, at - before as f64)];
    let joints = motion.skeleton.len();
    let mut pose = Pose::rest(&motion.skeleton);
    pose.translations_m[0] = cubic(&motion.root_in_world_m[window.clone()], &sample)[0];
    for (&joint, offsets) in &motion.translations {
        pose.translations_m[joint] = cubic(&offsets[window.clone()], &sample)[0];
    }
    for joint in 0..joints {
        let frames = motion.local_rotations[window.clone()].iter();
        let keys = on_one_side(frames.map(|frame| frame[joint]).collect());
        if let Some(rotation) = squad(&keys, &sample).next() {
            pose.rotations[joint] = rotation;
        }
    }
    Ok(pose)
}

/// Rotations with neighbours on one half sphere.
fn on_one_side(mut keys: Vec<DQuat>) -> Vec<DQuat> {
    for key in 1..keys.len() {
        if keys[key - 1].dot(keys[key]) < 0.0 {
            keys[key] = -keys[key];
        }
    }
    keys
}

/// A place in time between frames: the frame before, and the share of the way to the next. Beyond
/// the last frame the share is taken from the frame before it and exceeds 1.
fn span(sample: (usize, usize, f64), frames: usize) -> (usize, f64) {
    let (before, _, t) = sample;
    if before + 1 < frames {
        (before, t)
    } else if frames > 1 {
        (frames - 2, 1.0 + t)
    } else {
        (0, 0.0)
    }
}

/// Catmull and Rom's spline through evenly spaced keys; it leaves the ends in a straight line.
fn cubic(keys: &[DVec3], samples: &[(usize, usize, f64)]) -> Vec<DVec3> {
    let at = |index: usize| keys[index.min(keys.len() - 1)];
    samples
        .iter()
        .map(|&sample| {
            let (before, t) = span(sample, keys.len());
            let (b, c) = (at(before), at(before + 1));
            if t <= 0.0 {
                return b;
            }
            if t >= 1.0 {
                return c + (c - b) * (t - 1.0);
            }
            let a = if before > 0 {
                at(before - 1)
            } else {
                b + b - c
            };
            let d = if before + 2 < keys.len() {
                at(before + 2)
            } else {
                c + c - b
            };
            let (leave, arrive) = (0.5 * (c - a), 0.5 * (d - b));
            let (t2, t3) = (t * t, t * t * t);
            b * (2.0 * t3 - 3.0 * t2 + 1.0)
                + leave * (t3 - 2.0 * t2 + t)
                + c * (3.0 * t2 - 2.0 * t3)
                + arrive * (t3 - t2)
        })
        .collect()
}

/// Spherical quadrangle interpolation through keys whose neighbours lie on one half sphere.
fn squad(keys: &[DQuat], samples: &[(usize, usize, f64)]) -> impl Iterator<Item = DQuat> {
    let inner: Vec<DQuat> = (0..keys.len())
        .map(|key| quadrangle_point(keys, key))
        .collect();
    samples.iter().map(move |&sample| {
        let (before, t) = span(sample, keys.len());
        let b = keys[before];
        if t <= 0.0 {
            return b;
        }
        let c = keys[(before + 1).min(keys.len() - 1)];
        if t >= 1.0 {
            // The last turn goes on.
            let step = (b.conjugate() * c).to_scaled_axis();
            return (c * DQuat::from_scaled_axis(step * (t - 1.0))).normalize();
        }
        let outer = slerp(b, c, t);
        let within = slerp(inner[before], inner[before + 1], t);
        slerp(outer, within, 2.0 * t * (1.0 - t)).normalize()
    })
}

/// The inner point of a key: `q exp(-(log(q⁻¹ next) + log(q⁻¹ last)) / 4)`; the key at the ends.
fn quadrangle_point(keys: &[DQuat], key: usize) -> DQuat {
    if key == 0 || key + 1 >= keys.len() {
        return keys[key];
    }
    let back = keys[key].conjugate();
    let log = |other: DQuat| (back * other).to_scaled_axis();
    // The scaled axis is twice the quaternion's logarithm.
    let bend = (log(keys[key + 1]) + log(keys[key - 1])) * 0.25;
    (keys[key] * DQuat::from_scaled_axis(-bend)).normalize()
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

/// For each output frame the source frames before and after it and the share of the latter. A
/// frame lasts as long as its rate says, so that output frames may lie after the last source
/// frame: both are then the last, and the share is that of a frame beyond it.
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
    // The slack keeps rounding from adding a frame.
    let count = (frames as f64 / ratio - 1e-6).ceil().max(0.0) as usize;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::SynthWalk;

    /// The same curves, frame by frame and all at once, beyond the last frame, too; the second
    /// witness is a turn at a constant rate, which is known at any time.
    #[test]
    fn a_pose_is_that_of_the_resampled_motion() {
        let turning = SynthWalk {
            turn_rad_per_s: 2.5,
            ..SynthWalk::default()
        };
        let mut walk = turning.motion();
        let sway = (0..walk.len()).map(|frame| DVec3::Y * (frame as f64).sin());
        walk.translations.insert(3, sway.collect());
        for frames in [walk.len(), 3, 2, 1] {
            let mut part = walk.clone();
            part.root_in_world_m.truncate(frames);
            part.local_rotations.truncate(frames);
            part.translations.get_mut(&3).unwrap().truncate(frames);
            let fine = resample(&part, 73.0).unwrap();
            for frame in 0..fine.len() {
                let pose = pose_at(&part, frame as f64 / 73.0).unwrap();
                let root = fine.root_in_world_m[frame];
                assert!(pose.translations_m[0].distance(root) < 1e-9);
                assert!(pose.translations_m[3].distance(fine.translations[&3][frame]) < 1e-9);
                for (a, b) in pose.rotations.iter().zip(&fine.local_rotations[frame]) {
                    assert!(a.dot(*b).abs() > 1.0 - 1e-12, "{frame} of {frames}");
                }
            }
        }
    }

    #[test]
    fn a_steady_turn_is_met_at_any_time_and_ends_hold() {
        let turn = |secs: f64| DQuat::from_rotation_y(1.5 * secs);
        let skeleton = crate::Skeleton {
            names: vec!["root".to_owned()],
            parents: vec![None],
            offsets_m: vec![DVec3::ZERO],
        };
        let times = (0..10).map(|frame| f64::from(frame) / 20.0);
        let (places, turns) = times.map(|t| (DVec3::X * t, vec![turn(t)])).unzip();
        let motion = Motion::new(skeleton, 20.0, places, turns);
        for secs in [0.0, 0.013, 0.2, 0.449, 0.47] {
            let pose = pose_at(&motion, secs).unwrap();
            assert!(pose.rotations[0].angle_between(turn(secs)) < 1e-6, "{secs}");
            assert!((pose.translations_m[0].x - secs).abs() < 1e-12);
        }
        let at = |secs| pose_at(&motion, secs).unwrap();
        assert_eq!(at(-3.0), at(0.0));
        assert_eq!(at(3.0), at(0.5));
        assert!(pose_at(&motion, f64::NAN).is_err());
    }
}
