//! How high and how upright the body is.

use super::series::{greatest, head, least, mean, range, reversals, share, tail};
use super::track::{HEAD, JointTrack, NECK, PELVIS, Side, frames, on_ground};

/// Mean height of the pelvis in the first quarter of a second, metres.
#[must_use]
pub fn starts_at_m(track: &JointTrack) -> f64 {
    mean(head(&track.heights(PELVIS), frames(0.25)))
}

/// Lowest and highest that the pelvis is in the last half second, metres.
#[must_use]
pub fn ends_at_m(track: &JointTrack) -> [f64; 2] {
    let heights = track.heights(PELVIS);
    let end = tail(&heights, frames(0.5));
    [least(end), greatest(end)]
}

/// Lowest that the pelvis is, metres.
#[must_use]
pub fn lowest_m(track: &JointTrack) -> f64 {
    least(&track.heights(PELVIS))
}

/// Mean height of the pelvis, metres.
#[must_use]
pub fn mean_height_m(track: &JointTrack) -> f64 {
    mean(&track.heights(PELVIS))
}

/// Whether the pelvis falls from above 0.8 m and stays below 0.7 m to the end.
#[must_use]
pub fn sits(track: &JointTrack) -> bool {
    starts_at_m(track) > 0.8 && ends_at_m(track)[1] < 0.7
}

/// Whether the pelvis rises from below 0.75 m and stays above 0.8 m to the end.
#[must_use]
pub fn stands_up(track: &JointTrack) -> bool {
    starts_at_m(track) < 0.75 && ends_at_m(track)[0] > 0.8
}

/// Whether the pelvis starts above 0.7 m and comes below it.
#[must_use]
pub fn crouches(track: &JointTrack) -> bool {
    lowest_m(track) < 0.7 && 0.7 < starts_at_m(track)
}

/// Times that the pelvis comes below `low_m` from above `high_m` and back above it.
#[must_use]
pub fn dips(track: &JointTrack, low_m: f64, high_m: f64) -> usize {
    let (mut count, mut was_high, mut is_down) = (0, false, false);
    for height in track.heights(PELVIS) {
        if height < low_m && was_high {
            is_down = true;
        }
        if height > high_m {
            count += usize::from(is_down);
            was_high = true;
            is_down = false;
        }
    }
    count
}

/// Times that the pelvis goes between above `high_m` and below `low_m`, either way.
#[must_use]
pub fn passes(track: &JointTrack, low_m: f64, high_m: f64) -> usize {
    let (mut count, mut was_high) = (0, None);
    for height in track.heights(PELVIS) {
        let is_high = height > high_m;
        if is_high || height < low_m {
            count += usize::from(was_high.is_some_and(|was| was != is_high));
            was_high = Some(is_high);
        }
    }
    count
}

/// Mean lean of the trunk ahead, from the pelvis to the neck, degrees.
#[must_use]
pub fn lean_deg(track: &JointTrack) -> f64 {
    let leans = track.each(|frame| {
        let trunk = track.seen(frame, NECK, PELVIS);
        trunk.z.atan2(trunk.y)
    });
    mean(&leans).to_degrees()
}

/// Share of the frames in which the body goes on hands and knees: pelvis below 0.75 m, both hands and
/// both knees near the floor.
#[must_use]
pub fn on_all_fours_share(track: &JointTrack) -> f64 {
    share(&track.each(|frame| {
        let low = |joint: usize, m: f64| track.at(frame, joint).y < m;
        low(PELVIS, 0.75)
            && Side::BOTH
                .into_iter()
                .all(|side| low(side.wrist(), 0.35) && low(side.knee(), 0.4))
    }))
}

/// Share of the frames in which pelvis and head are near the floor.
#[must_use]
pub fn lying_share(track: &JointTrack) -> f64 {
    share(&track.each(|frame| track.at(frame, PELVIS).y < 0.35 && track.at(frame, HEAD).y < 0.55))
}

/// Whether the head dips by a quarter of a metre or more between its heights at both ends.
#[must_use]
pub fn ducks(track: &JointTrack) -> bool {
    let heights = track.heights(HEAD);
    let count = frames(0.25);
    let (first, last) = (mean(head(&heights, count)), mean(tail(&heights, count)));
    least(&heights) < first.min(last) - 0.25
}

/// How far the head gets to the left and to the right of the middle of the feet, and where it is in the
/// last frame, to the left; all beyond where it is in the first frame, in the heading of that frame, metres.
#[must_use]
pub fn leans_m(track: &JointTrack) -> [f64; 3] {
    let left = track.leftward(0);
    let of = |frame: usize| {
        let feet = track.at(frame, Side::Left.ankle()) + track.at(frame, Side::Right.ankle());
        on_ground(track.at(frame, HEAD) - feet / 2.0).dot(left)
    };
    let leans = track.each(of);
    [
        greatest(&leans) - leans[0],
        leans[0] - least(&leans),
        leans[leans.len() - 1] - leans[0],
    ]
}

/// How often the line of the shoulders turns back against that of the hips, by 25° or more.
#[must_use]
pub fn twists(track: &JointTrack) -> usize {
    let angles = track.each(|frame| {
        let across = |left: usize| on_ground(track.at(frame, left) - track.at(frame, left + 1));
        let (hips, shoulders) = (across(1), across(16));
        hips.angle_to(shoulders)
    });
    reversals(&angles, 25_f64.to_radians())
}

/// How far the head turns from side to side against the hips, degrees: the range of the direction from
/// the neck to the head joint, which lies in front of it.
#[must_use]
pub fn head_turn_deg(track: &JointTrack) -> f64 {
    let angles = track.each(|frame| {
        let way = track.seen(frame, HEAD, NECK);
        way.x.atan2(way.z)
    });
    range(&angles).to_degrees()
}

/// Whether a hand reaches down to the ankles while the legs stay up.
#[must_use]
pub fn touches_toes(track: &JointTrack) -> bool {
    let reaches = track.each(|frame| {
        let hand = |side: Side| track.at(frame, side.wrist()).y;
        hand(Side::Left).min(hand(Side::Right)) < 0.35 && track.at(frame, PELVIS).y > 0.75
    });
    reaches.contains(&true)
}
