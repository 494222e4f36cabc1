//! What of a body a path is told from: its mass, its facing and its strides.

use glam::DVec2;
use ndarray::ArrayView3;

use crate::{JOINT_NAMES, MotionError, contacts_from_joints};

/// Segments of a body (Winter 2009, table 4.1): from a joint to another, share of the mass, and where
/// between them its middle lies. Hands and feet go with the segment that holds them.
const SEGMENTS: [(&str, &str, f64, f64); 10] = [
    ("pelvis", "neck", 0.497, 0.5),
    ("neck", "head", 0.081, 1.0),
    ("left_shoulder", "left_elbow", 0.028, 0.436),
    ("right_shoulder", "right_elbow", 0.028, 0.436),
    ("left_elbow", "left_wrist", 0.022, 0.682),
    ("right_elbow", "right_wrist", 0.022, 0.682),
    ("left_hip", "left_knee", 0.1, 0.433),
    ("right_hip", "right_knee", 0.1, 0.433),
    ("left_knee", "left_ankle", 0.061, 0.606),
    ("right_knee", "right_ankle", 0.061, 0.606),
];
/// Strides are this long, seconds, and of what makes no steps the last is taken.
const STRIDE_SECS: [f64; 2] = [0.4, 2.0];
const NO_STRIDE_SECS: f64 = 1.0;

/// A body over time.
pub(super) struct Body {
    pub fps: f64,
    is_loop: bool,
    /// Its centre of mass on the ground, x and z, frame by frame.
    pub mass_m: Vec<DVec2>,
    /// Where it faces, square to hips and shoulders, radians about +Y from +Z, without jumps.
    pub facings_rad: Vec<f64>,
    pelvis_m: Vec<DVec2>,
    /// Frames in which a foot comes to stand, left and right.
    touchdowns: [Vec<usize>; 2],
}

impl Body {
    pub(super) fn of(
        joints: ArrayView3<'_, f64>,
        fps: f64,
        is_loop: bool,
    ) -> Result<Self, MotionError> {
        let frames = joints.dim().0;
        let at = |frame: usize, name: &str| {
            let joint = JOINT_NAMES.iter().position(|joint| *joint == name);
            let joint = joint.unwrap_or_default();
            DVec2::new(joints[[frame, joint, 0]], joints[[frame, joint, 2]])
        };
        let whole: f64 = SEGMENTS.iter().map(|(_, _, share, _)| share).sum();
        let mass = (0..frames).map(|frame| {
            let parts = SEGMENTS.iter().map(|(from, to, share, along)| {
                at(frame, from).lerp(at(frame, to), *along) * *share
            });
            parts.sum::<DVec2>() / whole
        });
        let mut last = 0.0;
        let facings = (0..frames).map(|frame| {
            let across = at(frame, "left_hip") - at(frame, "right_hip")
                + at(frame, "left_shoulder")
                - at(frame, "right_shoulder");
            if across.length() > 1e-6 {
                let turn = std::f64::consts::TAU;
                let yaw = (-across.y).atan2(across.x);
                last = yaw - turn * ((yaw - last) / turn).round();
            }
            last
        });
        let stands = contacts_from_joints(joints.mapv(|place| place as f32).view(), fps)?;
        let foot =
            |side: usize, frame: usize| stands[[frame, 2 * side]] || stands[[frame, 2 * side + 1]];
        let touchdowns = [0, 1].map(|side| {
            let comes = |&frame: &usize| foot(side, frame) && !foot(side, frame - 1);
            (1..frames).filter(comes).collect()
        });
        Ok(Self {
            fps,
            is_loop,
            mass_m: mass.collect(),
            facings_rad: facings.collect(),
            pelvis_m: (0..frames).map(|frame| at(frame, "pelvis")).collect(),
            touchdowns,
        })
    }

    /// From one step of a foot to its next, the median, frames.
    pub(super) fn stride_frames(&self) -> f64 {
        let [shortest, longest] = STRIDE_SECS.map(|secs| secs * self.fps);
        let mut strides: Vec<f64> = self
            .touchdowns
            .iter()
            .flat_map(|frames| frames.windows(2).map(|pair| (pair[1] - pair[0]) as f64))
            .filter(|stride| (shortest..=longest).contains(stride))
            .collect();
        strides.sort_by(f64::total_cmp);
        let median = strides.get(strides.len().div_euclid(2));
        median.copied().unwrap_or(NO_STRIDE_SECS * self.fps)
    }

    /// How far the pelvis has gone on the ground.
    pub(super) fn pelvis_travel_m(&self) -> DVec2 {
        let ends = self.pelvis_m.first().zip(self.pelvis_m.last());
        ends.map_or(DVec2::ZERO, |(first, last)| *last - *first)
    }

    /// Means over a window of so many frames. At the ends of a clip the window shrinks, so that both stay; a
    /// loop goes on past them.
    pub(super) fn averaged(&self, values: &[DVec2], window: f64) -> Vec<DVec2> {
        let last = values.len().saturating_sub(1);
        let half = (window / 2.0).round() as usize;
        let cycle = values.last().copied().unwrap_or_default()
            - values.first().copied().unwrap_or_default();
        // The last frame of a loop is its first one, a cycle later.
        let value = |frame: i64| {
            let turns = frame.div_euclid(last.max(1) as i64);
            values[frame.rem_euclid(last.max(1) as i64) as usize] + cycle * turns as f64
        };
        let mean = |frame: usize| {
            let half = if self.is_loop && last > 0 {
                half
            } else {
                half.min(frame).min(last - frame)
            };
            let around = -(half as i64)..=half as i64;
            let sum: DVec2 = around
                .map(|step| {
                    let frame = frame as i64 + step;
                    if self.is_loop && last > 0 {
                        value(frame)
                    } else {
                        values[frame as usize]
                    }
                })
                .sum();
            sum / (2 * half + 1) as f64
        };
        (0..values.len()).map(mean).collect()
    }

    /// Means of the facings over a window. Of a clip the line through all of them is taken out before, so that
    /// a steady turn stays as it is, and the window is cut off at the ends: the twist of the first step is no
    /// turn.
    pub(super) fn averaged_facings(&self, window: f64) -> Vec<f64> {
        let facings = &self.facings_rad;
        if self.is_loop {
            let places: Vec<DVec2> = facings.iter().map(|&yaw| DVec2::new(yaw, 0.0)).collect();
            let averaged = self.averaged(&places, window);
            return averaged.iter().map(|place| place.x).collect();
        }
        let count = facings.len() as f64;
        let along = |frame: usize| frame as f64 - (count - 1.0) / 2.0;
        let mean = facings.iter().sum::<f64>() / count;
        let (mut moment, mut spread) = (0.0, 0.0);
        for (frame, yaw) in facings.iter().enumerate() {
            moment += along(frame) * (yaw - mean);
            spread += along(frame) * along(frame);
        }
        let rate = moment / spread.max(1e-9);
        let line = |frame: usize| mean + rate * along(frame);
        let half = (window / 2.0).round() as usize;
        let averaged = |frame: usize| {
            let around = frame.saturating_sub(half)..(frame + half + 1).min(facings.len());
            let size = around.len() as f64;
            let off: f64 = around.map(|near| facings[near] - line(near)).sum();
            off / size + line(frame)
        };
        (0..facings.len()).map(averaged).collect()
    }
}
