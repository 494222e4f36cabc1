//! What the arms do.

use glam::DVec3;

use super::series::{any_near, longest, mean, median, range, reversals, share, stretches};
use super::track::{HEAD, JointTrack, PELVIS, Side, TRACK_FPS, frames, on_ground};
use super::travel::Travel;

/// Stretches of one count that are closer than this are one, seconds.
const GAP_SECS: f64 = 0.3;

fn arm_m(track: &JointTrack, frame: usize, side: Side) -> f64 {
    let [shoulder, elbow, wrist] =
        [side.shoulder(), side.elbow(), side.wrist()].map(|joint| track.at(frame, joint));
    (elbow - shoulder).length() + (wrist - elbow).length()
}

/// Whether a joint is faster than a speed against the pelvis, within a time of each frame.
pub(super) fn quick(track: &JointTrack, joint: usize, mps: f64, within_secs: f64) -> Vec<bool> {
    let fast: Vec<bool> = track.speeds(joint).iter().map(|v| *v > mps).collect();
    any_near(&fast, frames(within_secs))
}

/// Frames in which an arm is stretched forward beyond 0.9 of its length, at 3 m/s or more near them.
#[must_use]
pub fn punching(track: &JointTrack, side: Side) -> Vec<bool> {
    let quick = quick(track, side.wrist(), 3.0, 0.2);
    track.each(|frame| {
        let reach = track.at(frame, side.wrist()) - track.at(frame, side.shoulder());
        let arm = arm_m(track, frame, side);
        let ahead = on_ground(reach).dot(track.ahead(frame));
        quick[frame] && reach.length() > 0.9 * arm && ahead > 0.6 * arm && reach.y.abs() < 0.4
    })
}

/// Times that an arm is stretched forward beyond 0.9 of its length, at 3 m/s or more.
#[must_use]
pub fn punches(track: &JointTrack, side: Side) -> usize {
    stretches(&punching(track, side), frames(GAP_SECS))
}

/// Frames in which a fist has shot out from the shoulder at 1.5 m/s or more, to 0.8 of the arm's length, at
/// the shoulder's height: a punch in any direction but behind, as fighters throw it with the body turned.
#[must_use]
pub fn striking(track: &JointTrack, side: Side) -> Vec<bool> {
    let reach = track.each(|frame| track.seen(frame, side.wrist(), side.shoulder()));
    let shoots = track.each(|frame| {
        frame + 1 < track.len()
            && (reach[frame + 1].length() - reach[frame].length()) * TRACK_FPS > 1.5
    });
    let near = any_near(&shoots, frames(0.2));
    track.each(|frame| {
        let arm = arm_m(track, frame, side);
        near[frame]
            && reach[frame].length() > 0.8 * arm
            && reach[frame].z > 0.25 * arm
            && reach[frame].y.abs() < 0.4
    })
}

/// Times that a fist shoots out from the shoulder: stretches of [`striking`].
#[must_use]
pub fn strikes(track: &JointTrack, side: Side) -> usize {
    stretches(&striking(track, side), frames(GAP_SECS))
}

/// Times that a bent arm swings up in front of the body at 3 m/s or more, to above the shoulder.
#[must_use]
pub fn uppercuts(track: &JointTrack, side: Side) -> usize {
    let own = |frame: usize| track.at(frame, side.wrist()).y - track.at(frame, PELVIS).y;
    let rises = track
        .each(|frame| frame + 1 < track.len() && (own(frame + 1) - own(frame)) * TRACK_FPS > 3.0);
    let near = any_near(&rises, frames(0.15));
    let up = track.each(|frame| {
        let reach = track.seen(frame, side.wrist(), side.shoulder());
        near[frame]
            && reach.y > 0.0
            && reach.z > 0.1
            && reach.length() < 0.93 * arm_m(track, frame, side)
    });
    stretches(&up, frames(GAP_SECS))
}

/// Times that a fist sweeps across in front of the body at 2 m/s or more, at the shoulders' height.
#[must_use]
pub fn hooks(track: &JointTrack, side: Side) -> usize {
    let own = |frame: usize| on_ground(track.at(frame, side.wrist()) - track.at(frame, PELVIS));
    let sweeps = track.each(|frame| {
        if frame + 1 >= track.len() {
            return false;
        }
        let inward = -side.sign() * (own(frame + 1) - own(frame)).dot(track.leftward(frame));
        let reach = track.seen(frame, side.wrist(), side.shoulder());
        inward * TRACK_FPS > 2.0 && reach.y.abs() < 0.35 && reach.z > 0.1
    });
    stretches(&sweeps, frames(GAP_SECS))
}

