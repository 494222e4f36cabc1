//! How well a clip sits on a rig.

use std::fmt;

use glam::DVec3;
use ndarray::ArrayView3;
use serde::Serialize;

use super::limbs::wrong_bend_rad;
use super::parts::Parts;
use crate::metrics::skate_ratio_of;

/// Share of frames in which feet may slide more than in the clip they come from.
const MORE_SKATE: f64 = 0.05;
/// Ankles may be this far below where they stand, metres.
const DEPTH_M: f64 = 0.02;
/// Hands and feet may be this far off, metres, in all but one of twenty frames.
const EFFECTOR_M: f64 = 0.02;
/// Knees and elbows may bend the wrong way by this much, radians.
const BEND_RAD: f64 = 0.26;

/// Ankle of the canonical body above the ground in the rest pose, metres.
pub(super) const ANKLE_M: f64 = 0.06;
/// Toe of the canonical body above the ground in the rest pose, metres.
const TOE_M: f64 = 0.015;

/// Measurements of a clip on a rig.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RigReport {
    /// Length of the rig's legs over those of the canonical body.
    pub scale: f64,
    /// Share of frames in which a foot on the ground slides.
    pub foot_skate_ratio: f64,
    /// The same of the clip on the canonical body.
    pub source_foot_skate_ratio: f64,
    /// How far an ankle is below where it stands, beyond the clip's own, metres.
    pub ground_penetration_m: f64,
    /// Distance of hands and feet from where they should be: not exceeded in 19 of 20, metres.
    pub effector_error_p95_m: f64,
    /// The largest such distance, metres.
    pub effector_error_max_m: f64,
    /// Largest bend of a knee or an elbow the wrong way, beyond the clip's own, radians.
    pub wrong_bend_rad: f64,
}

/// A limit that a clip on a rig exceeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// What was measured.
    pub what: &'static str,
    /// The value.
    pub value: f64,
    /// The limit.
    pub limit: f64,
    /// The unit, after a space.
    pub unit: &'static str,
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {:.3}{unit}, at most {:.3}{unit} is good",
            self.what,
            self.value,
            self.limit,
            unit = self.unit
        )
    }
}

