//! Feet that stand where contacts say so.
//!
//! In each stance the foot's own slip is integrated and taken off, the offset that leaves the
//! least correction is chosen, and the correction fades in and out with the stance's own slope, so
//! that the foot comes to rest and leaves without a jolt. The leg follows by two-bone IK; where it
//! is too short, the pelvis sinks a little and then the heel rises.

mod contacts;
pub(crate) mod curve;
mod feet;
pub(crate) mod leg;

use glam::{DQuat, DVec3};
use ndarray::{Array2, Array3, s};

pub use contacts::{contacts_from_features, contacts_from_joints};

use self::contacts::{runs, steady};
use self::curve::{envelope, fill_gaps};
use self::feet::{FEET, Foot};
use self::leg::Leg;
use crate::metrics::{foot_skate_ratio, mean_jerk};
use crate::{JOINT_NAMES, Motion, MotionError, joints_array};

/// A joint may come this much nearer to the floor than a standing foot's, metres.
const FLOOR_SLACK_M: f64 = 0.005;
/// A leg is not stretched further than this share of its length, unless it was before.
const MAX_STRETCH: f64 = 0.995;
/// A standing foot that is faster than its common slip by this is coming down or leaving, metres
/// per second.
const LIFTING_MPS: f64 = 0.3;
/// A stance that hovers higher than this is none on this floor; it is lowered by as much, metres.
const MAX_HOVER_M: f64 = 0.05;
/// A foot lifts by this share of the distance that it has to catch up,
const STEP_SHARE: f64 = 0.2;
/// at most by this much, metres,
const MAX_STEP_M: f64 = 0.025;
/// within this time, seconds.
const STEP_SECS: f64 = 0.12;
/// From the toe joint to the tip of the toes, metres.
const TOES_M: f64 = 0.08;

/// How feet are locked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FootLockOptions {
    /// Time in which a correction fades in and out, seconds.
    pub blend_secs: f64,
    /// The pelvis may sink this much where a leg is too short, metres.
    pub max_pelvis_drop_m: f64,
    /// A foot is moved no further than this, metres; a "stance" that slides more is a slide.
    pub max_correction_m: f64,
}

impl Default for FootLockOptions {
    fn default() -> Self {
        Self {
            blend_secs: 0.2,
            max_pelvis_drop_m: 0.05,
            max_correction_m: 0.25,
        }
    }
}

/// What the foot lock found and did.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct FootLockReport {
    /// Foot-skate ratio of the input.
    pub skate_before: f64,
    /// Foot-skate ratio of the output.
    pub skate_after: f64,
    /// Mean ground speed of standing foot joints in the input, metres per second.
    pub slip_before_mps: f64,
    /// The same in the output.
    pub slip_after_mps: f64,
    /// Mean jerk of the ankles and toes, output over input; 1 where the input has none.
    pub foot_jerk_ratio: f64,
    /// Greatest distance a foot was moved, metres.
    pub max_correction_m: f64,
    /// Greatest distance the pelvis sank, metres.
    pub max_pelvis_drop_m: f64,
    /// Lowest toe joint of the input, metres over the floor.
    pub lowest_toe_before_m: f64,
    /// Lowest toe joint of the output, metres over the floor.
    pub lowest_toe_after_m: f64,
}

/// Pins feet to the floor (height 0) while `contacts` `[frames, 4]` (left ankle, left toe, right
/// ankle, right toe) say that they stand, and keeps them above it at all times. `motion` is on the
/// canonical skeleton. Bones keep their lengths; the pelvis moves only down, and only a little.
///
/// ```
/// use kinograd_motion::{FootLockOptions, foot_lock, synth::SynthWalk};
/// let walk = SynthWalk { slip_mps: 0.25, ..SynthWalk::default() };
/// let (_, report) = foot_lock(&walk.motion(), &walk.contacts(), &FootLockOptions::default())?;
/// assert!(report.slip_after_mps < 0.1 * report.slip_before_mps);
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
///
/// # Errors
/// [`MotionError::Shape`] for contacts of another shape, [`MotionError::Clip`] for a motion that
/// is empty, not finite or not on the canonical skeleton.
pub fn foot_lock(
    motion: &Motion,
    contacts: &Array2<bool>,
    options: &FootLockOptions,
) -> Result<(Motion, FootLockReport), MotionError> {
    motion.check_storable()?;
    if motion.skeleton.names != JOINT_NAMES {
        return Err(MotionError::Clip {
            clip: "motion".to_owned(),
            message: "the foot lock needs the canonical skeleton; retarget first".to_owned(),
        });
    }
    if contacts.dim() != (motion.len(), 4) {
        return Err(MotionError::Shape {
            what: "contacts",
            expected: format!("[{}, 4]", motion.len()),
            got: contacts.shape().to_vec(),
        });
    }
    let contacts = steady_contacts(contacts, motion.fps);
    let before = motion.joints_in_world_m();
    let corrections: [Vec<DVec3>; 2] =
        [0, 1].map(|side| correction(side, &before, &contacts, motion.fps, options));
    let drops = pelvis_drops(motion, &before, &corrections, options);
    let mut locked = motion.clone();
    for frame in 0..motion.len() {
        locked.root_in_world_m[frame].y -= drops[frame];
        for (foot, correction) in FEET.iter().zip(&corrections) {
            pose_leg(
                &mut locked,
                frame,
                foot,
                &before[frame],
                correction[frame],
                drops[frame],
            );
        }
    }
    let report = report(motion, &locked, &contacts, &corrections, &drops);
    Ok((locked, report))
}

