//! The canonical body under other names, under a root bone, in another rest pose.

use std::collections::BTreeMap;

use glam::{DQuat, DVec3};

use super::{JointNaming, RestPose};
use crate::{JOINTS, Motion, PARENTS, REST_OFFSETS, Skeleton};

/// A skeleton is the canonical body where its bones differ by no more than this, metres: what
/// single precision and six decimals lose.
const SAME_M: f64 = 1e-5;

/// A skeleton that is the canonical body in one of the forms that files give it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CanonicalForm {
    /// Whose names it has.
    pub naming: JointNaming,
    /// Its rest pose.
    pub rest_pose: RestPose,
    /// Which of its joints each canonical one is.
    pub joints: [usize; JOINTS],
}

impl CanonicalForm {
    /// Recognises the canonical body by names, parents and bones. A bone above the hips and End Sites
    /// may be there, nothing else.
    #[must_use]
    pub fn of(skeleton: &Skeleton) -> Option<Self> {
        JointNaming::ALL.into_iter().find_map(|naming| {
            let joints = by_names(skeleton, naming)?;
            let canonical = Skeleton::canonical();
            let rest_pose = RestPose::ALL.into_iter().find(|pose| {
                let turns = pose.turns(&canonical);
                (1..JOINTS).all(|joint| {
                    let expected = turns[PARENTS[joint]] * DVec3::from_array(REST_OFFSETS[joint]);
                    skeleton.offsets_m[joints[joint]].distance(expected) < SAME_M
                })
            })?;
            Some(Self {
                naming,
                rest_pose,
                joints,
            })
        })
    }

    /// The canonical joint that a joint is.
    #[must_use]
    pub fn canonical(&self, joint: usize) -> Option<usize> {
        self.joints.iter().position(|&is| is == joint)
    }
}

/// Where the joints are, if they hang together as the canonical ones do and no others move along.
fn by_names(skeleton: &Skeleton, naming: JointNaming) -> Option<[usize; JOINTS]> {
    let mut joints = [0; JOINTS];
    for (joint, name) in joints.iter_mut().zip(naming.joints()) {
        *joint = skeleton.names.iter().position(|is| is == name)?;
    }
    let hangs = |joint: usize| match joint {
        0 => skeleton.parents[joints[0]].is_none_or(|root| skeleton.parents[root].is_none()),
        _ => skeleton.parents[joints[joint]] == Some(joints[PARENTS[joint]]),
    };
    let root = skeleton.parents[joints[0]];
    let known = |joint: usize| {
        joints.contains(&joint) || root == Some(joint) || skeleton.names[joint].ends_with("_end")
    };
    ((0..JOINTS).all(hangs) && (0..skeleton.len()).all(known)).then_some(joints)
}

/// The motion on the plain canonical body, every joint where it was; `None` where the skeleton is
/// no form of it.
///
/// ```
/// use kinograd_motion::export::{Export, JointNaming, plain};
/// let walk = kinograd_motion::synth::synth_walk(1.2, 1.0, 20.0);
/// let export = Export { names: Some(JointNaming::Mixamo), ..Export::default() };
/// let again = plain(&export.apply(&walk)?).ok_or("the canonical body")?;
/// assert_eq!(again.skeleton, walk.skeleton);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn plain(motion: &Motion) -> Option<Motion> {
    let skeleton = Skeleton::canonical();
    if motion.skeleton == skeleton {
        return Some(motion.clone());
    }
    let form = CanonicalForm::of(&motion.skeleton)?;
    let turns = form.rest_pose.turns(&skeleton);
    let mut root_in_world_m = Vec::with_capacity(motion.len());
    let mut local_rotations: Vec<Vec<DQuat>> = Vec::with_capacity(motion.len());
    for frame in 0..motion.len() {
        let (places, rotations) = motion.joint_poses_in_world(frame);
        let world: Vec<DQuat> = (0..JOINTS)
            .map(|joint| rotations[form.joints[joint]] * turns[joint])
            .collect();
        let mut local: Vec<DQuat> = (0..JOINTS)
            .map(|joint| match skeleton.parents[joint] {
                None => world[joint],
                Some(parent) => (world[parent].conjugate() * world[joint]).normalize(),
            })
            .collect();
        if let Some(previous) = local_rotations.last() {
            crate::resample::keep_signs(previous, &mut local);
        }
        root_in_world_m.push(places[form.joints[0]]);
        local_rotations.push(local);
    }
    let translations: BTreeMap<usize, Vec<DVec3>> = (1..JOINTS)
        .filter_map(|joint| {
            let back = turns[PARENTS[joint]].conjugate();
            let way = motion.translations.get(&form.joints[joint])?;
            Some((joint, way.iter().map(|offset| back * *offset).collect()))
        })
        .collect();
    Some(Motion {
        skeleton,
        fps: motion.fps,
        root_in_world_m,
        local_rotations,
        translations,
    })
}