impl RigReport {
    /// The limits that are exceeded.
    #[must_use]
    pub fn gates(&self) -> Vec<Gate> {
        let gate = |what, value: f64, limit, unit| {
            (value.is_nan() || value > limit).then_some(Gate {
                what,
                value,
                limit,
                unit,
            })
        };
        [
            gate(
                "share of frames in which feet slide",
                self.foot_skate_ratio,
                self.source_foot_skate_ratio + MORE_SKATE,
                "",
            ),
            gate(
                "feet below the ground",
                self.ground_penetration_m,
                DEPTH_M,
                " m",
            ),
            gate(
                "hands and feet off their places",
                self.effector_error_p95_m,
                EFFECTOR_M,
                " m",
            ),
            gate(
                "knees or elbows bent the wrong way",
                self.wrong_bend_rad,
                BEND_RAD,
                " rad",
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// What is measured.
pub(super) struct Measured<'a> {
    pub parts: &'a Parts,
    pub scale: f64,
    pub ankle_m: f64,
    /// How high the toes are where they stand, metres.
    pub toes_m: [f64; 2],
    /// The canonical clip, `[frames, 22, 3]`.
    pub source: ArrayView3<'a, f32>,
    /// The clip on the rig, `[frames, joints, 3]`.
    pub joints: ArrayView3<'a, f64>,
    /// Where left and right ankle and wrist should be.
    pub targets: &'a [[DVec3; 4]],
    pub fps: f64,
}

/// Measures a clip on a rig against the canonical clip and where ankles and wrists should be.
pub(super) fn measure(clip: &Measured<'_>) -> RigReport {
    let Measured {
        parts,
        scale,
        ankle_m,
        toes_m,
        source,
        joints,
        targets,
        fps,
    } = *clip;
    let place = |frame: usize, joint: usize| {
        DVec3::from_array(std::array::from_fn(|axis| joints[[frame, joint, axis]]))
    };
    let of_source = |frame: usize, joint: usize| {
        DVec3::from_array(std::array::from_fn(|axis| {
            f64::from(source[[frame, joint, axis]])
        }))
    };
    let effectors = [
        parts.legs[0].end,
        parts.legs[1].end,
        parts.arms[0].end,
        parts.arms[1].end,
    ];
    let mut errors: Vec<f64> = targets
        .iter()
        .enumerate()
        .flat_map(|(frame, wanted)| {
            let pairs = effectors.iter().zip(wanted);
            pairs.map(move |(&joint, wanted)| place(frame, joint).distance(*wanted))
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    let depth = (0..targets.len())
        .flat_map(|frame| [(frame, 0, 7), (frame, 1, 8)])
        .map(|(frame, side, ankle)| {
            let under = |height: f64, stands: f64| (stands - height).max(0.0);
            let own = under(place(frame, parts.legs[side].end).y, ankle_m);
            own - scale * under(of_source(frame, ankle).y, ANKLE_M)
        })
        .fold(0.0, f64::max);
    let with_toes = parts.legs[0].tip.zip(parts.legs[1].tip);
    let (feet, body_feet) = match with_toes {
        Some((left, right)) => (
            [(left, toes_m[0]), (right, toes_m[1])],
            [(10, TOE_M), (11, TOE_M)],
        ),
        None => (
            parts.legs.map(|leg| (leg.end, ankle_m)),
            [(7, ANKLE_M), (8, ANKLE_M)],
        ),
    };
    RigReport {
        scale,
        foot_skate_ratio: skate(joints, feet, scale, fps),
        source_foot_skate_ratio: skate(source.mapv(f64::from).view(), body_feet, 1.0, fps),
        ground_penetration_m: depth,
        effector_error_p95_m: errors
            .get((errors.len() * 19 / 20).min(errors.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0.0),
        effector_error_max_m: errors.last().copied().unwrap_or(0.0),
        wrong_bend_rad: wrong_bends(parts, targets.len(), &place, &of_source),
    }
}

/// Share of frames in which a toe, or an ankle without one, slides near the ground, of a body scaled
/// to ours. `feet`: joints and how high they are where they stand.
fn skate(joints: ArrayView3<'_, f64>, feet: [(usize, f64); 2], scale: f64, fps: f64) -> f64 {
    let scaled = ndarray::Array3::from_shape_fn((joints.dim().0, 2, 3), |(f, side, axis)| {
        let (joint, stands) = feet[side];
        let height = if axis == 1 { stands } else { 0.0 };
        ((joints[[f, joint, axis]] - height) / scale) as f32
    });
    skate_ratio_of(scaled.view(), fps, &[0, 1])
}

/// Bends the wrong way on the rig where the canonical body has none.
fn wrong_bends(
    parts: &Parts,
    frames: usize,
    place: &impl Fn(usize, usize) -> DVec3,
    of_source: &impl Fn(usize, usize) -> DVec3,
) -> f64 {
    let limbs = [
        (parts.legs[0], [1, 4, 7]),
        (parts.legs[1], [2, 5, 8]),
        (parts.arms[0], [16, 18, 20]),
        (parts.arms[1], [17, 19, 21]),
    ];
    let mut most: f64 = 0.0;
    for frame in 0..frames {
        for (limb, body) in &limbs {
            // The way the canonical limb bends is right.
            let [root, middle, end] = body.map(|joint| of_source(frame, joint));
            let line = (end - root).normalize_or_zero();
            let forward = (middle - root).reject_from(line);
            if line == DVec3::ZERO || forward.length() < 0.01 {
                continue;
            }
            let [root, middle, end] = [limb.root, limb.middle, limb.end].map(|j| place(frame, j));
            let bend = wrong_bend_rad(root, middle, end, forward.normalize_or_zero());
            most = most.max(bend);
        }
    }
    most
}
