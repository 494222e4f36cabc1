//! Two-bone inverse kinematics.

use glam::{DQuat, DVec3};

use super::align::swing;
use crate::{Motion, MotionError};

/// Where the middle and the end of a two-bone limb go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoBone {
    /// Knee or elbow, world, metres.
    pub middle: DVec3,
    /// Ankle or wrist, world, metres: the target, or the nearest reachable point to it.
    pub end: DVec3,
}

/// Positions of a two-bone limb that reaches for `target` from `root` (hip or shoulder).
///
/// Bone lengths are those of the given positions. The limb bends in the plane of `root`,
/// `target` and the present `middle`; where these are in line, towards `pole` (a direction in
/// the world, such as the way the knee points). A target out of reach is pulled onto the reach.
///
/// ```
/// use glam::DVec3;
/// let (hip, knee, ankle) = (DVec3::Y, DVec3::new(0.0, 0.5, 0.01), DVec3::ZERO);
/// let target = DVec3::new(0.2, 0.2, 0.1);
/// let limb = kinograd_motion::ik::two_bone(hip, knee, ankle, target, DVec3::Z);
/// assert!(limb.end.distance(target) < 1e-12);
/// assert!((limb.middle.distance(hip) - knee.distance(hip)).abs() < 1e-12);
/// ```
#[must_use]
pub fn two_bone(root: DVec3, middle: DVec3, end: DVec3, target: DVec3, pole: DVec3) -> TwoBone {
    let (upper, lower) = (middle.distance(root), end.distance(middle));
    let line = target - root;
    let direction = line
        .try_normalize()
        .or_else(|| (end - root).try_normalize())
        .unwrap_or(DVec3::NEG_Y);
    let reach = line.length().clamp((upper - lower).abs(), upper + lower);
    // A hair of the limb's length: nearer to the line, the present bend is only rounding.
    let least = 1e-9 * (upper + lower);
    let bend = |v: DVec3| {
        let across = v.reject_from_normalized(direction);
        (across.length() > least).then(|| across.normalize())
    };
    let side = bend(middle - root)
        .or_else(|| bend(pole * (upper + lower)))
        .unwrap_or_else(|| direction.any_orthonormal_vector());
    let along = if reach > least {
        (upper * upper - lower * lower + reach * reach) / (2.0 * reach)
    } else {
        0.0
    };
    let along = along.clamp(-upper, upper);
    let height = (upper * upper - along * along).max(0.0).sqrt();
    TwoBone {
        middle: root + direction * along + side * height,
        end: root + direction * reach,
    }
}

/// Three joints of a limb, by index in the skeleton; each is the parent of the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limb {
    /// Hip or shoulder.
    pub root: usize,
    /// Knee or elbow.
    pub middle: usize,
    /// Ankle or wrist.
    pub end: usize,
    /// Which way the middle joint points when the limb is straight, in the limb's parent frame.
    pub pole: DVec3,
}

impl Limb {
    /// Left leg of the canonical skeleton.
    pub const LEFT_LEG: Self = Self::new(1, 4, 7, DVec3::Z);
    /// Right leg of the canonical skeleton.
    pub const RIGHT_LEG: Self = Self::new(2, 5, 8, DVec3::Z);
    /// Left arm of the canonical skeleton.
    pub const LEFT_ARM: Self = Self::new(16, 18, 20, DVec3::NEG_Z);
    /// Right arm of the canonical skeleton.
    pub const RIGHT_ARM: Self = Self::new(17, 19, 21, DVec3::NEG_Z);

    const fn new(root: usize, middle: usize, end: usize, pole: DVec3) -> Self {
        Self {
            root,
            middle,
            end,
            pole,
        }
    }
}

/// Turns a limb of one frame so that its end reaches for `target` (world, metres); the end joint
/// keeps its orientation in the world. Returns how far the end stays from the target, metres.
///
/// # Errors
/// When the frame or the limb's joints are not in the motion, or the target is not finite.
pub fn reach(
    motion: &mut Motion,
    frame: usize,
    limb: Limb,
    target: DVec3,
) -> Result<f64, MotionError> {
    let skeleton = &motion.skeleton;
    let chained = limb.end < skeleton.len()
        && limb.middle < skeleton.len()
        && skeleton.parents[limb.end] == Some(limb.middle)
        && skeleton.parents[limb.middle] == Some(limb.root);
    let whole = motion.local_rotations.get(frame).map(Vec::len) == Some(skeleton.len());
    if !chained || !whole || frame >= motion.len() || !target.is_finite() {
        return Err(MotionError::Format {
            format: "limb",
            message: format!("cannot turn {limb:?} of frame {frame} to {target}"),
        });
    }
    let rotations = &motion.local_rotations[frame];
    let (middle_offset, end_offset) = (
        motion.offset_m(frame, limb.middle),
        motion.offset_m(frame, limb.end),
    );
    let (root, base) = place(motion, frame, limb.root);
    let upper = base * rotations[limb.root];
    let middle = root + upper * middle_offset;
    let lower = upper * rotations[limb.middle];
    let end = middle + lower * end_offset;
    let end_world = lower * rotations[limb.end];

    let goal = two_bone(root, middle, end, target, base * limb.pole);
    let pole = base * limb.pole;
    let new_upper = swing(middle - root, goal.middle - root, pole) * upper;
    let carried = new_upper * rotations[limb.middle];
    let new_lower = swing(carried * end_offset, goal.end - goal.middle, pole) * carried;
    let set = |slot: &mut DQuat, value: DQuat| {
        let value = value.normalize();
        *slot = if slot.dot(value) < 0.0 { -value } else { value };
    };
    let rotations = &mut motion.local_rotations[frame];
    set(&mut rotations[limb.root], base.conjugate() * new_upper);
    set(
        &mut rotations[limb.middle],
        new_upper.conjugate() * new_lower,
    );
    set(&mut rotations[limb.end], new_lower.conjugate() * end_world);
    Ok(goal.end.distance(target))
}

/// World position of a joint and world rotation of its parent's frame.
fn place(motion: &Motion, frame: usize, joint: usize) -> (DVec3, DQuat) {
    let skeleton = &motion.skeleton;
    let mut chain = Vec::new();
    let mut at = joint;
    while let Some(parent) = skeleton.parents[at] {
        chain.push((parent, at));
        at = parent;
    }
    let mut position = motion.root_in_world_m[frame];
    let mut rotation = DQuat::IDENTITY;
    for &(parent, child) in chain.iter().rev() {
        rotation *= motion.local_rotations[frame][parent];
        position += rotation * motion.offset_m(frame, child);
    }
    (position, rotation)
}
