//! Where the travel of a clip lies: in the hips, in a bone above them, or nowhere.

use std::f64::consts::TAU;

use glam::{DQuat, DVec3};
use serde::{Deserialize, Serialize};

use crate::features::gaussian_smooth;
use crate::mapping::Mapping;
use crate::{Motion, MotionError, Skeleton};

/// Standard deviation of the heading's smoothing, seconds: a step is about half a second, and the
/// hips sway with each.
const HEADING_SIGMA_SECS: f64 = 0.25;

/// What becomes of a clip's travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootMotion {
    /// It stays in the hips.
    #[default]
    Keep,
    /// A bone on the ground under the hips carries travel and heading.
    Extract,
    /// The hips stay over the origin; heights are kept.
    InPlace,
}

impl RootMotion {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Extract, Self::InPlace];

    /// As people type it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Extract => "extract",
            Self::InPlace => "in-place",
        }
    }
}

/// The joint that is the hips: what the names say, or the root.
pub(crate) fn hips_of(skeleton: &Skeleton) -> usize {
    let mapping = Mapping::automatic(skeleton).ok();
    let resolved = mapping.and_then(|mapping| mapping.resolve(skeleton).ok());
    resolved.map_or(0, |resolved| resolved.pelvis())
}

/// Heading of a joint per frame, radians about Y against the rest pose, without jumps: the twist of
/// its rotation about Y, which is defined for a body that lies down too, smoothed so that a root
/// bone does not sway with the hips. The smoothing keeps the first and last angle and every constant
/// rate of turn (a Gaussian over the series, reflected at its ends through its end points).
#[must_use]
pub fn headings_rad(rotations: &[DQuat], fps: f64) -> Vec<f64> {
    let mut last = 0.0;
    let exact: Vec<f64> = rotations
        .iter()
        .map(|turn| {
            if turn.y.hypot(turn.w) > 1e-9 {
                let angle = 2.0 * turn.y.atan2(turn.w);
                last = angle - TAU * ((angle - last) / TAU).round();
            }
            last
        })
        .collect();
    smooth(&exact, HEADING_SIGMA_SECS * fps)
}

/// A Gaussian filter over values that go on beyond each end as their own point reflection.
fn smooth(values: &[f64], sigma: f64) -> Vec<f64> {
    let (Some(&first), Some(&last)) = (values.first(), values.last()) else {
        return Vec::new();
    };
    let end = values.len() - 1;
    let margin = ((4.0 * sigma + 0.5) as usize).min(end);
    let before = (1..=margin).rev().map(|k| 2.0 * first - values[k]);
    let after = (1..=margin).map(|k| 2.0 * last - values[end - k]);
    let padded: Vec<f64> = before.chain(values.iter().copied()).chain(after).collect();
    // A clip shorter than the filter is smoothed by what fits in it.
    let sigma = sigma.min(margin as f64 / 4.0);
    gaussian_smooth(&padded, sigma)[margin..=margin + end].to_vec()
}

/// The travel of a clip alone, as one joint: on the ground under the hips, turned about Y by
/// [`headings_rad`] of the hips, in the world. It is what [`RootMotion::Extract`] gives a root bone.
///
/// ```
/// use kinograd_motion::{export::travel, synth::synth_walk};
/// let travel = travel(&synth_walk(1.2, 1.0, 20.0)); // 1.2 m/s for a second
/// assert_eq!(travel.skeleton.len(), 1);
/// assert!((travel.root_in_world_m[10].z - 0.6).abs() < 0.05);
/// ```
#[must_use]
pub fn travel(motion: &Motion) -> Motion {
    travel_of(motion, hips_of(&motion.skeleton))
}

fn travel_of(motion: &Motion, hips: usize) -> Motion {
    let mut places = Vec::with_capacity(motion.len());
    let mut turns = Vec::with_capacity(motion.len());
    for frame in 0..motion.len() {
        let (all, turned) = motion.joint_poses_in_world(frame);
        places.push(DVec3::new(all[hips].x, 0.0, all[hips].z));
        turns.push(turned[hips]);
    }
    let headings = headings_rad(&turns, motion.fps).into_iter();
    let rotations = headings.map(|heading| vec![DQuat::from_rotation_y(heading)]);
    let root = Skeleton {
        names: vec!["root".to_owned()],
        parents: vec![None],
        offsets_m: vec![DVec3::ZERO],
    };
    Motion::new(root, motion.fps, places, rotations.collect())
}

