//! Levelling of feet: toe joints lie at different heights in different rigs.

use glam::{DQuat, DVec3};

use super::floor::speed;
use crate::Skeleton;

const LEGS: [[usize; 3]; 2] = [[4, 7, 10], [5, 8, 11]];
/// Ankle and toe of a foot that lies flat are slower than this, m/s.
const STILL_M_PER_S: f64 = 0.15;
/// An ankle on the floor is not higher than this above the lowest still ones, metres.
const ON_FLOOR_M: f64 = 0.05;
/// Shares of the shank's length that a standing shank rises at least.
const UPRIGHT: f64 = 0.5;
const LEAST_FRAMES: usize = 8;
/// Beyond this the foot is not taken for flat: it stands on its toes, or kneels.
const MOST_RAD: f64 = 0.35;

/// Pitches the feet of `points`, `[frame][22]`, so that they lie as the body's feet do while they
/// stand still. Returns the angle, toes up, radians.
pub(super) fn level(body: &Skeleton, points: &mut [Vec<DVec3>], fps: f64) -> f64 {
    let Some(pitch) = standing_pitch(points, fps) else {
        return 0.0;
    };
    let correction = pitch_rad(body.offsets_m[LEGS[0][2]]) - pitch;
    if correction.abs() > MOST_RAD {
        return 0.0;
    }
    for frame in points.iter_mut() {
        for [knee, ankle, toe] in LEGS {
            let foot = frame[toe] - frame[ankle];
            let lateral = foot.cross(frame[ankle] - frame[knee]);
            if let Some(axis) = lateral.try_normalize() {
                // A foot pointed along the shank has no lateral axis to turn about.
                let shank = frame[ankle].distance(frame[knee]);
                let clear = 2.0 * lateral.length() / (foot.length() * shank);
                let turn = DQuat::from_axis_angle(axis, -correction * clear.min(1.0));
                frame[toe] = frame[ankle] + turn * foot;
            }
        }
    }
    correction
}

/// Median pitch of feet that stand still on the floor under an upright shank.
fn standing_pitch(points: &[Vec<DVec3>], fps: f64) -> Option<f64> {
    let mut still: Vec<(f64, f64)> = Vec::new();
    for (frame, joints) in points.iter().enumerate() {
        for [knee, ankle, toe] in LEGS {
            let shank = joints[knee] - joints[ankle];
            let slow = |joint: usize| speed(points, frame, joint, fps) < STILL_M_PER_S;
            if shank.y > UPRIGHT * shank.length() && slow(ankle) && slow(toe) {
                let pitch = pitch_rad(joints[toe] - joints[ankle]);
                still.push((joints[ankle].y, pitch));
            }
        }
    }
    still.sort_by(|a, b| a.0.total_cmp(&b.0));
    let lowest = still.get(still.len() / 10)?.0;
    let mut pitches: Vec<f64> = still
        .iter()
        .filter(|(height, _)| *height < lowest + ON_FLOOR_M)
        .map(|(_, pitch)| *pitch)
        .collect();
    pitches.sort_by(f64::total_cmp);
    (pitches.len() >= LEAST_FRAMES).then(|| pitches[pitches.len() / 2])
}

fn pitch_rad(foot: DVec3) -> f64 {
    foot.y.atan2(foot.x.hypot(foot.z))
}
