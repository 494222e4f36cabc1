//! Foot skate, jerk, bone lengths and speed of one clip.

use ndarray::{ArrayView3, Axis, s};

/// A foot joint below this height may stand, metres.
const SKATE_HEIGHT_M: f64 = 0.05;
/// A standing foot faster than this skates, metres per second.
const SKATE_SPEED_MPS: f64 = 0.5;
/// Frames over which the speed is also averaged.
const SKATE_WINDOW: usize = 5;
/// The toe joints of the canonical skeleton.
const TOES: [usize; 2] = [10, 11];

/// Share of frame pairs in which a toe (joint 10 or 11) is below 5 cm in both frames and moves
/// over the ground faster than 0.5 m/s, both between them and averaged over five pairs, as
/// `calculate_skating_ratio` of Karunratanakul et al. 2023 (GMD) computes it for 20 fps.
/// `joints`: `[frames, 22, 3]`, metres, Y up. Real data is near 0.05 to 0.08, not 0; a clip of
/// one frame gives 0.
///
/// ```
/// let still = ndarray::Array3::<f32>::zeros((20, 22, 3));
/// assert_eq!(kinograd_motion::metrics::foot_skate_ratio(still.view(), 20.0), 0.0);
/// ```
#[must_use]
pub fn foot_skate_ratio(joints: ArrayView3<'_, f32>, fps: f64) -> f64 {
    skate_ratio_of(joints, fps, &TOES)
}

/// As [`foot_skate_ratio`], for other joints. Indices beyond the skeleton are left out.
#[must_use]
pub fn skate_ratio_of(joints: ArrayView3<'_, f32>, fps: f64, feet: &[usize]) -> f64 {
    let pairs = joints.len_of(Axis(0)).saturating_sub(1);
    if pairs == 0 {
        return 0.0;
    }
    let mut skates = vec![false; pairs];
    for &foot in feet.iter().filter(|&&foot| foot < joints.len_of(Axis(1))) {
        let track = joints.slice(s![.., foot, ..]);
        let at = |frame: usize, axis: usize| f64::from(track[[frame, axis]]);
        let speed: Vec<f64> = (0..pairs)
            .map(|f| (at(f + 1, 0) - at(f, 0)).hypot(at(f + 1, 2) - at(f, 2)) * fps)
            .collect();
        for frame in 0..pairs {
            // scipy's `uniform_filter1d(mode="constant")`: zeros beyond the ends.
            let window =
                frame.saturating_sub(SKATE_WINDOW / 2)..(frame + SKATE_WINDOW / 2 + 1).min(pairs);
            let average = speed[window].iter().sum::<f64>() / SKATE_WINDOW as f64;
            let low = at(frame, 1) < SKATE_HEIGHT_M && at(frame + 1, 1) < SKATE_HEIGHT_M;
            skates[frame] |= low && speed[frame] > SKATE_SPEED_MPS && average > SKATE_SPEED_MPS;
        }
    }
    skates.iter().filter(|&&skates| skates).count() as f64 / pairs as f64
}

/// Mean length of the joints' third differences in time, m/s³, over all frames and joints.
/// Fewer than four frames give 0.
///
/// ```
/// use ndarray::Array3;
/// // x = t³ has a jerk of 6 everywhere.
/// let cubic = Array3::from_shape_fn((9, 22, 3), |(f, _, axis)| {
///     if axis == 0 { (f as f32 / 10.0).powi(3) } else { 0.0 }
/// });
/// assert!((kinograd_motion::metrics::mean_jerk(cubic.view(), 10.0) - 6.0).abs() < 1e-3);
/// ```
#[must_use]
pub fn mean_jerk(joints: ArrayView3<'_, f32>, fps: f64) -> f64 {
    let (frames, count, _) = joints.dim();
    if frames < 4 || count == 0 {
        return 0.0;
    }
    let at = |f: usize, j: usize, axis: usize| f64::from(joints[[f, j, axis]]);
    let mut sum = 0.0;
    for frame in 0..frames - 3 {
        for joint in 0..count {
            let squared: f64 = (0..3)
                .map(|axis| {
                    at(frame + 3, joint, axis) - 3.0 * at(frame + 2, joint, axis)
                        + 3.0 * at(frame + 1, joint, axis)
                        - at(frame, joint, axis)
                })
                .map(|third| third * third)
                .sum();
            sum += squared.sqrt();
        }
    }
    sum * fps.powi(3) / ((frames - 3) * count) as f64
}

