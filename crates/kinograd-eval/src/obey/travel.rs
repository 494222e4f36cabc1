//! Where the body goes and how it turns.

use glam::DVec2;

use super::series::{head, mean, reversals, tail};
use super::track::{JointTrack, PELVIS, Side, TRACK_FPS, frames, on_ground};

/// Time at either end of a clip whose speed counts as that of its start or end, seconds.
const END_SECS: f64 = 0.75;

/// Travel of a whole clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Travel {
    /// Mean speed of the pelvis over the ground, m/s.
    pub speed_mps: f64,
    /// Mean speed along the heading, m/s.
    pub forward_mps: f64,
    /// Mean speed to the left of the heading, m/s.
    pub leftward_mps: f64,
    /// Turn from the first to the last frame, degrees, positive to the left, unwrapped.
    pub turn_left_deg: f64,
    /// From the start to the end, metres.
    pub way_m: f64,
    /// Farthest from the start, metres.
    pub reach_m: f64,
    /// Fastest that a wrist moves against the pelvis, m/s.
    pub hand_speed_mps: f64,
}

impl Travel {
    /// Measures a clip.
    #[must_use]
    pub fn of(track: &JointTrack) -> Self {
        let velocities = track.root_velocities();
        let over = |value: &dyn Fn(usize, DVec2) -> f64| {
            let values = velocities.iter().enumerate();
            mean(&values.map(|(i, v)| value(i, *v)).collect::<Vec<_>>())
        };
        let headings = track.headings_rad();
        let last = track.len() - 1;
        let from_start =
            |frame: usize| on_ground(track.at(frame, PELVIS) - track.at(0, PELVIS)).length();
        let hands = Side::BOTH.map(|side| track.speeds(side.wrist()));
        Self {
            speed_mps: over(&|_, v| v.length()),
            forward_mps: over(&|i, v| v.dot(track.ahead(i))),
            leftward_mps: over(&|i, v| v.dot(track.leftward(i))),
            turn_left_deg: (headings[last] - headings[0]).to_degrees(),
            way_m: from_start(last),
            reach_m: track.each(from_start).into_iter().fold(0.0, f64::max),
            hand_speed_mps: hands.iter().flatten().copied().fold(0.0, f64::max),
        }
    }
}

/// Ground speed over the first and the last 0.75 s, m/s.
#[must_use]
pub fn end_speeds(track: &JointTrack) -> [f64; 2] {
    let speeds: Vec<f64> = track.root_velocities().iter().map(|v| v.length()).collect();
    let count = frames(END_SECS);
    [mean(head(&speeds, count)), mean(tail(&speeds, count))]
}

/// Whether the mean speed along the heading is within limits, m/s, and the clip turns by less than 60°.
#[must_use]
pub fn moves(track: &JointTrack, low: f64, high: f64) -> bool {
    let travel = Travel::of(track);
    (low..=high).contains(&travel.forward_mps) && travel.turn_left_deg.abs() < 60.0
}

/// Whether the clip turns to a side by an angle within limits, degrees.
#[must_use]
pub fn turns(track: &JointTrack, side: Side, low: f64, high: f64) -> bool {
    (low..=high).contains(&(side.sign() * Travel::of(track).turn_left_deg))
}

/// Whether the body goes to a side without turning to go there.
#[must_use]
pub fn goes_aside(track: &JointTrack, side: Side) -> bool {
    let travel = Travel::of(track);
    side.sign() * travel.leftward_mps > travel.forward_mps.abs().max(0.15)
}

/// Whether the body goes ahead (or back) and to a side at once, neither by more than 3 times the other,
/// and turns by less than 60°.
#[must_use]
pub fn goes_diagonally(track: &JointTrack, ahead: bool, side: Side) -> bool {
    let travel = Travel::of(track);
    let along = if ahead {
        travel.forward_mps
    } else {
        -travel.forward_mps
    };
    let across = side.sign() * travel.leftward_mps;
    along.min(across) > 0.12
        && along < 3.0 * across
        && across < 3.0 * along
        && travel.turn_left_deg.abs() < 60.0
}

/// Whether neither the body nor the hands move.
#[must_use]
pub fn is_still(track: &JointTrack) -> bool {
    let travel = Travel::of(track);
    travel.speed_mps < 0.15 && travel.hand_speed_mps < 1.5
}

