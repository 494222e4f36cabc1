//! Which joints of a skeleton are which parts of a body.

use std::collections::BTreeMap;

use glam::DVec3;
use serde::Serialize;

use crate::mapping::{JointSource, Mapping};
use crate::{JOINT_NAMES, MotionError, Skeleton};

/// A leg or an arm: hip, knee, ankle, toes; shoulder, elbow, wrist.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limb {
    pub root: usize,
    pub middle: usize,
    pub end: usize,
    /// Toes, where there are joints for them.
    pub tip: Option<usize>,
    /// The collar, of an arm.
    pub collar: Option<usize>,
}

/// The joints of a humanoid that a clip turns.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// The joint on which legs and spine hang.
    pub(super) hips: usize,
    /// From the hips to the joint on which arms and neck hang, both included.
    pub(super) spine: Vec<usize>,
    /// Between the chest and the head.
    pub(super) necks: Vec<usize>,
    pub(super) head: usize,
    /// Left, right.
    pub(super) legs: [Limb; 2],
    pub(super) arms: [Limb; 2],
}

/// A joint of the canonical body and what stands for it on a rig.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartOfRig {
    /// The canonical joint.
    pub part: &'static str,
    /// The rig's joint, or where it lies between two.
    pub joint: String,
}

/// Something about a mapping that a person should look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Doubt {
    /// The canonical joint.
    pub part: String,
    /// What is odd.
    pub reason: String,
}

