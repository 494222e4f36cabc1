//! Lines on the ground as a body walks them.

use kinograd_motion::features::gaussian_smooth;

use crate::GroundPoint;

/// A body that walks turns and speeds up no faster than this, m/s².
const MOST_ACCELERATION_MPS2: f64 = 3.0;
/// Longest smoothing at a corner, as a share of the walk's duration.
const MOST_SMOOTHING: f64 = 0.125;

/// Length of a line, metres.
pub(super) fn length_m(line: &[GroundPoint]) -> f64 {
    line.windows(2)
        .map(|ends| distance_m(ends[0], ends[1]))
        .sum()
}

pub(super) fn distance_m(a: GroundPoint, b: GroundPoint) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// `count` points at even distances along a line; none for a line without points.
pub(super) fn evenly(line: &[GroundPoint], count: usize) -> Vec<GroundPoint> {
    let (Some(&first), Some(&last)) = (line.first(), line.last()) else {
        return Vec::new();
    };
    let lengths: Vec<f64> = line
        .windows(2)
        .map(|ends| distance_m(ends[0], ends[1]))
        .collect();
    let total: f64 = lengths.iter().sum();
    let point = |index: usize| {
        let share = index as f64 / count.saturating_sub(1).max(1) as f64;
        let mut left = total * share;
        for (ends, &length) in line.windows(2).zip(&lengths) {
            if left <= length && length > 0.0 {
                let share = left / length;
                return [0, 1].map(|axis| ends[0][axis] + share * (ends[1][axis] - ends[0][axis]));
            }
            left -= length;
        }
        if total > 0.0 { last } else { first }
    };
    (0..count).map(point).collect()
}

/// Points of a walk, `fps` a second, with its corners rounded in time so that nothing accelerates
/// faster than 3 m/s²; a walk that is too short for that is rounded as far as it allows. The ends
/// stay where they are.
///
/// A velocity that changes by Δv at once changes by at most Δv/(σ √2π) per second after a Gaussian
/// of σ seconds.
pub(super) fn rounded(walk: &[GroundPoint], fps: f64) -> Vec<GroundPoint> {
    let sharpest = walk
        .windows(3)
        .map(|p| {
            let change = [0, 1].map(|axis| p[2][axis] - 2.0 * p[1][axis] + p[0][axis]);
            change[0].hypot(change[1]) * fps
        })
        .fold(0.0, f64::max);
    let needed = sharpest / (MOST_ACCELERATION_MPS2 * std::f64::consts::TAU.sqrt()) * fps;
    let sigma = needed.min(MOST_SMOOTHING * walk.len() as f64);
    if sharpest <= MOST_ACCELERATION_MPS2 / fps || sigma <= 0.0 {
        return walk.to_vec();
    }
    let axes = [0, 1].map(|axis| smoothed_between_ends(walk, axis, sigma));
    (0..walk.len()).map(|f| [axes[0][f], axes[1][f]]).collect()
}

/// A Gaussian of the walk continued beyond its ends as point reflections: ends stay, and so does a
/// straight line.
fn smoothed_between_ends(walk: &[GroundPoint], axis: usize, sigma: f64) -> Vec<f64> {
    let count = walk.len();
    let at = |index: usize| walk[index][axis];
    let before = (1..count).rev().map(|index| 2.0 * at(0) - at(index));
    let after = (1..count).map(|index| 2.0 * at(count - 1) - at(count - 1 - index));
    let long: Vec<f64> = before.chain((0..count).map(at)).chain(after).collect();
    gaussian_smooth(&long, sigma)[count - 1..2 * count - 1].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_walked_evenly() {
        let corner = [[0.0, 0.0], [0.0, 3.0], [1.0, 3.0]];
        let points = evenly(&corner, 5);
        let expected = [[0.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 3.0], [1.0, 3.0]];
        for (point, expected) in points.iter().zip(expected) {
            assert!(distance_m(*point, expected) < 1e-12);
        }
        assert_eq!(evenly(&[[1.0, 2.0]], 3), vec![[1.0, 2.0]; 3]);
        assert!(evenly(&[], 3).is_empty());
        assert_eq!(length_m(&corner), 4.0);
    }

    /// A square corner at 1.5 m/s asks for 42 m/s² in one frame of 20 a second; rounded it stays
    /// within 3 m/s², 14 cm from the corner, and its ends are where they were.
    #[test]
    fn a_corner_is_turned_no_faster_than_a_body_turns() {
        let walk = evenly(&[[0.0, 0.0], [0.0, 3.0], [3.0, 3.0]], 81);
        let acceleration = |walk: &[GroundPoint]| {
            let changes = walk.windows(3).map(|p| {
                let change = [0, 1].map(|axis| p[2][axis] - 2.0 * p[1][axis] + p[0][axis]);
                change[0].hypot(change[1]) * 400.0
            });
            changes.fold(0.0, f64::max)
        };
        assert!(acceleration(&walk) > 40.0);
        let round = rounded(&walk, 20.0);
        let fastest = acceleration(&round);
        assert!((2.5..3.05).contains(&fastest), "{fastest}");
        let farthest = walk.iter().zip(&round).map(|(a, b)| distance_m(*a, *b));
        let farthest = farthest.fold(0.0, f64::max);
        assert!((0.1..0.3).contains(&farthest), "{farthest}");
        for end in [0, 80] {
            assert!(distance_m(walk[end], round[end]) < 1e-12);
        }
    }

    #[test]
    fn straight_lines_and_points_stay() {
        for line in [vec![[0.0, 0.0], [1.0, 4.0]], vec![[1.0, 2.0]], Vec::new()] {
            let walk = evenly(&line, 61);
            let round = rounded(&walk, 20.0);
            let moved = walk.iter().zip(&round).map(|(a, b)| distance_m(*a, *b));
            assert!(moved.fold(0.0, f64::max) < 1e-9);
        }
    }
}