/// Reversals of a raised hand from side to side (or up and down), with 5 cm of swing (or 8) at least.
#[must_use]
pub fn waves(track: &JointTrack, side: Side) -> usize {
    let raised = |frame: &usize| {
        let [shoulder, elbow, wrist] =
            [side.shoulder(), side.elbow(), side.wrist()].map(|joint| track.at(*frame, joint).y);
        wrist > elbow && wrist > shoulder - 0.05
    };
    let raised: Vec<usize> = (0..track.len()).filter(raised).collect();
    if raised.len() < frames(0.6) {
        return 0;
    }
    let of = |axis: usize| -> Vec<f64> {
        let seen = |frame: &usize| track.seen(*frame, side.wrist(), side.elbow())[axis];
        raised.iter().map(seen).collect()
    };
    reversals(&of(0), 0.05).max(reversals(&of(1), 0.08))
}

/// Whether a hand hangs for most of the clip.
#[must_use]
pub fn rests(track: &JointTrack, side: Side) -> bool {
    let hangs = |frame| track.at(frame, side.wrist()).y < track.at(frame, side.shoulder()).y - 0.15;
    share(&track.each(hangs)) > 0.7
}

/// Times that the hands come together from at least 10 cm further apart.
#[must_use]
pub fn claps(track: &JointTrack) -> usize {
    let apart = track.each(|frame| {
        (track.at(frame, Side::Left.wrist()) - track.at(frame, Side::Right.wrist())).length()
    });
    if range(&apart) <= 0.1 {
        return 0;
    }
    let least = apart.iter().copied().fold(f64::INFINITY, f64::min);
    let together: Vec<bool> = apart
        .iter()
        .map(|m| *m < (least + 0.06).min(0.25))
        .collect();
    stretches(&together, 1)
}

/// Fastest that a hand flies forward while it is more than 25 cm above the pelvis, m/s; 0 where it does
/// not.
#[must_use]
pub fn throw_speed_mps(track: &JointTrack, side: Side) -> f64 {
    let speeds = ahead_speeds_mps(track, side);
    speeds.into_iter().fold(f64::NEG_INFINITY, f64::max)
}

/// Speed of a hand ahead from each frame to the next, m/s; 0 where it is not 25 cm above the pelvis.
fn ahead_speeds_mps(track: &JointTrack, side: Side) -> Vec<f64> {
    let own = |frame: usize| track.at(frame, side.wrist()) - track.at(frame, PELVIS);
    (0..track.len() - 1)
        .map(|frame| {
            let ahead = on_ground(own(frame + 1) - own(frame)).dot(track.ahead(frame)) * TRACK_FPS;
            if own(frame).y > 0.25 { ahead } else { 0.0 }
        })
        .collect()
}

/// Whether a hand, that of a side if one is given, flies forward at 2.5 m/s or more above the chest, and
/// faster than the other.
#[must_use]
pub fn throws(track: &JointTrack, side: Option<Side>) -> bool {
    let speed = |side| throw_speed_mps(track, side);
    match side {
        None => speed(Side::Left).max(speed(Side::Right)) > 2.5,
        Some(side) => speed(side) > 2.5 && speed(side) > speed(side.other()),
    }
}

/// Whether a hand is raised above its shoulder and then flies forward at 1.5 m/s or more above the chest,
/// faster than the other one, which rests: an easy throw, as people make it in a small room.
#[must_use]
pub fn pitches(track: &JointTrack, side: Side) -> bool {
    let speeds = ahead_speeds_mps(track, side);
    let fastest = speeds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let Some(at) = speeds.iter().position(|speed| *speed == fastest) else {
        return false;
    };
    let raised = (0..=at).any(|frame| track.seen(frame, side.wrist(), side.shoulder()).y > 0.0);
    raised
        && fastest > 1.5
        && fastest > throw_speed_mps(track, side.other())
        && rests(track, side.other())
}

/// Whether the body walks with an arm or both stretched out in front for most of the clip.
#[must_use]
pub fn walks_with_arms_ahead(track: &JointTrack) -> bool {
    let reach = track.each(|frame| {
        let ahead = |side: Side| track.seen(frame, side.wrist(), side.shoulder()).z;
        ahead(Side::Left).max(ahead(Side::Right))
    });
    median(&reach) > 0.3 && Travel::of(track).speed_mps > 0.15
}

/// Frames in which a hand is above the head.
#[must_use]
pub fn overhead(track: &JointTrack, side: Side) -> Vec<bool> {
    track.each(|frame| track.at(frame, side.wrist()).y > track.at(frame, HEAD).y)
}

/// Whether an arm is raised to the brow or above, held in front of the head rather than beside it, and
/// not waved: a high block. The other hand stays lower than its own head.
#[must_use]
pub fn blocks_high(track: &JointTrack, side: Side) -> bool {
    let held = track.each(|frame| {
        let hand = track.seen(frame, side.wrist(), HEAD);
        hand.y > -0.12 && hand.z > 0.0 && hand.x.abs() < 0.45
    });
    let other = overhead(track, side.other());
    longest(&held) >= frames(0.5) && longest(&other) < frames(0.15) && waves(track, side) < 3
}

