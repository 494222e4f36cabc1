//! The floor under a clip.

use glam::DVec3;

use crate::{REST_OFFSETS, Skeleton};

const LEGS: [(usize, usize); 2] = [(7, 10), (8, 11)];
/// A foot point slower than this stands, m/s.
const STANDING_M_PER_S: f64 = 0.35;

/// Where the feet of a canonical clip stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    /// Height of the floor before it was taken away, metres.
    pub height_m: f64,
    /// Per frame: height of the lower foot's sole above the floor, metres. Near zero while a
    /// foot is on the ground, positive in the air or on a step, negative below.
    pub support_m: Vec<f64>,
    /// Per frame: whether the lower foot stands still.
    pub standing: Vec<bool>,
    /// Spread (95th less 5th percentile) of `support_m` over standing frames, metres. Large
    /// where the clip climbs stairs or a slope, or does not stand on its feet.
    pub drift_m: f64,
}

impl Floor {
    /// Finds the floor under canonical joints, `[frame][22]`, metres, Y up: the 20th percentile
    /// of sole heights while a foot stands, or the 5th of all where none does.
    #[must_use]
    pub fn of(joints: &[Vec<DVec3>], fps: f64) -> Self {
        let rest = rest_heights();
        let mut support = Vec::with_capacity(joints.len());
        let mut standing = Vec::with_capacity(joints.len());
        for frame in 0..joints.len() {
            let points = LEGS.iter().flat_map(|&(ankle, toe)| [ankle, toe]);
            let sole = |joint: usize| joints[frame][joint].y - rest[joint];
            let lowest = points.reduce(|a, b| if sole(b) < sole(a) { b } else { a });
            let lowest = lowest.unwrap_or(LEGS[0].0);
            support.push(sole(lowest));
            standing.push(speed(joints, frame, lowest, fps) < STANDING_M_PER_S);
        }
        let mut on_foot: Vec<f64> = support
            .iter()
            .zip(&standing)
            .filter_map(|(&height, &stands)| stands.then_some(height))
            .collect();
        on_foot.sort_by(f64::total_cmp);
        let height_m = if on_foot.len() >= 3 {
            percentile(&on_foot, 0.2)
        } else {
            let mut all = support.clone();
            all.sort_by(f64::total_cmp);
            percentile(&all, 0.05)
        };
        for value in &mut support {
            *value -= height_m;
        }
        Self {
            height_m,
            support_m: support,
            standing,
            drift_m: percentile(&on_foot, 0.95) - percentile(&on_foot, 0.05),
        }
    }
}

/// Height of each canonical joint above the floor in the rest pose.
fn rest_heights() -> Vec<f64> {
    let body = Skeleton::canonical();
    let mut heights: Vec<f64> = Vec::with_capacity(body.len());
    for (joint, parent) in body.parents.iter().enumerate() {
        let above = parent.map_or(0.0, |parent| heights[parent]);
        heights.push(above + REST_OFFSETS[joint][1]);
    }
    heights
}

/// Speed of a joint by central difference, m/s.
pub(super) fn speed(joints: &[Vec<DVec3>], frame: usize, joint: usize, fps: f64) -> f64 {
    let before = frame.saturating_sub(1);
    let after = (frame + 1).min(joints.len() - 1);
    if after == before {
        return 0.0;
    }
    joints[after][joint].distance(joints[before][joint]) * fps / (after - before) as f64
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    let at = share * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}
