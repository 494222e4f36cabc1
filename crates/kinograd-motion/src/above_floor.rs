//! Hands, knees and trunks that do not go through the floor.

use glam::DVec3;

use crate::foot_lock::curve::envelope;
use crate::ik::{Limb, reach};
use crate::{JOINT_NAMES, Motion, MotionError};

/// Joints of trunk, knees and elbows, with how far the skin lies below them, metres.
const BODY: [(usize, f64); 12] = [
    (0, 0.08),
    (3, 0.08),
    (4, 0.02),
    (5, 0.02),
    (6, 0.08),
    (9, 0.08),
    (12, 0.05),
    (15, 0.08),
    (16, 0.05),
    (17, 0.05),
    (18, 0.02),
    (19, 0.02),
];
/// Wrists, by their arms, and how far the palm lies below them, metres.
const ARMS: [Limb; 2] = [Limb::LEFT_ARM, Limb::RIGHT_ARM];
const PALM_M: f64 = 0.02;
const PALMS: [(usize, f64); 2] = [(20, PALM_M), (21, PALM_M)];
/// Ankles and toes, and how high they are while a foot stands, metres.
const FEET: [(usize, f64); 4] = [(7, 0.06), (10, 0.015), (8, 0.06), (11, 0.015)];
/// A clip that is nowhere nearer to the floor than this hovers, metres.
const HOVERS_M: f64 = 0.02;
/// A body is lifted no further, metres: what is deeper is no slip of a model.
const MOST_M: f64 = 0.25;
/// A lift comes and goes within this time, seconds.
const BLEND_SECS: f64 = 0.15;

/// Lifts the body where its trunk, knees or elbows are in the floor (height 0), and the hands where they
/// still are, by two-bone inverse kinematics; both come and go smoothly. Feet are the foot lock's.
/// `motion` is on the canonical skeleton. What is above the floor stays as it is, to the bit.
///
/// # Errors
/// [`MotionError::Clip`] for a motion that is empty, not finite or not on the canonical skeleton.
pub fn keep_above_floor(motion: &Motion) -> Result<Motion, MotionError> {
    check(motion)?;
    let mut moved = motion.clone();
    let joints = motion.joints_in_world_m();
    let depth = |pose: &Vec<DVec3>| {
        let below = |&(joint, skin_m): &(usize, f64)| skin_m - pose[joint].y;
        BODY.iter().map(below).fold(0.0, f64::max)
    };
    let lifts = smooth_lifts(joints.iter().map(depth), motion.fps);
    for (root, lift) in moved.root_in_world_m.iter_mut().zip(&lifts) {
        root.y += lift;
    }
    for arm in ARMS {
        let height = |frame: usize| joints[frame][arm.end].y + lifts[frame];
        let needed = (0..motion.len()).map(|frame| PALM_M - height(frame));
        for (frame, raise) in smooth_lifts(needed, motion.fps).into_iter().enumerate() {
            if raise > 0.0 {
                let up = DVec3::Y * (lifts[frame] + raise);
                reach(&mut moved, frame, arm, joints[frame][arm.end] + up)?;
            }
        }
    }
    Ok(moved)
}

/// Lowers a clip that hovers from end to end, as guidance against skating makes them, so that it stands
/// on the floor: by what its lowest joints, feet as they stand and the skin of the others, are over it
/// in nine of ten frames, where that is 2 cm or more.
///
/// # Errors
/// As [`keep_above_floor`].
pub fn lower_to_floor(motion: &Motion) -> Result<Motion, MotionError> {
    check(motion)?;
    let parts = || BODY.iter().chain(&FEET).chain(&PALMS);
    let clearance = |pose: &Vec<DVec3>| {
        let over = parts().map(|&(joint, skin_m)| pose[joint].y - skin_m);
        over.fold(f64::INFINITY, f64::min)
    };
    let mut clearances: Vec<f64> = motion.joints_in_world_m().iter().map(clearance).collect();
    clearances.sort_by(f64::total_cmp);
    let hovers_m = clearances[clearances.len() / 10];
    let mut lowered = motion.clone();
    if hovers_m >= HOVERS_M {
        for root in &mut lowered.root_in_world_m {
            root.y -= hovers_m;
        }
    }
    Ok(lowered)
}