/// Share of the frames in which both fists are held up in front: above the elbows, not below the chest.
#[must_use]
pub fn guard_share(track: &JointTrack) -> f64 {
    share(&track.each(|frame| {
        Side::BOTH.into_iter().all(|side| {
            let hand = track.seen(frame, side.wrist(), side.shoulder());
            let above_elbow = track.at(frame, side.wrist()).y > track.at(frame, side.elbow()).y;
            above_elbow && hand.y > -0.3 && hand.z > 0.05
        })
    }))
}

/// Reversals up and down of a hand below the shoulder and ahead of the hips, of 15 cm or more, as if it
/// bounced a ball.
#[must_use]
pub fn bounces(track: &JointTrack, side: Side) -> usize {
    let low = |frame: &usize| {
        let hand = track.seen(*frame, side.wrist(), PELVIS);
        hand.z > 0.1 && track.at(*frame, side.wrist()).y < track.at(*frame, side.shoulder()).y
    };
    let at: Vec<usize> = (0..track.len()).filter(low).collect();
    let heights: Vec<f64> = at
        .iter()
        .map(|frame| track.seen(*frame, side.wrist(), PELVIS).y)
        .collect();
    reversals(&heights, 0.15)
}

/// Whether a hand that is stretched ahead at the chest's height or above moves from side to side or up and
/// down by 20 cm, twice or more, as if it wiped a window, while the other is lower for half of the time.
#[must_use]
pub fn wipes(track: &JointTrack, side: Side) -> bool {
    let seen = |frame: usize, side: Side| track.seen(frame, side.wrist(), PELVIS);
    let is_up = |hand: DVec3| hand.z > 0.25 && hand.y > 0.3;
    let at: Vec<usize> = (0..track.len())
        .filter(|frame| is_up(seen(*frame, side)))
        .collect();
    if at.len() < frames(0.6) {
        return false;
    }
    let of =
        |axis: usize| -> Vec<f64> { at.iter().map(|frame| seen(*frame, side)[axis]).collect() };
    let other = share(&track.each(|frame| is_up(seen(frame, side.other()))));
    reversals(&of(0), 0.2).max(reversals(&of(1), 0.2)) >= 2 && other < 0.5
}

/// Share of the frames in which both hands are held in front of the body at one height, as they carry a
/// box.
#[must_use]
pub fn carrying_share(track: &JointTrack) -> f64 {
    share(&track.each(|frame| {
        let hands = Side::BOTH.map(|side| track.seen(frame, side.wrist(), PELVIS));
        let apart = (hands[0] - hands[1]).length();
        let level = (hands[0].y - hands[1].y).abs() < 0.2;
        level
            && (0.1..0.75).contains(&apart)
            && hands
                .iter()
                .all(|hand| hand.z > 0.08 && (-0.1..0.6).contains(&hand.y))
    }))
}

/// Height of the lower hand in every frame, metres.
#[must_use]
pub fn lower_hand_m(track: &JointTrack) -> Vec<f64> {
    track.each(|frame| {
        let height = |side: Side| track.at(frame, side.wrist()).y;
        height(Side::Left).min(height(Side::Right))
    })
}

/// Height of the higher hand in every frame, metres.
#[must_use]
pub fn higher_hand_m(track: &JointTrack) -> Vec<f64> {
    track.each(|frame| {
        let height = |side: Side| track.at(frame, side.wrist()).y;
        height(Side::Left).max(height(Side::Right))
    })
}

/// Mean height of both hands over the pelvis, metres.
#[must_use]
pub fn hands_over_hips_m(track: &JointTrack) -> f64 {
    let heights =
        Side::BOTH.map(|side| mean(&track.each(|frame| track.seen(frame, side.wrist(), PELVIS).y)));
    f64::midpoint(heights[0], heights[1])
}

/// Mean speed of both hands against the pelvis, m/s.
#[must_use]
pub fn hand_speed_mps(track: &JointTrack) -> f64 {
    let speeds = Side::BOTH.map(|side| mean(&track.speeds(side.wrist())));
    f64::midpoint(speeds[0], speeds[1])
}

/// How far the hands swing: the standard deviation of each wrist's place against the pelvis over time,
/// added over the axes, mean of both, metres.
#[must_use]
pub fn arm_swing_m(track: &JointTrack) -> f64 {
    let one = |side: Side| {
        (0..3)
            .map(|axis| {
                let values = track
                    .each(|frame| (track.at(frame, side.wrist()) - track.at(frame, PELVIS))[axis]);
                let middle = mean(&values);
                let squares: Vec<f64> = values.iter().map(|v| (v - middle).powi(2)).collect();
                mean(&squares).sqrt()
            })
            .sum::<f64>()
    };
    f64::midpoint(one(Side::Left), one(Side::Right))
}