fn steady_contacts(contacts: &Array2<bool>, fps: f64) -> Array2<bool> {
    let mut steadied = contacts.clone();
    for mut channel in steadied.columns_mut() {
        let values = steady(channel.iter().copied(), fps);
        channel
            .iter_mut()
            .zip(values)
            .for_each(|(to, from)| *to = from);
    }
    steadied
}

/// How far each frame's foot has to move, metres.
fn correction(
    side: usize,
    joints: &[Vec<DVec3>],
    contacts: &Array2<bool>,
    fps: f64,
    options: &FootLockOptions,
) -> Vec<DVec3> {
    let foot = FEET[side];
    let (ankle, toe) = (contacts.column(2 * side), contacts.column(2 * side + 1));
    let stands: Vec<bool> = ankle.iter().zip(toe).map(|(&a, &t)| a || t).collect();
    // The toe is the pivot as long as it stands; before, the ankle (over the heel) is.
    let slip = |frame: usize| {
        let joint = if toe[frame] || toe[frame - 1] {
            foot.toe
        } else {
            foot.ankle
        };
        (joints[frame][joint] - joints[frame - 1][joint]).with_y(0.0)
    };
    let stances: Vec<(usize, usize)> = runs(&stands, true)
        .into_iter()
        .filter_map(|stance| settled(stance, slip, fps))
        .collect();
    let clearance = |frame: usize| {
        let pose = &joints[frame];
        (pose[foot.toe].y - foot.toe_rest_m).min(pose[foot.ankle].y - foot.ankle_rest_m)
    };
    let mut values = vec![DVec3::ZERO; joints.len()];
    let mut hover = vec![DVec3::ZERO; joints.len()];
    for &(start, end) in &stances {
        for frame in start + 1..end {
            values[frame] = values[frame - 1] - slip(frame);
        }
        let mean = values[start..end].iter().sum::<DVec3>() / (end - start) as f64;
        let farthest = values[start..end]
            .iter()
            .map(|v| (v - mean).length())
            .fold(0.0, f64::max);
        let scale = (options.max_correction_m / farthest.max(1e-9)).min(1.0);
        values[start..end]
            .iter_mut()
            .for_each(|value| *value = (*value - mean) * scale);
        // The whole stance sinks by as much as its lowest frame hovers: the way the foot comes
        // down and lifts off stays its own.
        let lowest = (start..end).map(clearance).fold(f64::MAX, f64::min);
        hover[start..end].fill(-DVec3::Y * lowest.clamp(0.0, MAX_HOVER_M));
    }
    fill_gaps(&mut values, &stances, options.blend_secs * fps);
    fill_gaps(&mut hover, &stances, options.blend_secs * fps);
    for gap in stances.windows(2) {
        step_higher(&mut hover, &values, (gap[0].1 - 1, gap[1].0), fps);
    }
    values
        .iter_mut()
        .zip(hover)
        .for_each(|(value, hover)| *value += hover);
    let sunk: Vec<f64> = (0..joints.len())
        .map(|frame| (-FLOOR_SLACK_M - clearance(frame) - values[frame].y).max(0.0))
        .collect();
    let lift = envelope(&sunk, (0.1 * fps).round().max(1.0) as usize);
    values
        .iter_mut()
        .zip(lift)
        .for_each(|(value, lift)| value.y += lift);
    values
}

