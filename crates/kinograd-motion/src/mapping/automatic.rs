//! Mapping of unknown rigs by joint names and hierarchy.

use std::collections::BTreeMap;

use glam::DVec3;

use super::{
    JointSource, Mapping, Up,
    names::{Part, Side, part},
};
use crate::{MotionError, Skeleton};

/// A word for a part of the body, and how sure it is (0 = certain).
type Words = &'static [(&'static str, f64)];

const HIP: Words = &[
    ("upleg", 0.0),
    ("upperleg", 0.0),
    ("legupper", 0.0),
    ("thigh", 0.0),
    ("femur", 0.0),
    ("hip", 0.1),
    ("leg", 2.0),
    ("hipjoint", 3.0),
];
const KNEE: Words = &[
    ("knee", 0.0),
    ("lowerleg", 0.0),
    ("leglower", 0.0),
    ("lowleg", 0.0),
    ("shin", 0.0),
    ("calf", 0.0),
    ("tibia", 0.0),
    ("shank", 0.0),
    ("leg", 1.0),
];
const ANKLE: Words = &[("ankle", 0.0), ("foot", 0.5)];
const TOE: Words = &[
    ("toebase", 0.0),
    ("toe", 0.0),
    ("toes", 0.0),
    ("ball", 0.0),
    ("foot", 1.0),
];
const COLLAR: Words = &[
    ("clavicle", 0.0),
    ("collar", 0.0),
    ("collarbone", 0.0),
    ("scapula", 0.0),
    ("shoulder", 1.0),
];
const SHOULDER: Words = &[
    ("upperarm", 0.0),
    ("uparm", 0.0),
    ("uarm", 0.0),
    ("armupper", 0.0),
    ("humerus", 0.0),
    ("shldr", 0.0),
    ("shoulder", 0.5),
    ("arm", 1.0),
];
const ELBOW: Words = &[
    ("forearm", 0.0),
    ("farm", 0.0),
    ("lowerarm", 0.0),
    ("armlower", 0.0),
    ("lowarm", 0.0),
    ("radius", 0.0),
    ("elbow", 0.0),
];
const WRIST: Words = &[("wrist", 0.0), ("hand", 0.5)];

/// Cost of a joint that digits mark as one of several.
const NUMBERED: f64 = 0.7;
/// Cost of an End Site that stands for a joint the rig lacks.
const END_SITE: f64 = 3.0;
const NO_COLLAR: f64 = 4.0;

impl Mapping {
    /// A mapping by names and hierarchy, for rigs such as those of Mixamo, Unreal, Unity, VRM,
    /// Rigify, Biped, Daz, SMPL and CMU. Case, separators, side marks and prefixes do not
    /// matter; spine joints that a rig lacks are put along its spine.
    ///
    /// The unit is left to be guessed, the up axis is read from the rest pose.
    ///
    /// # Errors
    /// Names every canonical joint for which the rig has nothing.
    pub fn automatic(skeleton: &Skeleton) -> Result<Self, MotionError> {
        let rig = Rig::new(skeleton);
        let mut joints = BTreeMap::new();
        let mut missing: Vec<String> = Vec::new();
        let legs = rig.limbs(&[HIP, KNEE, ANKLE, TOE], false);
        let arms = rig.limbs(&[COLLAR, SHOULDER, ELBOW, WRIST], true);
        let names = [
            (["hip", "knee", "ankle", "foot"], &legs),
            (["collar", "shoulder", "elbow", "wrist"], &arms),
        ];
        for (parts, limbs) in names {
            for (side, limb) in ["left", "right"].iter().zip(limbs) {
                for (at, part) in parts.iter().enumerate() {
                    match limb.as_ref().map(|limb| limb[at]) {
                        Some(Some(joint)) => {
                            let source = JointSource::Joint(skeleton.names[joint].clone());
                            joints.insert(format!("{side}_{part}"), source);
                        }
                        Some(None) => {}
                        None => missing.extend(rig.unnamed(side, part, parts[0] == "hip")),
                    }
                }
            }
        }
        let head = rig.head();
        if head.is_none() {
            missing.push("head".to_owned());
        }
        if let ([Some(left_leg), Some(right_leg)], [Some(left_arm), Some(right_arm)], Some(head)) =
            (&legs, &arms, head)
            && let (Some(left_hip), Some(right_hip)) = (left_leg[0], right_leg[0])
            && let (Some(left), Some(right)) = (left_arm[1], right_arm[1])
        {
            let trunk = Trunk {
                rig: &rig,
                hips: [left_hip, right_hip],
                shoulders: [left, right],
                collars: [left_arm[0], right_arm[0]],
                head,
            };
            trunk.insert(&mut joints)?;
            return Ok(Self {
                joints,
                unit_to_metre: None,
                up: rig.up(head, [left_leg[2], right_leg[2]]),
            });
        }
        Err(MotionError::Mapping {
            message: format!(
                "no joint was recognised for {}; give a mapping file",
                missing.join(", ")
            ),
        })
    }
}

