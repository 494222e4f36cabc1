//! Hands and feet that get where they nearly are.

use glam::DVec3;

use super::{Limb, reach};
use crate::foot_lock::curve::fill_gaps;
use crate::{JOINT_NAMES, JOINTS, Motion, MotionError};

const LIMBS: [Limb; 4] = [
    Limb::LEFT_LEG,
    Limb::RIGHT_LEG,
    Limb::LEFT_ARM,
    Limb::RIGHT_ARM,
];

/// Where a joint shall be in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Joint of the canonical skeleton.
    pub joint: usize,
    /// Frame of the clip.
    pub frame: usize,
    /// Where in the world, metres.
    pub position_m: DVec3,
}

/// Takes wrists and ankles to places that they miss by at most `most_m`, by two-bone inverse
/// kinematics that fades in and out over `blend_secs`. Bones keep their lengths and hands and feet
/// their turn in the world; what a straight limb doesn't reach stays out of reach. Places of other
/// joints, and those farther off, are left alone.
///
/// ```
/// use glam::DVec3;
/// use kinograd_motion::{ik::{Place, reach_places}, synth::SynthWalk};
/// let walk = SynthWalk::default().motion();
/// let there = walk.joints_in_world_m()[20][20] + DVec3::new(0.05, 0.05, 0.0);
/// let place = Place { joint: 20, frame: 20, position_m: there };
/// let moved = reach_places(&walk, &[place], 0.4, 0.2)?;
/// assert!(moved.joints_in_world_m()[20][20].distance(there) < 1e-6);
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
///
/// # Errors
/// [`MotionError::Clip`] for a motion that is empty, not finite or not on the canonical skeleton, or
/// a place outside it.
pub fn reach_places(
    motion: &Motion,
    places: &[Place],
    blend_secs: f64,
    most_m: f64,
) -> Result<Motion, MotionError> {
    motion.check_storable()?;
    let fault = |message: String| MotionError::Clip {
        clip: "motion".to_owned(),
        message,
    };
    if motion.skeleton.names != JOINT_NAMES {
        return Err(fault(
            "reaching needs the canonical skeleton; retarget first".to_owned(),
        ));
    }
    let inside = |place: &Place| {
        place.joint < JOINTS && place.frame < motion.len() && place.position_m.is_finite()
    };
    if let Some(place) = places.iter().find(|place| !inside(place)) {
        return Err(fault(format!("{place:?} is outside the clip")));
    }
    let before = motion.joints_in_world_m();
    let mut moved = motion.clone();
    for limb in LIMBS {
        let end = limb.end;
        let now: Vec<DVec3> = before.iter().map(|joints| joints[end]).collect();
        let of_limb = places.iter().filter(|place| place.joint == end);
        let offsets = offsets_to(of_limb, &now, blend_secs * motion.fps, most_m);
        for (frame, offset) in offsets.iter().enumerate() {
            if offset.length() > 1e-9 {
                reach(&mut moved, frame, limb, before[frame][end] + *offset)?;
            }
        }
    }
    Ok(moved)
}

/// How the way `now` of a joint is bent through places, a frame at a time: places farther off than
/// `most_m` are left alone, what lies between is smooth.
pub(crate) fn offsets_to<'a>(
    places: impl Iterator<Item = &'a Place>,
    now: &[DVec3],
    blend_frames: f64,
    most_m: f64,
) -> Vec<DVec3> {
    let mut offsets = vec![DVec3::ZERO; now.len()];
    let mut known = vec![false; now.len()];
    for place in places.filter(|place| place.frame < now.len()) {
        let offset = place.position_m - now[place.frame];
        if offset.length() <= most_m {
            offsets[place.frame] = offset;
            known[place.frame] = true;
        }
    }
    fill_gaps(&mut offsets, &runs(&known), blend_frames);
    offsets
}

/// Runs of known values, from the first to one past the last.
fn runs(known: &[bool]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for frame in (0..known.len()).filter(|&frame| known[frame]) {
        match runs.last_mut() {
            Some(run) if run.1 == frame => run.1 = frame + 1,
            _ => runs.push((frame, frame + 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::SynthWalk;

    #[test]
    fn all_four_ends_get_there_and_nothing_else_moves() {
        let walk = SynthWalk::default().motion();
        let before = walk.joints_in_world_m();
        let offset = DVec3::new(0.03, 0.02, -0.04);
        let places: Vec<Place> = [(7, 12), (8, 20), (20, 15), (21, 30)]
            .map(|(joint, frame)| Place {
                joint,
                frame,
                position_m: before[frame][joint] + offset,
            })
            .to_vec();
        let after = reach_places(&walk, &places, 0.2, 0.2)
            .unwrap()
            .joints_in_world_m();
        for place in &places {
            let gap = after[place.frame][place.joint].distance(place.position_m);
            assert!(gap < 2e-3, "joint {}: {gap}", place.joint);
        }
        for frame in 0..walk.len() {
            assert!(after[frame][15].distance(before[frame][15]) < 1e-9, "head");
            let long = |joints: &[DVec3], limb: &Limb| {
                let middle = joints[limb.middle];
                joints[limb.root].distance(middle) + middle.distance(joints[limb.end])
            };
            for limb in &LIMBS {
                let gap = long(&after[frame], limb) - long(&before[frame], limb);
                assert!(gap.abs() < 1e-9);
            }
        }
        // 0.2 s on either side of its only place, the left wrist is where it was.
        assert!(after[10][20].distance(before[10][20]) < 1e-9);
        assert!(after[13][20].distance(before[13][20]) > 1e-3);
        assert!(after[20][20].distance(before[20][20]) < 1e-9);
    }

    #[test]
    fn places_too_far_away_are_left_alone_and_those_outside_refused() {
        let walk = SynthWalk::default().motion();
        let far = Place {
            joint: 20,
            frame: 5,
            position_m: DVec3::new(0.0, 9.0, 0.0),
        };
        assert_eq!(reach_places(&walk, &[far], 0.2, 0.2).unwrap(), walk);
        for outside in [
            Place { frame: 9999, ..far },
            Place { joint: 22, ..far },
            Place {
                position_m: DVec3::NAN,
                ..far
            },
        ] {
            assert!(
                reach_places(&walk, &[outside], 0.2, 0.2).is_err(),
                "{outside:?}"
            );
        }
    }
}
