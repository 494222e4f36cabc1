//! How the mannequin's vertices hang on the skeleton.

use glam::{DQuat, DVec3};
use kinograd_motion::Skeleton;

use super::part::{Hold, Influences, Part};

/// Half the height over which the trunk bends at a joint of the spine, metres on the canonical body.
const SPINE_BEND_M: f64 = 0.06;
/// Pieces bend over this many of their radii beside a joint, but not beyond this share of the bone.
const BEND_RADII: f64 = 2.2;
const BEND_SHARE: f64 = 0.45;
/// What a neighbour carries of a piece's end. Ends overlap in a ball that stays round; were it half,
/// both would pinch at a bent elbow.
const BEND_WEIGHT: f64 = 0.25;

/// Gives every vertex its joints. `rest`: the joints where the vertices are; `trunk`: pelvis and
/// spine from below.
pub(super) fn skin(
    part: &mut Part,
    skeleton: &Skeleton,
    rest: &[DVec3],
    trunk: &[usize],
    scale: f64,
) {
    let mut vertices = part.positions.iter();
    for &(count, hold) in &part.pieces {
        for position in vertices.by_ref().take(count) {
            let at = DVec3::from_array(position.map(f64::from));
            let weights = match hold {
                Hold::Rigid(joint) => vec![(joint, 1.0)],
                Hold::Trunk => on_trunk(at, rest, trunk, scale),
                Hold::Bone { .. } => on_bone(at, hold, skeleton, rest),
            };
            part.influences.push(shared(&weights));
        }
    }
}

/// A vertex of the trunk: joints of the spine take over from one another around their heights.
fn on_trunk(at: DVec3, rest: &[DVec3], trunk: &[usize], scale: f64) -> Vec<(usize, f64)> {
    let half = SPINE_BEND_M * scale;
    let above = |place: usize| match trunk.get(place) {
        Some(_) if place == 0 => 1.0,
        Some(&joint) => smooth((at.y - rest[joint].y + half) / (2.0 * half)),
        None => 0.0,
    };
    let joints = trunk.iter().enumerate();
    joints
        .map(|(place, &joint)| (joint, above(place) - above(place + 1)))
        .collect()
}

fn on_bone(at: DVec3, hold: Hold, skeleton: &Skeleton, rest: &[DVec3]) -> Vec<(usize, f64)> {
    let Hold::Bone {
        parent,
        child,
        start_m,
        end_m,
    } = hold
    else {
        return Vec::new();
    };
    let length = child.map_or(f64::INFINITY, |child| rest[parent].distance(rest[child]));
    let mut weights = vec![(parent, 1.0)];
    let ends = [
        (skeleton.parents[parent], parent, start_m),
        (child, child.unwrap_or(parent), end_m),
    ];
    for (other, pivot, radius) in ends {
        let Some(other) = other else { continue };
        let reach = (BEND_RADII * radius).min(BEND_SHARE * length);
        let way = (reach - at.distance(rest[pivot])) / (reach - radius).max(1e-9);
        let weight = BEND_WEIGHT * smooth(way);
        weights[0].1 -= weight;
        weights.push((other, weight));
    }
    weights
}

/// 0 below 0, 1 above 1, and no corner between.
fn smooth(t: f64) -> f64 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Weights as shares of 255, which sum to it, largest first.
fn shared(weights: &[(usize, f64)]) -> Influences {
    let mut order: Vec<(usize, f64)> = weights.iter().copied().filter(|w| w.1 > 0.0).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    order.truncate(4);
    let total: f64 = order.iter().map(|w| w.1).sum();
    let mut influences = Influences::default();
    let mut left = 255;
    for (place, &(joint, weight)) in order.iter().enumerate().skip(1) {
        let share = (255.0 * weight / total).round() as u8;
        if share > 0 {
            influences.joints[place] = joint as u16;
            influences.shares[place] = share;
            left -= share;
        }
    }
    // The rest is the largest's.
    influences.joints[0] = order.first().map_or(0, |&(joint, _)| joint as u16);
    influences.shares[0] = left;
    influences
}

/// Moves vertices from where the joints were to where they rest, turned in the world.
pub(super) fn pose(part: &mut Part, from: &[DVec3], to: &[DVec3], turns: &[DQuat]) {
    if turns.iter().all(|turn| *turn == DQuat::IDENTITY) {
        return;
    }
    let vertices = part.positions.iter_mut().zip(&mut part.normals);
    for ((position, normal), influences) in vertices.zip(&part.influences) {
        let (at, along) = (
            DVec3::from_array(position.map(f64::from)),
            DVec3::from_array(normal.map(f64::from)),
        );
        let (mut moved, mut turned) = (DVec3::ZERO, DVec3::ZERO);
        for (joint, share) in influences.joints.iter().zip(influences.shares) {
            let (joint, weight) = (usize::from(*joint), f64::from(share) / 255.0);
            moved += weight * (to[joint] + turns[joint] * (at - from[joint]));
            turned += weight * (turns[joint] * along);
        }
        *position = moved.as_vec3().to_array();
        *normal = turned.normalize_or(along).as_vec3().normalize().to_array();
    }
}