/// A foot that has to catch up between two stances (from the last frame of one to the first of the
/// next) steps a little higher, so that it does not scuff.
fn step_higher(lift: &mut [DVec3], way: &[DVec3], (from, to): (usize, usize), fps: f64) {
    let height_m = (STEP_SHARE * (way[to] - way[from]).length()).min(MAX_STEP_M);
    let smooth = |frames: usize| {
        let share = (frames as f64 / (STEP_SECS * fps)).min(1.0);
        share * share * (3.0 - 2.0 * share)
    };
    for (frame, value) in lift.iter_mut().enumerate().take(to).skip(from + 1) {
        value.y += height_m * smooth(frame - from) * smooth(to - frame);
    }
}

/// The part of a stance in which the foot is at rest but for a common slip: contacts begin before
/// the foot has come down and end after it has left, and holding it there would only make it
/// faster later. `None` where nothing is left.
fn settled(
    (mut start, mut end): (usize, usize),
    slip: impl Fn(usize) -> DVec3,
    fps: f64,
) -> Option<(usize, usize)> {
    let median = |axis: usize| {
        let mut parts: Vec<f64> = (start + 1..end).map(|frame| slip(frame)[axis]).collect();
        parts.sort_by(f64::total_cmp);
        parts.get(parts.len() / 2).copied().unwrap_or(0.0)
    };
    let common = DVec3::new(median(0), 0.0, median(2));
    let moves = |frame: usize| (slip(frame) - common).length() * fps > LIFTING_MPS;
    while start + 1 < end && moves(start + 1) {
        start += 1;
    }
    while start + 1 < end && moves(end - 1) {
        end -= 1;
    }
    (start + 1 < end).then_some((start, end))
}

/// How far the pelvis has to sink so that the legs reach, metres.
fn pelvis_drops(
    motion: &Motion,
    joints: &[Vec<DVec3>],
    corrections: &[Vec<DVec3>; 2],
    options: &FootLockOptions,
) -> Vec<f64> {
    let needed: Vec<f64> = (0..motion.len())
        .map(|frame| {
            let sink = |(foot, correction): (&Foot, &Vec<DVec3>)| {
                let pose = &joints[frame];
                let reach = stretch_limit_m(motion, foot, pose);
                let way = pose[foot.ankle] + correction[frame] - pose[foot.hip];
                let across = way.with_y(0.0).length_squared();
                if way.length() <= reach || across >= reach * reach {
                    return 0.0;
                }
                -way.y - (reach * reach - across).sqrt()
            };
            FEET.iter().zip(corrections).map(sink).fold(0.0, f64::max)
        })
        .map(|drop| drop.min(options.max_pelvis_drop_m))
        .collect();
    envelope(&needed, (0.15 * motion.fps).round().max(1.0) as usize)
}

/// The longest distance from hip to ankle that the leg may take in this pose, metres.
fn stretch_limit_m(motion: &Motion, foot: &Foot, pose: &[DVec3]) -> f64 {
    let offsets = &motion.skeleton.offsets_m;
    let straight = offsets[foot.knee].length() + offsets[foot.ankle].length();
    (MAX_STRETCH * straight).max(pose[foot.ankle].distance(pose[foot.hip]))
}

/// Turns hip, knee and ankle of one frame so that the foot is where it should be.
fn pose_leg(
    motion: &mut Motion,
    frame: usize,
    foot: &Foot,
    before: &[DVec3],
    correction: DVec3,
    drop: f64,
) {
    let reach = stretch_limit_m(motion, foot, before);
    let offsets = &motion.skeleton.offsets_m;
    let rotations = &mut motion.local_rotations[frame];
    let pelvis = rotations[0];
    let thigh = pelvis * rotations[foot.hip];
    let shin = thigh * rotations[foot.knee];
    let mut sole = shin * rotations[foot.ankle];
    let hip_m = before[foot.hip] - DVec3::Y * drop;
    let mut ankle_m = before[foot.ankle] + correction;
    if correction.length() + drop > 1e-9 {
        let toe_m = before[foot.toe] + correction;
        let rise = heel_rise(hip_m, ankle_m, toe_m, reach);
        ankle_m = toe_m + rise * (ankle_m - toe_m);
        sole = rise * sole;
        // What is still out of reach stays out: the leg is straight and points there.
        let way = (ankle_m - hip_m).clamp_length_max(reach);
        let leg = Leg {
            hip_m,
            thigh,
            shin,
            knee_offset_m: offsets[foot.knee],
            ankle_offset_m: offsets[foot.ankle],
            hinge: DVec3::X,
        };
        let (thigh, shin) = leg.reach(hip_m + way);
        rotations[foot.hip] = (pelvis.inverse() * thigh).normalize();
        rotations[foot.knee] = (thigh.inverse() * shin).normalize();
        rotations[foot.ankle] = (shin.inverse() * sole).normalize();
        ankle_m = hip_m + way;
    }
    let toe_height_m = (ankle_m + sole * offsets[foot.toe]).y - foot.toe_rest_m;
    rotations[foot.toe] = toes(sole, rotations[foot.toe], toe_height_m);
}