struct Rig<'a> {
    skeleton: &'a Skeleton,
    parts: Vec<Part>,
    /// Joints in the zero pose.
    rest: Vec<DVec3>,
}

impl<'a> Rig<'a> {
    fn new(skeleton: &'a Skeleton) -> Self {
        let mut rest: Vec<DVec3> = Vec::with_capacity(skeleton.len());
        for (joint, parent) in skeleton.parents.iter().enumerate() {
            let base = parent.map_or(DVec3::ZERO, |parent| rest[parent]);
            rest.push(base + skeleton.offsets_m[joint]);
        }
        Self {
            skeleton,
            parts: skeleton.names.iter().map(|name| part(name)).collect(),
            rest,
        }
    }

    fn is_above(&self, ancestor: usize, mut joint: usize) -> bool {
        while let Some(parent) = self.skeleton.parents[joint] {
            if parent == ancestor {
                return true;
            }
            joint = parent;
        }
        false
    }

    /// From a joint up to the root, itself included.
    fn ancestors(&self, joint: usize) -> Vec<usize> {
        let next = |joint: &usize| self.skeleton.parents[*joint];
        std::iter::successors(Some(joint), next).collect()
    }

    /// Joints from `from` to `to` through the tree, both included.
    fn path(&self, from: usize, to: usize) -> Vec<usize> {
        let up = self.ancestors(from);
        let down = self.ancestors(to);
        let turn = up.iter().position(|j| down.contains(j)).unwrap_or(0);
        let meet = up[turn];
        let mut path = up[..=turn].to_vec();
        path.extend(
            down.iter()
                .take_while(|&&j| j != meet)
                .collect::<Vec<_>>()
                .iter()
                .rev()
                .copied(),
        );
        path
    }

    fn common_ancestor(&self, a: usize, b: usize) -> usize {
        let above = self.ancestors(a);
        let meets = |joint: &usize| above.contains(joint);
        self.ancestors(b).into_iter().find(meets).unwrap_or(0)
    }

    fn candidates(&self, side: Side, words: Words) -> Vec<(usize, f64)> {
        let mut list = Vec::new();
        for (joint, part) in self.parts.iter().enumerate() {
            if part.side != side || part.word.ends_with("end") {
                continue;
            }
            if let Some((_, cost)) = words.iter().find(|(word, _)| *word == part.word) {
                let numbered = if part.numbered { NUMBERED } else { 0.0 };
                list.push((joint, cost + numbered));
            }
        }
        list
    }

    /// The cheapest chain of joints for the parts of a limb, on the left and on the right; each
    /// joint lies below the one before. A first part that is `optional` may be absent.
    fn limbs(&self, parts: &[Words; 4], optional: bool) -> [Option<[Option<usize>; 4]>; 2] {
        [Side::Left, Side::Right].map(|side| {
            let mut lists = parts.map(|words| self.candidates(side, words));
            // Only the last part may be an End Site.
            let ends: Vec<(usize, f64)> = lists[2]
                .iter()
                .flat_map(|&(joint, _)| self.end_below(joint))
                .map(|joint| (joint, END_SITE))
                .collect();
            lists[3].extend(ends);
            let mut limb = self.cheapest(&lists, optional)?;
            if optional {
                self.lengthen_forearm(&mut limb);
            }
            Some(limb)
        })
    }

    fn cheapest(
        &self,
        lists: &[Vec<(usize, f64)>; 4],
        optional: bool,
    ) -> Option<[Option<usize>; 4]> {
        let mut best: Option<(f64, [Option<usize>; 4])> = None;
        let mut firsts: Vec<(Option<usize>, f64)> =
            lists[0].iter().map(|&(j, c)| (Some(j), c)).collect();
        if optional {
            firsts.push((None, NO_COLLAR));
        }
        for &(a, cost_a) in &firsts {
            for &(b, cost_b) in &lists[1] {
                if a.is_some_and(|a| !self.is_above(a, b)) {
                    continue;
                }
                for &(c, cost_c) in lists[2].iter().filter(|c| self.is_above(b, c.0)) {
                    for &(d, cost_d) in lists[3].iter().filter(|d| self.is_above(c, d.0)) {
                        let cost = cost_a + cost_b + cost_c + cost_d;
                        if best.is_none_or(|(least, _)| cost < least) {
                            best = Some((cost, [a, Some(b), Some(c), Some(d)]));
                        }
                    }
                }
            }
        }
        best.map(|(_, joints)| joints)
    }

