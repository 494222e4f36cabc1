//! Which axis is up, by the body.

use glam::DVec3;

use super::{Mapping, Up};
use crate::{Motion, MotionError};

/// Frames that are looked at.
const FRAMES: usize = 64;
/// A direction nearer to an axis than this (cosine) is along it.
const ALONG: f64 = 0.75;

/// The axis that a body stands along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upright {
    /// The axis, in the motion's own axes.
    pub up: Up,
    /// The axis that the rest pose stands along.
    pub rest: Option<Up>,
    /// Whether rest pose and motion say the same, or one of them nothing.
    pub certain: bool,
}

/// Finds which axis of a motion's world is up: the one that the body stands along in the rest pose
/// (ankles to head) and in motion (hips to neck, on average). Where the two differ, the body lies, or
/// the file turns a rig of other axes by its root: the ankles tell, which are near the ground, at
/// zero, along the axis that is up. `None` where neither stands along an axis.
///
/// # Errors
/// [`MotionError::Mapping`] when the mapping does not fit the motion's skeleton.
pub fn upright(motion: &Motion, mapping: &Mapping) -> Result<Option<Upright>, MotionError> {
    const ANKLES: [usize; 2] = [7, 8];
    const HIPS: [usize; 2] = [1, 2];
    const NECK: usize = 12;
    const HEAD: usize = 15;
    let mut mapping = mapping.clone();
    mapping.up = Up::Y;
    let resolved = mapping.resolve(&motion.skeleton)?;
    let middle = |points: &[DVec3], [a, b]: [usize; 2]| 0.5 * (points[a] + points[b]);

    let rest = resolved.canonical(&rest_positions(motion));
    let by_rest = axis_of(rest[HEAD] - middle(&rest, ANKLES));

    let step = motion.len().div_ceil(FRAMES).max(1);
    let frames: Vec<Vec<DVec3>> = (0..motion.len())
        .step_by(step)
        .map(|frame| resolved.canonical(&motion.joint_poses_in_world(frame).0))
        .collect();
    let mean: DVec3 = frames
        .iter()
        .map(|p| (p[NECK] - middle(p, HIPS)).normalize_or_zero())
        .sum();
    let by_motion = axis_of(mean);
    let certain = |up: Up| Upright {
        up,
        rest: by_rest,
        certain: true,
    };
    let (Some(stands), Some(by_motion)) = (by_rest, by_motion) else {
        return Ok(by_rest.or(by_motion).map(certain));
    };
    if stands == by_motion {
        return Ok(Some(certain(stands)));
    }
    let leg = rest[HIPS[0]].distance(rest[ANKLES[0]]);
    let mut heights: Vec<f64> = frames
        .iter()
        .flat_map(|p| ANKLES.map(|ankle| p[ankle].dot(by_motion.axis())))
        .collect();
    heights.sort_by(f64::total_cmp);
    let low = heights.get(heights.len() / 20).copied().unwrap_or(0.0);
    let on_ground = low > -0.3 * leg && low < 0.5 * leg;
    Ok(Some(Upright {
        up: if on_ground { by_motion } else { stands },
        rest: by_rest,
        certain: false,
    }))
}

/// Joints in the rest pose: offsets without rotations.
fn rest_positions(motion: &Motion) -> Vec<DVec3> {
    let mut rest: Vec<DVec3> = Vec::with_capacity(motion.skeleton.len());
    for (joint, parent) in motion.skeleton.parents.iter().enumerate() {
        let above = parent.map_or(DVec3::ZERO, |parent| rest[parent]);
        rest.push(above + motion.skeleton.offsets_m[joint]);
    }
    rest
}

fn axis_of(direction: DVec3) -> Option<Up> {
    let direction = direction.try_normalize()?;
    Up::ALL
        .into_iter()
        .find(|up| up.axis().dot(direction) > ALONG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::synth_walk;

    #[test]
    fn the_axis_of_a_walk_is_found_in_any_axes() {
        let walk = synth_walk(1.2, 2.0, 20.0);
        let mapping = Mapping::automatic(&walk.skeleton).unwrap();
        for up in Up::ALL {
            let turn = up.rotation_to_y_up().conjugate();
            let turned = walk.clone().in_axes(turn, 100.0);
            let found = upright(&turned, &mapping).unwrap().unwrap();
            assert_eq!((found.up, found.rest, found.certain), (up, Some(up), true));
            // Only the root is turned: rest pose and motion differ.
            let mut rooted = walk.clone();
            for (root, rotations) in rooted
                .root_in_world_m
                .iter_mut()
                .zip(&mut rooted.local_rotations)
            {
                *root = turn * *root;
                rotations[0] = turn * rotations[0];
            }
            let found = upright(&rooted, &mapping).unwrap().unwrap();
            assert_eq!(found.up, up);
        }
    }

    #[test]
    fn who_lies_is_not_stood_up() {
        let mut lying = synth_walk(1.2, 2.0, 20.0);
        let turn = glam::DQuat::from_rotation_x(std::f64::consts::FRAC_PI_2);
        for rotations in &mut lying.local_rotations {
            rotations[0] = turn * rotations[0];
        }
        for root in &mut lying.root_in_world_m {
            *root = DVec3::new(0.0, 0.1, 0.0);
        }
        let mapping = Mapping::automatic(&lying.skeleton).unwrap();
        assert_eq!(upright(&lying, &mapping).unwrap().unwrap().up, Up::Y);
    }
}
