//! Whether a clip is fit to learn from.

use ndarray::ArrayView3;
use serde::{Deserialize, Serialize};

use kinograd_motion::metrics::{foot_skate_ratio, mean_jerk, root_speed};
use kinograd_motion::retarget::Retargeted;

/// What a kept clip may be like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Shortest clip, seconds.
    pub min_secs: f64,
    /// Longest time with no foot near the floor, seconds.
    pub max_airborne_secs: f64,
    /// Largest share of a clip that may be off its floor for the rest to be kept.
    pub max_cut_share: f64,
    /// Largest mean jerk of the joints after smoothing, m/s³, plus 70 for every m/s of mean speed.
    pub max_jerk_m_s3: f64,
    /// Clips jerkier than this are smoothed, m/s³, plus 70 for every m/s of mean speed.
    pub smooth_jerk_m_s3: f64,
    /// Fastest step of the root, m/s.
    pub max_root_speed_m_s: f64,
    /// Largest share of frames in which a foot slides, in clips that do not run.
    pub max_foot_skate_ratio: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_secs: 1.0,
            max_airborne_secs: 1.0,
            max_cut_share: 0.3,
            max_jerk_m_s3: 300.0,
            smooth_jerk_m_s3: 200.0,
            max_root_speed_m_s: 9.0,
            max_foot_skate_ratio: 0.48,
        }
    }
}

/// Measurements of a clip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Mean jerk of the joints, m/s³.
    pub jerk_m_s3: f64,
    /// Spread of the height of standing feet, metres.
    pub floor_drift_m: f64,
    /// Longest time with no foot near the floor, seconds.
    pub airborne_secs: f64,
    /// Fastest step of the root, m/s.
    pub max_root_speed_m_s: f64,
    /// Share of frames in which a foot near the floor slides.
    pub foot_skate_ratio: f64,
    /// Mean ground speed of the root, m/s.
    pub mean_speed_m_s: f64,
    /// Distance between the directions of the source and the body that was fitted, metres.
    pub fit_error_m: f64,
    /// Largest distance between a joint and the joint decoded from its features, metres.
    pub round_trip_m: f64,
    /// Whether the clip was smoothed.
    pub smoothed: bool,
}

/// Fast limbs have more jerk: what is allowed grows with the mean speed, m/s³ per m/s.
pub(crate) const JERK_PER_SPEED: f64 = 70.0;
/// A foot this far above the floor is off it, metres.
const OFF_FLOOR_M: f64 = 0.2;

/// Measures joints `[frames, 22, 3]` (world, metres, on the floor) at `fps`.
#[must_use]
pub(crate) fn measure(joints: ArrayView3<'_, f64>, source: &Retargeted, fps: f64) -> Quality {
    let support = &source.floor.support_m;
    let (mut longest, mut now) = (0_usize, 0_usize);
    for &height in support {
        now = if height > OFF_FLOOR_M { now + 1 } else { 0 };
        longest = longest.max(now);
    }
    let narrow = joints.mapv(|v| v as f32);
    let speed = root_speed(narrow.view(), fps);
    Quality {
        jerk_m_s3: mean_jerk(narrow.view(), fps),
        floor_drift_m: source.floor.drift_m,
        airborne_secs: longest as f64 / fps,
        max_root_speed_m_s: speed.max_mps,
        foot_skate_ratio: foot_skate_ratio(narrow.view(), fps),
        mean_speed_m_s: speed.mean_mps,
        fit_error_m: source.fit_error_m,
        ..Quality::default()
    }
}

/// Why a clip is not fit, if it is not.
pub(crate) fn refuse(quality: &Quality, limits: &Limits) -> Option<String> {
    if quality.max_root_speed_m_s > limits.max_root_speed_m_s {
        return Some(format!(
            "teleport: the root moves at {:.1} m/s",
            quality.max_root_speed_m_s
        ));
    }
    // Running feet touch the floor for two or three frames: the ratio says little of them.
    if quality.mean_speed_m_s < 2.0 && quality.foot_skate_ratio > limits.max_foot_skate_ratio {
        return Some(format!(
            "feet slide: in {:.0} % of the frames",
            100.0 * quality.foot_skate_ratio
        ));
    }
    (quality.jerk_m_s3 > limits.max_jerk_m_s3 + JERK_PER_SPEED * quality.mean_speed_m_s)
        .then(|| format!("jerky capture: mean jerk {:.0} m/s³", quality.jerk_m_s3))
}
