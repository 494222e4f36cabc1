//! A light low-pass filter for jerky captures.

use glam::{DQuat, DVec3};

use kinograd_motion::Motion;

/// Binomial weights of five frames: removes the Nyquist frequency and keeps steps.
const WEIGHTS: [f64; 5] = [0.0625, 0.25, 0.375, 0.25, 0.0625];

/// The clip with root and rotations filtered over five frames.
pub(crate) fn smoothed(motion: &Motion) -> Motion {
    let frames = motion.len();
    let taps = |frame: usize| {
        WEIGHTS.iter().enumerate().map(move |(tap, &weight)| {
            let at = (frame + tap).saturating_sub(2).min(frames - 1);
            (at, weight)
        })
    };
    let mut out = motion.clone();
    for frame in 0..frames {
        out.root_in_world_m[frame] = taps(frame)
            .map(|(at, weight)| motion.root_in_world_m[at] * weight)
            .sum::<DVec3>();
        for (joint, rotation) in out.local_rotations[frame].iter_mut().enumerate() {
            let here = motion.local_rotations[frame][joint];
            let sum =
                taps(frame).fold(DQuat::from_xyzw(0.0, 0.0, 0.0, 0.0), |sum, (at, weight)| {
                    let other = motion.local_rotations[at][joint];
                    let sign = if here.dot(other) < 0.0 {
                        -weight
                    } else {
                        weight
                    };
                    sum + other * sign
                });
            *rotation = sum.normalize();
        }
    }
    out
}
