//! How far sets of clips are apart.

use glam::DVec3;
use kinograd::motion::JOINTS;
use serde::Serialize;

use super::track::{JointTrack, PELVIS};

/// Distance between two sets of clips.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SetDistance {
    /// Distance between the means of the sets' profiles, centimetres per joint.
    pub cm: f64,
    /// The same over the root mean square spread within the sets: below 1 they overlap.
    pub over_spread: f64,
}

/// Mean and standard deviation over time of the joints about the point below the pelvis, in the frame of
/// the heading, of one clip: `[132]` metres.
#[must_use]
pub fn pose_profile(track: &JointTrack) -> Vec<f64> {
    let count = track.len() as f64;
    let mut profile = vec![0.0; 2 * 3 * JOINTS];
    let (means, spreads) = profile.split_at_mut(3 * JOINTS);
    let poses: Vec<Vec<DVec3>> = track.each(|frame| pose(track, frame));
    for joint in 0..JOINTS {
        for axis in 0..3 {
            let values = || poses.iter().map(|pose| pose[joint][axis]);
            let mean = values().sum::<f64>() / count;
            let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
            means[3 * joint + axis] = mean;
            spreads[3 * joint + axis] = variance.sqrt();
        }
    }
    profile
}

/// Joints of a frame: to the left of the pelvis, above the floor, ahead of the pelvis, metres.
fn pose(track: &JointTrack, frame: usize) -> Vec<DVec3> {
    (0..JOINTS)
        .map(|joint| {
            let seen = track.seen(frame, joint, PELVIS);
            seen.with_y(track.at(frame, joint).y)
        })
        .collect()
}

/// Distance between two sets of profiles; `None` where one is empty.
#[must_use]
pub fn apart(a: &[Vec<f64>], b: &[Vec<f64>]) -> Option<SetDistance> {
    let joints = a.first()?.len() as f64 / 3.0;
    b.first()?;
    let ((mean_a, variance_a), (mean_b, variance_b)) = (moments(a), moments(b));
    let squares = mean_a.iter().zip(&mean_b).map(|(a, b)| (a - b).powi(2));
    let distance = (squares.sum::<f64>() / joints).sqrt();
    let within = ((variance_a + variance_b) / 2.0 / joints).sqrt();
    Some(SetDistance {
        cm: 100.0 * distance,
        over_spread: distance / within.max(1e-9),
    })
}

/// Mean of each number and the sum of their variances.
fn moments(set: &[Vec<f64>]) -> (Vec<f64>, f64) {
    let count = set.len() as f64;
    let mean: Vec<f64> = (0..set[0].len())
        .map(|i| set.iter().map(|row| row[i]).sum::<f64>() / count)
        .collect();
    let squares = set
        .iter()
        .flat_map(|row| row.iter().zip(&mean).map(|(v, m)| (v - m).powi(2)));
    let variance = squares.sum::<f64>() / count;
    (mean, variance)
}

/// Mean distance of a joint between two clips of a set, frame by frame over the length that both have, in
/// the frame of each one's heading; over all pairs, metres. `None` of fewer than two clips.
#[must_use]
pub fn spread_m(clips: &[JointTrack]) -> Option<f64> {
    let poses: Vec<Vec<Vec<DVec3>>> = clips
        .iter()
        .map(|clip| clip.each(|frame| pose(clip, frame)))
        .collect();
    let mut sum = 0.0;
    let mut count = 0_usize;
    for (index, a) in poses.iter().enumerate() {
        for b in &poses[index + 1..] {
            for (from, to) in a.iter().zip(b) {
                for (p, q) in from.iter().zip(to) {
                    sum += (*p - *q).length();
                    count += 1;
                }
            }
        }
    }
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::synth_walk;

    fn walk(speed_mps: f64) -> JointTrack {
        JointTrack::of(&synth_walk(speed_mps, 3.0, 20.0)).unwrap()
    }

    #[test]
    fn a_set_is_no_distance_from_itself_and_far_from_another() {
        let of = |speeds: [f64; 3]| speeds.map(|v| pose_profile(&walk(v)));
        let (slow, fast) = (of([0.40, 0.42, 0.44]), of([1.20, 1.22, 1.24]));
        let same = apart(&slow, &slow).unwrap();
        assert_eq!((same.cm, same.over_spread), (0.0, 0.0));
        let other = apart(&slow, &fast).unwrap();
        assert!(other.cm > 1.0 && other.over_spread > 3.0, "{other:?}");
        assert_eq!(apart(&slow, &[]), None);
    }

    #[test]
    fn one_clip_has_no_spread_and_copies_have_none() {
        assert_eq!(spread_m(&[walk(1.0)]), None);
        assert_eq!(spread_m(&[walk(1.0), walk(1.0)]), Some(0.0));
        assert!(spread_m(&[walk(1.0), walk(0.6)]).unwrap() > 0.02);
    }
}
