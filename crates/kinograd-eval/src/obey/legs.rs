//! What the legs do.

use super::arms::{overhead, quick};
use super::series::{any_near, greatest, stretches};
use super::track::{JointTrack, PELVIS, Side, TRACK_FPS, frames, on_ground};

/// Stretches of one count that are closer than this are one, seconds.
const GAP_SECS: f64 = 0.3;
/// Both feet are in the air above this, metres.
const JUMP_M: f64 = 0.1;

/// Frames in which a foot is quickly lifted above the other leg's knee and 0.2 m away from the body.
#[must_use]
pub fn kicking(track: &JointTrack, side: Side) -> Vec<bool> {
    let quick = quick(track, side.ankle(), 2.5, 0.25);
    track.each(|frame| {
        let foot = track.at(frame, side.ankle());
        let away = on_ground(foot - track.at(frame, PELVIS)).length() > 0.2;
        let stands = track.at(frame, side.other().ankle()).y < 0.35;
        quick[frame] && away && stands && foot.y > track.at(frame, side.other().knee()).y
    })
}

/// Times that a foot is quickly lifted above the other leg's knee and 0.2 m away from the body.
#[must_use]
pub fn kicks(track: &JointTrack, side: Side) -> usize {
    stretches(&kicking(track, side), frames(GAP_SECS))
}

/// Highest that an ankle comes, metres.
#[must_use]
pub fn highest_ankle_m(track: &JointTrack, side: Side) -> f64 {
    greatest(&track.heights(side.ankle()))
}

/// Whether a foot swings ahead through a ball: at 3.5 m/s or more against the pelvis, no higher than the
/// hips, faster than the other foot ever is.
#[must_use]
pub fn kicks_ball(track: &JointTrack, side: Side) -> bool {
    let fastest = |side: Side| {
        let own = |frame: usize| track.at(frame, side.ankle()) - track.at(frame, PELVIS);
        let speeds = (0..track.len() - 1).map(|frame| {
            let ahead = on_ground(own(frame + 1) - own(frame)).dot(track.ahead(frame)) * TRACK_FPS;
            if own(frame).y < 0.0 { ahead } else { 0.0 }
        });
        speeds.fold(0.0, f64::max)
    };
    fastest(side) > 3.5 && fastest(side) > fastest(side.other())
}

/// Times that a knee is lifted to the hip's height, within 12 cm, while the other foot stands.
#[must_use]
pub fn knee_lifts(track: &JointTrack, side: Side) -> usize {
    let up = track.each(|frame| {
        let other = track.at(frame, side.other().ankle()).y;
        other < 0.3 && track.at(frame, side.knee()).y > track.at(frame, side.hip()).y - 0.12
    });
    stretches(&up, frames(GAP_SECS))
}

/// Frames in which the lower of the feet is above a height, metres.
#[must_use]
pub fn airborne(track: &JointTrack, above_m: f64) -> Vec<bool> {
    track.each(|frame| {
        let lowest = Side::BOTH
            .into_iter()
            .flat_map(|side| [side.ankle(), side.toe()])
            .map(|joint| track.at(frame, joint).y)
            .fold(f64::INFINITY, f64::min);
        lowest > above_m
    })
}

/// Times that both feet are above 10 cm.
#[must_use]
pub fn jumps(track: &JointTrack) -> usize {
    stretches(&airborne(track, JUMP_M), frames(0.15))
}

/// How far ahead the pelvis gets from 0.2 s before the first jump to 0.2 s after it, metres; 0 without
/// one.
#[must_use]
pub fn jump_ahead_m(track: &JointTrack) -> f64 {
    let up = airborne(track, JUMP_M);
    let Some(first) = up.iter().position(|up| *up) else {
        return 0.0;
    };
    let lands = (first..up.len()).find(|frame| !up[*frame]);
    let start = first.saturating_sub(frames(0.2));
    let end = (lands.unwrap_or(up.len()) + frames(0.2)).min(track.len() - 1);
    on_ground(track.at(end, PELVIS) - track.at(start, PELVIS)).dot(track.ahead(start))
}

/// Hops on one foot: times that both feet are off the ground, 3 cm and more, one 10 cm higher than the
/// other, which is the one of that side.
#[must_use]
pub fn hops(track: &JointTrack, side: Side) -> usize {
    let up = airborne(track, 0.03);
    let hops = track.each(|frame| {
        let lower = track.at(frame, side.ankle()).y;
        up[frame] && lower > 0.1 && track.at(frame, side.other().ankle()).y > lower + 0.1
    });
    stretches(&hops, 1)
}

/// Distance between the ankles over the ground in every frame, metres.
#[must_use]
pub fn feet_apart_m(track: &JointTrack) -> Vec<f64> {
    track.each(|frame| {
        let way = track.at(frame, Side::Left.ankle()) - track.at(frame, Side::Right.ankle());
        on_ground(way).length()
    })
}

/// Times that both hands are above the head and the feet more than 0.35 m apart within 0.2 s of each
/// other.
#[must_use]
pub fn jumping_jacks(track: &JointTrack) -> usize {
    let apart: Vec<bool> = feet_apart_m(track).iter().map(|m| *m > 0.35).collect();
    let apart = any_near(&apart, frames(0.2));
    let [left, right] = Side::BOTH.map(|side| overhead(track, side));
    let both = track.each(|frame| left[frame] && right[frame] && apart[frame]);
    stretches(&both, frames(0.15))
}

/// Whether a foot is ever above the head.
#[must_use]
pub fn feet_over_head(track: &JointTrack) -> bool {
    let upside_down = track.each(|frame| {
        let head = track.at(frame, super::track::HEAD).y;
        Side::BOTH
            .into_iter()
            .all(|side| track.at(frame, side.ankle()).y > head)
    });
    upside_down.contains(&true)
}
