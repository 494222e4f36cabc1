//! Bending of limbs.

use glam::{DQuat, DVec3};

use crate::ik::{swing, two_bone};

/// The turn of the upper bone, in the world, and that of the lower bone after it, that bring a
/// limb's end to a place.
pub(super) fn bend_to(
    root: DVec3,
    middle: DVec3,
    end: DVec3,
    place: DVec3,
    pole: DVec3,
) -> (DQuat, DQuat) {
    let goal = two_bone(root, middle, end, place, pole);
    let upper = swing(middle - root, goal.middle - root, pole);
    let lower = swing(upper * (end - middle), goal.end - goal.middle, pole);
    (upper, lower)
}

/// How far a hinge is bent the wrong way, radians; 0 where it bends as it should. `forward`: the
/// direction in which the middle joint points when the limb bends, in the world.
pub(super) fn wrong_bend_rad(root: DVec3, middle: DVec3, end: DVec3, forward: DVec3) -> f64 {
    let (upper, lower) = (middle - root, end - middle);
    let bend = upper.angle_between(lower);
    if !bend.is_finite() || bend < 1e-6 {
        return 0.0;
    }
    let line = (end - root).normalize_or_zero();
    let out = (middle - root).reject_from(line).normalize_or_zero();
    if out.dot(forward) < -0.2 { bend } else { 0.0 }
}