/// The rotation about the toe that brings the ankle just within the leg's reach.
fn heel_rise(hip_m: DVec3, ankle_m: DVec3, toe_m: DVec3, reach: f64) -> DQuat {
    let (heel, hip) = (ankle_m - toe_m, hip_m - toe_m);
    if ankle_m.distance(hip_m) <= reach {
        return DQuat::IDENTITY;
    }
    let (length, far) = (heel.length(), hip.length());
    let cos = (length * length + far * far - reach * reach) / (2.0 * length * far).max(1e-9);
    let excess = heel.angle_between(hip) - cos.clamp(-1.0, 1.0).acos();
    match heel.cross(hip).try_normalize() {
        Some(axis) if excess > 0.0 => DQuat::from_axis_angle(axis, excess),
        _ => DQuat::IDENTITY,
    }
}

/// The toes bend so that their tips stay above the floor while the heel rises.
fn toes(sole: DQuat, local: DQuat, toe_height_m: f64) -> DQuat {
    let down = -(sole * local * DVec3::Z).y;
    let allowed = (toe_height_m.max(0.0) / TOES_M).min(1.0);
    if down <= allowed {
        return local;
    }
    let bend = down.min(1.0).asin() - allowed.asin();
    (local * DQuat::from_rotation_x(-bend)).normalize()
}

fn report(
    motion: &Motion,
    locked: &Motion,
    contacts: &Array2<bool>,
    corrections: &[Vec<DVec3>; 2],
    drops: &[f64],
) -> FootLockReport {
    let (before, after) = (joints_array(motion), joints_array(locked));
    let feet = |joints: &Array3<f32>| {
        let mut feet = joints.slice(s![.., ..4, ..]).to_owned();
        for (place, foot) in FEET.iter().enumerate() {
            feet.slice_mut(s![.., 2 * place, ..])
                .assign(&joints.slice(s![.., foot.ankle, ..]));
            feet.slice_mut(s![.., 2 * place + 1, ..])
                .assign(&joints.slice(s![.., foot.toe, ..]));
        }
        feet
    };
    let (feet_before, feet_after) = (feet(&before), feet(&after));
    let jerk = mean_jerk(feet_before.view(), motion.fps);
    let lowest = |feet: &Array3<f32>| {
        f64::from(
            feet.slice(s![.., 1..;2, 1])
                .iter()
                .copied()
                .fold(f32::MAX, f32::min),
        )
    };
    FootLockReport {
        skate_before: foot_skate_ratio(before.view(), motion.fps),
        skate_after: foot_skate_ratio(after.view(), motion.fps),
        slip_before_mps: slip_mps(&feet_before, contacts, motion.fps),
        slip_after_mps: slip_mps(&feet_after, contacts, motion.fps),
        foot_jerk_ratio: if jerk > 1e-9 {
            mean_jerk(feet_after.view(), motion.fps) / jerk
        } else {
            1.0
        },
        max_correction_m: corrections
            .iter()
            .flatten()
            .map(|correction| correction.length())
            .fold(0.0, f64::max),
        max_pelvis_drop_m: drops.iter().copied().fold(0.0, f64::max),
        lowest_toe_before_m: lowest(&feet_before),
        lowest_toe_after_m: lowest(&feet_after),
    }
}