    /// CMU rigs split the forearm: what they call wrist (or hand) is half-way down, and the hand
    /// (or finger base) after it is the wrist. Body proportions tell.
    fn lengthen_forearm(&self, arm: &mut [Option<usize>; 4]) {
        const FOREARM_TO_UPPER_ARM: f64 = 0.94;
        let [_, Some(shoulder), Some(elbow), Some(wrist)] = *arm else {
            return;
        };
        let upper = self.rest[shoulder].distance(self.rest[elbow]);
        let forearm = self.rest[elbow].distance(self.rest[wrist]);
        let off = |length: f64| (length / upper.max(1e-12) - FOREARM_TO_UPPER_ARM).abs();
        let next = (wrist + 1..self.skeleton.len()).find(|&joint| {
            self.skeleton.parents[joint] == Some(wrist)
                && ["hand", "fingerbase"].contains(&self.parts[joint].word.as_str())
        });
        if let Some(next) = next {
            let longer = forearm + self.rest[wrist].distance(self.rest[next]);
            if off(longer) < off(forearm) {
                arm[3] = Some(next);
            }
        }
    }

    fn end_below(&self, joint: usize) -> Option<usize> {
        (joint + 1..self.skeleton.len())
            .find(|&end| self.is_above(joint, end) && self.skeleton.names[end].ends_with("_end"))
    }

    /// The canonical name, where no joint of the rig has a name for it.
    fn unnamed(&self, side: &str, part: &str, leg: bool) -> Option<String> {
        let sides = [("left", Side::Left), ("right", Side::Right)];
        let side_of = sides
            .iter()
            .find(|s| s.0 == side)
            .map_or(Side::Centre, |s| s.1);
        let words = match (part, leg) {
            ("hip", _) => HIP,
            ("knee", _) => KNEE,
            ("ankle", _) => ANKLE,
            ("foot", _) => TOE,
            ("collar", _) => return None,
            ("shoulder", _) => SHOULDER,
            ("elbow", _) => ELBOW,
            _ => WRIST,
        };
        self.candidates(side_of, words)
            .is_empty()
            .then(|| format!("{side}_{part}"))
    }

    fn head(&self) -> Option<usize> {
        let named = |words: &[&str]| {
            let fits = |p: &Part| p.side == Side::Centre && words.contains(&p.word.as_str());
            self.parts.iter().position(fits)
        };
        named(&["head"])
            .or_else(|| named(&["skull", "cranium"]))
            .or_else(|| self.top_of_spine())
            .or_else(|| {
                let neck = (0..self.parts.len())
                    .rev()
                    .find(|&j| is_neck(&self.parts[j]))?;
                self.end_below(neck)
            })
    }

    /// The last of numbered spine joints that go on beyond the arms, as Rigify's do: its head.
    fn top_of_spine(&self) -> Option<usize> {
        let is_spine = |joint: usize| {
            let part = &self.parts[joint];
            part.side == Side::Centre && part.word == "spine"
        };
        let arm = (0..self.parts.len()).find(|&joint| {
            let part = &self.parts[joint];
            part.side == Side::Left && SHOULDER.iter().any(|(word, _)| *word == part.word)
        })?;
        let beyond = |joint: usize| is_spine(joint) && !self.is_above(joint, arm);
        (0..self.parts.len()).rev().find(|&joint| {
            let goes_on =
                |child: usize| self.skeleton.parents[child] == Some(joint) && is_spine(child);
            beyond(joint) && !(joint + 1..self.parts.len()).any(goes_on)
        })
    }

    fn up(&self, head: usize, ankles: [Option<usize>; 2]) -> Up {
        let [Some(left), Some(right)] = ankles else {
            return Up::Y;
        };
        let body = self.rest[head] - 0.5 * (self.rest[left] + self.rest[right]);
        let (y, z) = (body.y.abs(), body.z.abs());
        if body.z > 0.0 && z > 3.0 * y && z > 3.0 * body.x.abs() {
            Up::Z
        } else {
            Up::Y
        }
    }
}

fn is_neck(part: &Part) -> bool {
    part.side == Side::Centre && part.word.contains("neck")
}

struct Trunk<'a> {
    rig: &'a Rig<'a>,
    hips: [usize; 2],
    shoulders: [usize; 2],
    collars: [Option<usize>; 2],
    head: usize,
}