/// Whether the body walks or runs round: it moves faster than `least_mps` and turns by 30° a second or
/// more, to a side if one is given, and in each half of the clip by a quarter of the whole turn at least.
#[must_use]
pub fn circles(track: &JointTrack, side: Option<Side>, least_mps: f64) -> bool {
    let travel = Travel::of(track);
    let headings = track.headings_rad();
    let (start, end) = (headings[0], headings[headings.len() - 1]);
    let middle = headings[headings.len() / 2];
    let share = (middle - start) / (end - start);
    let sign = side.map_or_else(|| travel.turn_left_deg.signum(), Side::sign);
    let rate = sign * travel.turn_left_deg / track.duration_secs();
    travel.speed_mps > least_mps && rate > 30.0 && (0.25..=0.75).contains(&share)
}

/// Whether the body walks ahead, turns round by 120° to 280°, and goes on the other way.
#[must_use]
pub fn walks_back(track: &JointTrack) -> bool {
    let [first, last] = end_speeds(track);
    let velocities = track.root_velocities();
    let count = frames(END_SECS);
    let sum = |part: &[DVec2]| part.iter().copied().sum::<DVec2>();
    let (out, back) = (sum(head(&velocities, count)), sum(tail(&velocities, count)));
    let turn = Travel::of(track).turn_left_deg.abs();
    first > 0.4 && last > 0.4 && (120.0..=280.0).contains(&turn) && out.dot(back) < 0.0
}

/// Whether the body turns to one side and to the other, by 20° or more, while it goes ahead at 0.4 m/s.
#[must_use]
pub fn weaves(track: &JointTrack) -> bool {
    Travel::of(track).forward_mps > 0.4
        && reversals(&track.headings_rad(), 20_f64.to_radians()) >= 1
}

/// Largest change of the heading in half a second, degrees.
#[must_use]
pub fn sharpest_turn_deg(track: &JointTrack) -> f64 {
    let headings = track.headings_rad();
    let windows = headings.windows(frames(0.5) + 1);
    let turns = windows.map(|part| (part[part.len() - 1] - part[0]).abs());
    turns.fold(0.0, f64::max).to_degrees()
}

/// Largest change of the heading from one frame to the next, degrees.
#[must_use]
pub fn fastest_turn_deg(track: &JointTrack) -> f64 {
    let headings = track.headings_rad();
    let steps = headings.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    steps.fold(0.0, f64::max).to_degrees()
}

/// Length of the way of the pelvis over the ground, metres.
#[must_use]
pub fn path_m(track: &JointTrack) -> f64 {
    let velocities = track.root_velocities();
    velocities.iter().map(|v| v.length()).sum::<f64>() / TRACK_FPS
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::SynthWalk;

    fn walk(speed_mps: f64, turn_deg_per_s: f64) -> JointTrack {
        let walk = SynthWalk {
            speed_mps,
            turn_rad_per_s: turn_deg_per_s.to_radians(),
            ..SynthWalk::default()
        };
        JointTrack::of(&walk.motion()).unwrap()
    }

    #[test]
    fn a_walk_goes_forward_and_a_curve_turns() {
        let straight = walk(1.2, 0.0);
        assert!(moves(&straight, 0.7, 1.7) && !moves(&straight, 1.4, 3.0));
        assert!(!turns(&straight, Side::Left, 30.0, 400.0) && !is_still(&straight));
        assert!(!goes_aside(&straight, Side::Left) && !goes_aside(&straight, Side::Right));
        assert!(!circles(&straight, None, 0.3) && !walks_back(&straight));
        let left = walk(1.0, 40.0);
        assert!(turns(&left, Side::Left, 120.0, 200.0) && !turns(&left, Side::Right, 1.0, 400.0));
        assert!(circles(&left, Some(Side::Left), 0.3) && circles(&left, None, 0.3));
        assert!(!circles(&left, Some(Side::Right), 0.3) && !moves(&left, 0.2, 2.0));
        assert!(fastest_turn_deg(&left) < 10.0);
        assert!((path_m(&straight) - 4.8).abs() < 0.2);
    }
}