/// Mean ground speed of the joints that pin a standing foot.
fn slip_mps(feet: &Array3<f32>, contacts: &Array2<bool>, fps: f64) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for frame in 1..contacts.nrows() {
        for side in 0..2 {
            let stands = |part: usize| {
                contacts[[frame, 2 * side + part]] && contacts[[frame - 1, 2 * side + part]]
            };
            let joint = if stands(1) {
                2 * side + 1
            } else if stands(0) {
                2 * side
            } else {
                continue;
            };
            let step = |axis: usize| {
                f64::from(feet[[frame, joint, axis]]) - f64::from(feet[[frame - 1, joint, axis]])
            };
            sum += step(0).hypot(step(2)) * fps;
            count += 1;
        }
    }
    sum / f64::from(count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::SynthWalk;

    fn slipping() -> SynthWalk {
        SynthWalk {
            slip_mps: 0.3,
            turn_rad_per_s: 0.4,
            speed_mps: 1.0,
            ..SynthWalk::default()
        }
    }

    #[test]
    fn takes_the_slip_off() {
        let walk = slipping();
        let options = FootLockOptions::default();
        let motion = walk.motion();
        let (locked, report) = foot_lock(&motion, &walk.contacts(), &options).unwrap();
        assert!(report.slip_before_mps > 0.25, "{report:?}");
        assert!(report.slip_after_mps < 0.02, "{report:?}");
        assert!(report.foot_jerk_ratio < 1.3, "{report:?}");
        assert!(report.max_pelvis_drop_m <= 0.05, "{report:?}");
        assert!(report.lowest_toe_after_m > 0.009, "{report:?}");
        // Found, not told.
        let found = contacts_from_joints(joints_array(&motion).view(), motion.fps).unwrap();
        let (_, report) = foot_lock(&motion, &found, &options).unwrap();
        assert!(report.slip_after_mps < 0.05, "{report:?}");
        assert_eq!(locked.skeleton, motion.skeleton);
        assert_eq!(locked.local_rotations[5][16], motion.local_rotations[5][16]);
    }

    #[test]
    fn leaves_a_clean_walk_as_it_is() {
        let walk = SynthWalk::default();
        let motion = walk.motion();
        let (locked, _) =
            foot_lock(&motion, &walk.contacts(), &FootLockOptions::default()).unwrap();
        let (a, b) = (motion.joints_in_world_m(), locked.joints_in_world_m());
        let moved = a
            .iter()
            .flatten()
            .zip(b.iter().flatten())
            .map(|(a, b)| a.distance(*b));
        let most = moved.fold(0.0, f64::max);
        assert!(most < 0.03, "{most}");
    }

    #[test]
    fn knees_do_not_pop() {
        let walk = SynthWalk {
            fps: 60.0,
            ..slipping()
        };
        let (locked, _) = foot_lock(
            &walk.motion(),
            &walk.contacts(),
            &FootLockOptions::default(),
        )
        .unwrap();
        let fastest = |motion: &Motion| {
            let turns = motion.local_rotations.windows(2).flat_map(|pair| {
                [4, 5].map(|knee| pair[0][knee].angle_between(pair[1][knee]) * motion.fps)
            });
            turns.fold(0.0, f64::max)
        };
        let (before, after) = (fastest(&walk.motion()), fastest(&locked));
        assert!(after < 1.5 * before, "{before} to {after} rad/s");
    }

    #[test]
    fn lift_off_is_not_a_stance() {
        // Slips at 0.2 m/s in frames 3 to 8; comes down before and leaves after.
        let speed = |frame: usize| if (3..=8).contains(&frame) { 0.2 } else { 0.8 };
        let slip = |frame: usize| DVec3::Z * speed(frame) / 20.0;
        assert_eq!(settled((0, 12), slip, 20.0), Some((2, 9)));
        assert_eq!(settled((4, 5), slip, 20.0), None);
    }

    #[test]
    fn bends_but_does_not_break() {
        let mut motion = SynthWalk {
            duration_secs: 2.0,
            ..slipping()
        }
        .motion();
        let options = FootLockOptions::default();
        for (what, contacts) in [
            ("all stand", Array2::from_elem((motion.len(), 4), true)),
            ("none stand", Array2::from_elem((motion.len(), 4), false)),
            (
                "flicker",
                Array2::from_shape_fn((motion.len(), 4), |(f, c)| (f * 7 + c) % 3 == 0),
            ),
        ] {
            let (locked, report) = foot_lock(&motion, &contacts, &options).unwrap();
            let finite = locked
                .joints_in_world_m()
                .iter()
                .flatten()
                .all(|p| p.is_finite());
            assert!(finite && report.skate_after.is_finite(), "{what}");
        }
        // Far below the floor and at one point.
        for root in &mut motion.root_in_world_m {
            *root = DVec3::new(0.0, -3.0, 0.0);
        }
        let contacts = Array2::from_elem((motion.len(), 4), true);
        let (locked, _) = foot_lock(&motion, &contacts, &options).unwrap();
        assert!(
            locked
                .joints_in_world_m()
                .iter()
                .flatten()
                .all(|p| p.is_finite())
        );
        assert!(foot_lock(&motion, &Array2::from_elem((3, 4), true), &options).is_err());
        motion.skeleton.names[3] = "tail".to_owned();
        assert!(foot_lock(&motion, &contacts, &options).is_err());
    }
}