/// The clip with the hips over the origin; all else moves along, heights stay.
pub(super) fn in_place(motion: &mut Motion) {
    let hips = hips_of(&motion.skeleton);
    for frame in 0..motion.len() {
        let at = motion.joint_poses_in_world(frame).0[hips];
        motion.root_in_world_m[frame] -= DVec3::new(at.x, 0.0, at.z);
    }
}

/// The clip with a root on the ground under the hips, Y up, turned by the heading. A root that is
/// above the hips already takes the travel; else a bone of the name comes on top.
///
/// # Errors
/// [`MotionError::Clip`] where a joint has the name.
pub(super) fn extracted(motion: &Motion, name: &str) -> Result<Motion, MotionError> {
    let mut motion = match hips_of(&motion.skeleton) {
        0 => under_root(motion, name)?,
        _ => motion.clone(),
    };
    let hips = hips_of(&motion.skeleton).max(1);
    let children: Vec<usize> = (1..motion.skeleton.len())
        .filter(|&joint| motion.skeleton.parents[joint] == Some(0))
        .collect();
    let travel = travel_of(&motion, hips);
    let mut ways: Vec<Vec<DVec3>> = vec![Vec::with_capacity(motion.len()); children.len()];
    for frame in 0..motion.len() {
        let root = travel.root_in_world_m[frame];
        let turn = travel.local_rotations[frame][0];
        let back = turn.conjugate();
        let (old_root, old_turn) = (
            motion.root_in_world_m[frame],
            motion.local_rotations[frame][0],
        );
        for (&child, way) in children.iter().zip(&mut ways) {
            let place = old_root + old_turn * motion.offset_m(frame, child);
            way.push(back * (place - root));
            let local = &mut motion.local_rotations[frame][child];
            *local = back * old_turn * *local;
        }
        motion.root_in_world_m[frame] = root;
        motion.local_rotations[frame][0] = turn;
    }
    motion.translations.extend(children.into_iter().zip(ways));
    Ok(motion)
}