impl Parts {
    /// Finds the joints that a mapping names, and the trunk between them.
    ///
    /// # Errors
    /// [`MotionError::Mapping`] with the part for which the mapping names no joint.
    pub fn new(skeleton: &Skeleton, mapping: &Mapping) -> Result<Self, MotionError> {
        mapping.resolve(skeleton)?;
        let index: BTreeMap<&str, usize> = skeleton
            .names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), at))
            .collect();
        let find = |part: &str| match mapping.joints.get(part)? {
            JointSource::Joint(name) => index.get(name.as_str()).copied(),
            JointSource::Between(..) => None,
        };
        let must = |part: &str| {
            find(part).ok_or_else(|| MotionError::Mapping {
                message: format!("`{part}` must be a joint of the rig"),
            })
        };
        let limb = |side: &str, [root, middle, end]: [&str; 3], tip: Option<&str>| {
            let name = |part: &str| format!("{side}_{part}");
            Ok::<_, MotionError>(Limb {
                root: must(&name(root))?,
                middle: must(&name(middle))?,
                end: must(&name(end))?,
                tip: tip.and_then(|tip| find(&name(tip))),
                collar: None,
            })
        };
        let legs = ["hip", "knee", "ankle"];
        let arms = ["shoulder", "elbow", "wrist"];
        let legs = [
            limb("left", legs, Some("foot"))?,
            limb("right", legs, Some("foot"))?,
        ];
        let mut arms = [limb("left", arms, None)?, limb("right", arms, None)?];
        let head = must("head")?;
        let tree = Tree(skeleton);
        let hips = tree.common(tree.common(legs[0].root, legs[1].root)?, head)?;
        let shoulders = tree.common(arms[0].root, arms[1].root)?;
        let chest = tree.common(shoulders, head)?;
        let trunk = tree.path(hips, chest)?;
        let mut necks = tree.path(chest, head)?;
        necks.retain(|&joint| joint != chest && joint != head);
        for (arm, name) in arms.iter_mut().zip(["left_collar", "right_collar"]) {
            // A collar's place lies on the bone from the collar to the shoulder.
            let joint = match mapping.joints.get(name) {
                Some(JointSource::Joint(name) | JointSource::Between(name, ..)) => {
                    index.get(name.as_str()).copied()
                }
                None => None,
            };
            arm.collar = joint.filter(|&collar| {
                collar != arm.root
                    && collar != chest
                    && tree.path(chest, collar).is_ok()
                    && tree.path(collar, arm.root).is_ok()
            });
        }
        for limb in legs.iter().chain(&arms) {
            tree.path(limb.root, limb.middle)?;
            tree.path(limb.middle, limb.end)?;
        }
        Ok(Self {
            hips,
            spine: trunk,
            necks,
            head,
            legs,
            arms,
        })
    }

    /// All joints that a clip turns, with the part of the body that each is.
    #[must_use]
    pub fn named(&self, skeleton: &Skeleton) -> Vec<PartOfRig> {
        let mut list = Vec::new();
        let mut add = |part: &'static str, joint: usize| {
            list.push(PartOfRig {
                part,
                joint: skeleton.names[joint].clone(),
            });
        };
        for &joint in &self.spine {
            add(
                if joint == self.hips {
                    "pelvis"
                } else {
                    "spine"
                },
                joint,
            );
        }
        for &joint in &self.necks {
            add("neck", joint);
        }
        add("head", self.head);
        let sides = [[1, 4, 7, 10], [2, 5, 8, 11]];
        for (leg, parts) in self.legs.iter().zip(sides) {
            let joints = [Some(leg.root), Some(leg.middle), Some(leg.end), leg.tip];
            for (part, joint) in parts.into_iter().zip(joints) {
                joint
                    .into_iter()
                    .for_each(|joint| add(JOINT_NAMES[part], joint));
            }
        }
        let sides = [[13, 16, 18, 20], [14, 17, 19, 21]];
        for (arm, parts) in self.arms.iter().zip(sides) {
            let joints = [arm.collar, Some(arm.root), Some(arm.middle), Some(arm.end)];
            for (part, joint) in parts.into_iter().zip(joints) {
                joint
                    .into_iter()
                    .for_each(|joint| add(JOINT_NAMES[part], joint));
            }
        }
        list
    }

    /// What of the mapping is odd for a body: limbs of unequal sides, bones out of proportion,
    /// left on the right. `places`: the joints in the bind pose, Y up, facing +Z, any unit.
    #[must_use]
    pub fn doubts(&self, places: &[DVec3]) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        let mut add = |part: &str, reason: String| {
            doubts.push(Doubt {
                part: part.to_owned(),
                reason,
            });
        };
        let lengths = |limb: &Limb| {
            let [a, b, c] = [limb.root, limb.middle, limb.end].map(|joint| places[joint]);
            [a.distance(b), b.distance(c)]
        };
        for (name, limbs) in [("leg", &self.legs), ("arm", &self.arms)] {
            let [left, right] = [lengths(&limbs[0]), lengths(&limbs[1])];
            for (part, at) in [("upper", 0), ("lower", 1)] {
                let ratio = left[at] / right[at].max(1e-12);
                if !(0.9..=1.1).contains(&ratio) {
                    add(
                        name,
                        format!("the left {part} {name} is {ratio:.2} times as long as the right"),
                    );
                }
            }
            let ratio = left[1] / left[0].max(1e-12);
            if !(0.6..=1.7).contains(&ratio) {
                add(
                    name,
                    format!("the lower {name} is {ratio:.2} times as long as the upper"),
                );
            }
        }
        if self.spine.len() < 2 {
            add(
                "spine",
                "there is no spine joint between hips and arms".into(),
            );
        }
        for (side, leg) in ["left", "right"].iter().zip(&self.legs) {
            if leg.tip.is_none() {
                add(&format!("{side}_foot"), "there is no toe joint".into());
            }
        }
        doubts
    }
}

struct Tree<'a>(&'a Skeleton);

impl Tree<'_> {
    fn ancestors(&self, joint: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(joint), |&joint| self.0.parents[joint])
    }

    fn common(&self, a: usize, b: usize) -> Result<usize, MotionError> {
        let above: Vec<usize> = self.ancestors(a).collect();
        self.ancestors(b)
            .find(|joint| above.contains(joint))
            .ok_or_else(|| MotionError::Mapping {
                message: format!(
                    "`{}` and `{}` do not hang together",
                    self.0.names[a], self.0.names[b]
                ),
            })
    }

    /// From a joint down to one under it, both included.
    fn path(&self, from: usize, to: usize) -> Result<Vec<usize>, MotionError> {
        let mut path: Vec<usize> = self.ancestors(to).take_while(|&j| j != from).collect();
        if path
            .last()
            .is_some_and(|&top| self.0.parents[top] != Some(from))
        {
            return Err(MotionError::Mapping {
                message: format!(
                    "`{}` is not under `{}`",
                    self.0.names[to], self.0.names[from]
                ),
            });
        }
        path.push(from);
        path.reverse();
        Ok(path)
    }
}