fn check(motion: &Motion) -> Result<(), MotionError> {
    motion.check_storable()?;
    if motion.skeleton.names == JOINT_NAMES {
        return Ok(());
    }
    Err(MotionError::Clip {
        clip: "motion".to_owned(),
        message: "the floor needs the canonical skeleton; retarget first".to_owned(),
    })
}

/// Curves that are nowhere below what is needed, as far as bodies are lifted.
fn smooth_lifts(needed_m: impl Iterator<Item = f64>, fps: f64) -> Vec<f64> {
    let needed: Vec<f64> = needed_m.map(|lift| lift.clamp(0.0, MOST_M)).collect();
    if needed.iter().all(|lift| *lift == 0.0) {
        return needed;
    }
    envelope(&needed, (BLEND_SECS * fps).round().max(1.0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::SynthWalk;
    use glam::DQuat;

    /// Height of the lowest hand, elbow or knee, metres.
    fn lowest(motion: &Motion) -> f64 {
        let joints = motion.joints_in_world_m();
        let parts = [4, 5, 18, 19, 20, 21];
        let heights = joints
            .iter()
            .flat_map(|pose| parts.map(|joint| pose[joint].y));
        heights.fold(f64::MAX, f64::min)
    }

    /// On hands and knees, 12 cm too low for a second.
    fn crawl() -> Motion {
        let mut motion = SynthWalk::default().motion();
        let kneeling = DQuat::from_rotation_x(std::f64::consts::FRAC_PI_2);
        for frame in 0..motion.len() {
            let rotations = &mut motion.local_rotations[frame];
            rotations.fill(DQuat::IDENTITY);
            rotations[0] = kneeling;
            // Thighs down from the lying trunk, shins back; arms down.
            rotations[1] = kneeling.inverse();
            rotations[2] = kneeling.inverse();
            rotations[4] = kneeling;
            rotations[5] = kneeling;
            rotations[16] = DQuat::from_rotation_y(-1.4);
            rotations[17] = DQuat::from_rotation_y(1.4);
            motion.root_in_world_m[frame].y = 1.0;
        }
        let lowest = lowest(&motion);
        for (frame, root) in motion.root_in_world_m.iter_mut().enumerate() {
            root.y -= lowest - 0.05;
            if (20..40).contains(&frame) {
                root.y -= 0.17;
            }
        }
        motion
    }

    #[test]
    fn hands_and_knees_come_out_of_the_floor_smoothly() {
        let before = crawl();
        assert!(lowest(&before) < -0.1, "{}", lowest(&before));
        let after = keep_above_floor(&before).unwrap();
        assert!(lowest(&after) > 0.015, "{}", lowest(&after));
        let lift = |frame: usize| after.root_in_world_m[frame].y - before.root_in_world_m[frame].y;
        let steps = (1..before.len()).map(|frame| (lift(frame) - lift(frame - 1)).abs());
        let steepest = steps.fold(0.0, f64::max);
        assert!((0.01..0.06).contains(&steepest), "{steepest}");
    }

    #[test]
    fn who_walks_stays_as_they_are() {
        let walk = SynthWalk::default().motion();
        assert_eq!(keep_above_floor(&walk).unwrap(), walk);
        assert_eq!(lower_to_floor(&walk).unwrap(), walk);
    }

    #[test]
    fn who_hovers_comes_down_and_who_jumps_does_not() {
        let walk = SynthWalk::default().motion();
        let mut hovering = walk.clone();
        let mut jumping = walk.clone();
        for (frame, root) in hovering.root_in_world_m.iter_mut().enumerate() {
            root.y += 0.05;
            if frame > walk.len() / 4 {
                jumping.root_in_world_m[frame].y += 0.3;
            }
        }
        assert_eq!(lower_to_floor(&jumping).unwrap(), jumping);
        let lowered = lower_to_floor(&hovering).unwrap();
        let off = lowered.root_in_world_m[3].y - walk.root_in_world_m[3].y;
        assert!(off.abs() < 0.02, "{off}");
    }
}