/// The clip with a bone at the origin above its root.
fn under_root(motion: &Motion, name: &str) -> Result<Motion, MotionError> {
    let old = &motion.skeleton;
    if old.names.iter().any(|joint| joint == name) {
        return Err(MotionError::Clip {
            clip: "motion".to_owned(),
            message: format!("a joint is named `{name}` already; the root bone would be, too"),
        });
    }
    let mut skeleton = Skeleton {
        names: vec![name.to_owned()],
        parents: vec![None],
        offsets_m: vec![DVec3::ZERO],
    };
    skeleton.names.extend(old.names.iter().cloned());
    let above = |parent: &Option<usize>| Some(parent.map_or(0, |parent| parent + 1));
    skeleton.parents.extend(old.parents.iter().map(above));
    skeleton.offsets_m.extend(&old.offsets_m);
    let mut translations: std::collections::BTreeMap<usize, Vec<DVec3>> = motion
        .translations
        .iter()
        .map(|(&joint, way)| (joint + 1, way.clone()))
        .collect();
    translations.insert(1, motion.root_in_world_m.clone());
    let turned = |frame: &Vec<DQuat>| {
        let mut all = Vec::with_capacity(frame.len() + 1);
        all.push(DQuat::IDENTITY);
        all.extend(frame);
        all
    };
    Ok(Motion {
        skeleton,
        fps: motion.fps,
        root_in_world_m: vec![DVec3::ZERO; motion.len()],
        local_rotations: motion.local_rotations.iter().map(turned).collect(),
        translations,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::SynthWalk;

    fn turning() -> Motion {
        SynthWalk {
            turn_rad_per_s: 0.8,
            ..SynthWalk::default()
        }
        .motion()
    }

    fn world(motion: &Motion, frame: usize, added: usize) -> Vec<DVec3> {
        motion.joint_poses_in_world(frame).0.split_off(added)
    }

    #[test]
    fn a_root_bone_carries_the_travel_and_moves_no_joint() {
        let walk = turning();
        let once = extracted(&walk, "root").unwrap();
        once.validate().unwrap();
        // A root that is there takes the travel again.
        let twice = extracted(&once, "root").unwrap();
        assert_eq!(twice.skeleton.names, once.skeleton.names);
        for motion in [&once, &twice] {
            for frame in 0..walk.len() {
                let joints = world(motion, frame, 1);
                for (a, b) in joints.iter().zip(&world(&walk, frame, 0)) {
                    assert!(a.distance(*b) < 1e-9);
                }
                let root = motion.root_in_world_m[frame];
                let hips = walk.root_in_world_m[frame];
                let alone = travel(&walk);
                assert!(root.distance(alone.root_in_world_m[frame]) < 1e-12);
                let turn = alone.local_rotations[frame][0];
                assert!(turn.angle_between(motion.local_rotations[frame][0]) < 1e-6);
                assert!((root - DVec3::new(hips.x, 0.0, hips.z)).length() < 1e-12);
                let over = motion.offset_m(frame, 1);
                assert!(over.x.hypot(over.z) < 1e-12);
                let up = motion.local_rotations[frame][0] * DVec3::Y;
                assert!((up - DVec3::Y).length() < 1e-12);
            }
        }
    }

    /// Turning at one rate is turned at that rate by the root, up to the hips' own sway.
    #[test]
    fn headings_keep_a_constant_turn_and_lose_the_sway() {
        let (fps, rate) = (30.0, 1.9);
        let turn = |frame: usize, sway: f64| {
            let secs = frame as f64 / fps;
            DQuat::from_rotation_y(0.3 + rate * secs + sway * (TAU * 1.0 * secs).sin())
        };
        let exact: Vec<DQuat> = (0..300).map(|frame| turn(frame, 0.0)).collect();
        for (frame, heading) in headings_rad(&exact, fps).iter().enumerate() {
            let expected = 0.3 + rate * frame as f64 / fps;
            assert!((heading - expected).abs() < 1e-9, "{frame}: {heading}");
        }
        let swaying: Vec<DQuat> = (0..300).map(|frame| turn(frame, 0.2)).collect();
        // A Gaussian leaves exp(-(2 pi f sigma)^2 / 2) of a sine, 0.29 of one at 1 Hz.
        let left = 0.2 * (-(TAU * HEADING_SIGMA_SECS).powi(2) / 2.0).exp();
        let headings = headings_rad(&swaying, fps);
        for (frame, heading) in headings.iter().enumerate().take(260).skip(40) {
            let secs = frame as f64 / fps;
            let expected = 0.3 + rate * secs + left * (TAU * secs).sin();
            assert!((heading - expected).abs() < 2e-3);
        }
        // A body that lies on its back and rolls has a heading, too.
        let lying = DQuat::from_rotation_y(0.7) * DQuat::from_rotation_x(-TAU / 4.0);
        assert!((headings_rad(&[lying; 5], fps)[2] - 0.7).abs() < 1e-9);
        assert_eq!(headings_rad(&[], fps), Vec::<f64>::new());
        assert_eq!(headings_rad(&[DQuat::IDENTITY], fps), [0.0]);
    }

    #[test]
    fn in_place_takes_the_travel_and_nothing_else() {
        let walk = turning();
        for (motion, added) in [(walk.clone(), 0), (extracted(&walk, "root").unwrap(), 1)] {
            let mut still = motion;
            in_place(&mut still);
            for frame in 0..walk.len() {
                let hips = walk.root_in_world_m[frame];
                let travel = DVec3::new(hips.x, 0.0, hips.z);
                for (a, b) in world(&still, frame, added)
                    .iter()
                    .zip(&world(&walk, frame, 0))
                {
                    assert!(a.distance(*b - travel) < 1e-9);
                }
            }
        }
    }
}