impl Trunk<'_> {
    fn insert(&self, joints: &mut BTreeMap<String, JointSource>) -> Result<(), MotionError> {
        let rig = self.rig;
        let pelvis = rig.common_ancestor(self.hips[0], self.hips[1]);
        let chest = rig.common_ancestor(self.shoulders[0], self.shoulders[1]);
        let to_head = rig.path(pelvis, self.head);
        if to_head.len() < 2 {
            return Err(MotionError::Mapping {
                message: "the head is not above the pelvis".to_owned(),
            });
        }
        let neck = self.neck(&to_head, chest);
        let spine: Vec<usize> = {
            let end = to_head.iter().position(|&j| j == neck.0).unwrap_or(0);
            to_head[..=end].to_vec()
        };
        joints.insert("neck".into(), self.between(neck.0, neck.1, neck.2));
        joints.insert("head".into(), self.at(self.head));
        self.insert_spine(&spine, joints);
        self.insert_collars(chest, neck.0, joints);
        Ok(())
    }

    /// Two joints and a share: one neck joint as it is, several of them a little above the first.
    fn neck(&self, to_head: &[usize], chest: usize) -> (usize, usize, f64) {
        let rig = self.rig;
        let necks: Vec<usize> = to_head
            .iter()
            .copied()
            .filter(|&j| j != self.head && is_neck(&rig.parts[j]))
            .collect();
        match necks.as_slice() {
            [] => {
                let below = to_head[..to_head.len() - 1].iter().rev();
                let base = below
                    .copied()
                    .find(|&j| j == chest || rig.is_above(j, chest));
                let base = base.unwrap_or(to_head[to_head.len() - 2]);
                (base, self.head, 0.6)
            }
            [neck] => (*neck, *neck, 0.0),
            [first, .., last] => (*first, *last, 0.5),
        }
    }

    /// Puts pelvis and spine joints along the rig's spine as they lie along the canonical one,
    /// measured from the middle of the hips to the neck.
    fn insert_spine(&self, spine: &[usize], joints: &mut BTreeMap<String, JointSource>) {
        /// Heights on the canonical body, as shares of the way from hips to neck.
        const SHARES: [(&str, f64); 4] = [
            ("pelvis", 0.142),
            ("spine1", 0.333),
            ("spine2", 0.558),
            ("spine3", 0.658),
        ];
        let rest = &self.rig.rest;
        let lengths: Vec<f64> = spine
            .windows(2)
            .map(|w| rest[w[0]].distance(rest[w[1]]))
            .collect();
        let chain: f64 = lengths.iter().sum();
        let hips = 0.5 * (rest[self.hips[0]] + rest[self.hips[1]]);
        let below = rest[spine[0]].distance(hips);
        let start = (below / (below + chain).max(1e-12)).min(SHARES[0].1);
        for (name, share) in SHARES {
            let mut way = chain * (share - start).max(0.0) / (1.0 - start);
            let mut source = self.at(spine[spine.len() - 1]);
            for (bone, length) in spine.windows(2).zip(&lengths) {
                if way < *length {
                    source = self.between(bone[0], bone[1], way / length);
                    break;
                }
                way -= length;
            }
            joints.insert(name.to_owned(), source);
        }
    }

    /// Collar points at the canonical share of the shoulders' half width.
    fn insert_collars(
        &self,
        chest: usize,
        neck: usize,
        joints: &mut BTreeMap<String, JointSource>,
    ) {
        const SHARE: f64 = 0.36;
        let rest = &self.rig.rest;
        for (at, name) in ["left_collar", "right_collar"].into_iter().enumerate() {
            let shoulder = self.shoulders[at];
            let source = match (self.collars[at], self.collars[1 - at]) {
                (Some(collar), Some(other)) => {
                    let inner = 0.5 * rest[collar].distance(rest[other]);
                    let length = rest[collar].distance(rest[shoulder]).max(1e-12);
                    let share = (SHARE * (inner + length) - inner) / length;
                    self.between(collar, shoulder, share.clamp(0.0, 0.6))
                }
                _ => {
                    let base = if chest == self.rig.common_ancestor(chest, neck) {
                        neck
                    } else {
                        chest
                    };
                    self.between(base, shoulder, SHARE)
                }
            };
            joints.insert(name.to_owned(), source);
        }
    }

    fn at(&self, joint: usize) -> JointSource {
        JointSource::Joint(self.rig.skeleton.names[joint].clone())
    }

    fn between(&self, a: usize, b: usize, t: f64) -> JointSource {
        if a == b || t < 1e-6 {
            return self.at(a);
        }
        let names = &self.rig.skeleton.names;
        let t = (t * 1000.0).round() / 1000.0;
        JointSource::Between(names[a].clone(), names[b].clone(), t)
    }
}