/// Standard deviation of each bone's length over time, averaged over the bones, metres.
/// `parents` as in [`crate::Skeleton`]; a rigid body gives 0.
#[must_use]
pub fn bone_length_std_m(joints: ArrayView3<'_, f32>, parents: &[Option<usize>]) -> f64 {
    let (frames, count, _) = joints.dim();
    let bones: Vec<(usize, usize)> = parents
        .iter()
        .enumerate()
        .filter_map(|(joint, parent)| Some((joint, (*parent)?)))
        .filter(|&(joint, parent)| joint < count && parent < count)
        .collect();
    if frames == 0 || bones.is_empty() {
        return 0.0;
    }
    let length = |f: usize, (a, b): (usize, usize)| {
        (0..3)
            .map(|axis| f64::from(joints[[f, a, axis]]) - f64::from(joints[[f, b, axis]]))
            .map(|d| d * d)
            .sum::<f64>()
            .sqrt()
    };
    let std = |bone: (usize, usize)| {
        let mean = (0..frames).map(|f| length(f, bone)).sum::<f64>() / frames as f64;
        let variance = (0..frames)
            .map(|f| (length(f, bone) - mean).powi(2))
            .sum::<f64>()
            / frames as f64;
        variance.sqrt()
    };
    bones.iter().map(|&bone| std(bone)).sum::<f64>() / bones.len() as f64
}

/// Speed of the root over the ground, m/s.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct SpeedStats {
    /// Mean over the clip.
    pub mean_mps: f64,
    /// Median over the clip.
    pub median_mps: f64,
    /// Greatest between two frames.
    pub max_mps: f64,
}

/// Speed of the root (joint 0) over the ground. A clip of one frame gives zeros.
#[must_use]
pub fn root_speed(joints: ArrayView3<'_, f32>, fps: f64) -> SpeedStats {
    let mut speeds = ground_speeds_mps(joints, fps);
    if speeds.is_empty() {
        return SpeedStats::default();
    }
    speeds.sort_by(f64::total_cmp);
    let half = speeds.len() / 2;
    let median_mps = if speeds.len() % 2 == 1 {
        speeds[half]
    } else {
        f64::midpoint(speeds[half - 1], speeds[half])
    };
    SpeedStats {
        mean_mps: speeds.iter().sum::<f64>() / speeds.len() as f64,
        median_mps,
        max_mps: speeds[speeds.len() - 1],
    }
}

/// Speed of the root over the ground between adjacent frames.
pub(super) fn ground_speeds_mps(joints: ArrayView3<'_, f32>, fps: f64) -> Vec<f64> {
    let (frames, count, _) = joints.dim();
    if count == 0 {
        return Vec::new();
    }
    let at = |f: usize, axis: usize| f64::from(joints[[f, 0, axis]]);
    (1..frames)
        .map(|f| (at(f, 0) - at(f - 1, 0)).hypot(at(f, 2) - at(f - 1, 2)) * fps)
        .collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, s};

    use super::*;
    use crate::Skeleton;
    use crate::joints_array;
    use crate::synth::{SynthWalk, synth_walk};

    #[test]
    fn a_toe_that_slides_skates_and_one_in_the_air_does_not() {
        let mut joints = Array3::<f32>::zeros((41, 22, 3));
        for frame in 0..41 {
            joints[[frame, 10, 2]] = 0.03 * frame as f32; // 0.6 m/s
        }
        assert!((foot_skate_ratio(joints.view(), 20.0) - 36.0 / 40.0).abs() < 1e-12);
        joints.slice_mut(s![.., 10, 1]).fill(0.06);
        assert_eq!(foot_skate_ratio(joints.view(), 20.0), 0.0);
    }

    #[test]
    fn a_sliding_walk_skates_more() {
        let skate = |slip_mps: f64| {
            let walk = SynthWalk {
                slip_mps,
                ..SynthWalk::default()
            }
            .motion();
            foot_skate_ratio(joints_array(&walk).view(), 20.0)
        };
        assert!(skate(0.0) < 0.1, "{}", skate(0.0));
        assert!(skate(0.6) > 0.7, "{}", skate(0.6));
    }

    #[test]
    fn rigid_bones_do_not_vary_and_speed_is_the_walks() {
        let walk = joints_array(&synth_walk(1.1, 4.0, 20.0));
        let parents = Skeleton::canonical().parents;
        assert!(bone_length_std_m(walk.view(), &parents) < 1e-6);
        let speed = root_speed(walk.view(), 20.0);
        assert!((speed.mean_mps - 1.1).abs() < 0.02, "{speed:?}");
        let mut breathing = walk;
        for frame in 0..breathing.len_of(Axis(0)) {
            let factor = if frame % 2 == 0 { 1.01 } else { 0.99 };
            breathing
                .slice_mut(s![frame, .., ..])
                .mapv_inplace(|v| v * factor);
        }
        assert!(bone_length_std_m(breathing.view(), &parents) > 1e-3);
    }

    #[test]
    fn empty_clips_give_numbers() {
        for frames in 0..3 {
            let joints = Array3::<f32>::zeros((frames, 22, 3));
            assert_eq!(foot_skate_ratio(joints.view(), 20.0), 0.0);
            assert_eq!(mean_jerk(joints.view(), 20.0), 0.0);
            assert_eq!(root_speed(joints.view(), 20.0).max_mps, 0.0);
        }
    }
}
