//! Clips of the canonical body on a rig.

use glam::{DQuat, DVec3};
use ndarray::Array3;

use super::driver::{BindPose, Drive, drives, facing};
use super::parts::{Doubt, PartOfRig, Parts};
use super::pose::Pose;
use super::report::{ANKLE_M, Measured, RigReport, measure};
use crate::ik::{Place, offsets_to};
use crate::mapping::{Mapping, Resolved, Up};
use crate::{JOINTS, Motion, MotionError, REST_OFFSETS, Skeleton, joints_array};

/// A hand or foot of our body's size that misses its place by more than this stays where it is,
/// metres: it would jerk.
const MOST_REACH_M: f64 = 0.2;
/// A rig whose lowest joint in the bind pose is within these shares of its leg above zero stands
/// on the ground there.
const STANDS: std::ops::RangeInclusive<f64> = -0.03..=0.2;

/// How far a body travels on a rig of another size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Travel {
    /// In proportion to its legs, so that its feet do not slide.
    #[default]
    Scaled,
    /// As far as the clip does, in metres.
    Kept,
}

/// How a clip comes onto a rig.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RigOptions {
    /// How far the body travels.
    pub travel: Travel,
}

/// A humanoid skeleton on which clips of the canonical body are put.
#[derive(Debug, Clone, PartialEq)]
pub struct Rig {
    skeleton: Skeleton,
    parts: Parts,
    drives: Vec<Drive>,
    /// The bind pose, upright and facing +Z.
    upright: Vec<DVec3>,
    scale: f64,
    ankle_m: f64,
    mapped: Resolved,
}

/// A frame on a rig, in plain numbers for callers with a mathematics of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct RigFrame {
    /// Joints in the world, in the unit of the rig's skeleton.
    pub places_m: Vec<[f64; 3]>,
    /// Rotations of the joints from the skeleton's rest pose, in the world: unit quaternions
    /// x, y, z, w.
    pub rotations: Vec<[f64; 4]>,
    /// The joint that moves; the others keep their offsets.
    pub hips: usize,
}

/// A clip on a rig, and how well it sits.
#[derive(Debug, Clone, PartialEq)]
pub struct OnRig {
    /// The clip, on the rig's own skeleton.
    pub motion: Motion,
    /// What was measured.
    pub report: RigReport,
}

impl Rig {
    /// A skeleton in metres with Y up, whose joints are known by a mapping. `bind`: the pose in
    /// which a skin is bound, where there is one; the rest pose otherwise.
    ///
    /// # Errors
    /// [`MotionError::Mapping`] when the mapping does not fit, or legs or arms have no length.
    pub fn new(
        skeleton: Skeleton,
        mapping: &Mapping,
        bind: Option<&BindPose>,
    ) -> Result<Self, MotionError> {
        skeleton.validate()?;
        let parts = Parts::new(&skeleton, mapping)?;
        let mapped = {
            let mut mapping = mapping.clone();
            mapping.up = Up::Y;
            mapping.resolve(&skeleton)?
        };
        let of_rest = BindPose::of_rest(&skeleton);
        let bind = bind.unwrap_or(&of_rest);
        if bind.places_m.len() != skeleton.len() || bind.from_rest.len() != skeleton.len() {
            return Err(MotionError::Shape {
                what: "bind pose",
                expected: format!("{} joints", skeleton.len()),
                got: vec![bind.places_m.len(), bind.from_rest.len()],
            });
        }
        let turn = facing(&parts, bind);
        let upright: Vec<DVec3> = bind.places_m.iter().map(|&place| turn * place).collect();
        let leg = |leg: &super::parts::Limb| {
            upright[leg.root].distance(upright[leg.middle])
                + upright[leg.middle].distance(upright[leg.end])
        };
        let leg_m = 0.5 * (leg(&parts.legs[0]) + leg(&parts.legs[1]));
        let scale = leg_m / leg_of_body();
        if !(scale.is_finite() && scale > 1e-6) {
            return Err(MotionError::Mapping {
                message: format!("the rig's legs are {leg_m} m long"),
            });
        }
        let lowest = upright.iter().map(|p| p.y).fold(f64::INFINITY, f64::min);
        let ankle = 0.5 * (upright[parts.legs[0].end].y + upright[parts.legs[1].end].y);
        let ankle_m = if STANDS.contains(&(lowest / leg_m)) {
            ankle
        } else {
            // Nothing says where the ground is: the sole is as far under the ankle as ours.
            ANKLE_M * scale
        };
        Ok(Self {
            drives: drives(&skeleton, &parts, bind),
            upright,
            scale,
            ankle_m,
            mapped,
            parts,
            skeleton,
        })
    }

    /// The skeleton.
    #[must_use]
    pub fn skeleton(&self) -> &Skeleton {
        &self.skeleton
    }

    /// Length of the legs over those of the canonical body.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The joints that clips turn.
    #[must_use]
    pub fn parts(&self) -> Vec<PartOfRig> {
        self.parts.named(&self.skeleton)
    }

    /// What of the mapping a person should look at.
    #[must_use]
    pub fn doubts(&self) -> Vec<Doubt> {
        self.parts.doubts(&self.upright)
    }

    /// Joints of a clip on the rig in the order of the canonical body, `[frames, 22, 3]`, metres.
    #[must_use]
    pub fn canonical_joints(&self, motion: &Motion) -> Array3<f64> {
        let mut joints = Array3::zeros((motion.len(), JOINTS, 3));
        for frame in 0..motion.len() {
            let places = self.mapped.canonical(&motion.joint_poses_in_world(frame).0);
            for (joint, place) in places.iter().enumerate() {
                for axis in 0..3 {
                    joints[[frame, joint, axis]] = place[axis];
                }
            }
        }
        joints
    }

    /// Puts a clip of the canonical body on the rig: turns are taken over, the feet are put where
    /// they stand on the ground in proportion to the legs, and hands where their arms have them.
    ///
    /// # Errors
    /// [`MotionError::Shape`] for a clip that is not on the canonical body, or as
    /// [`Motion::validate`].
    pub fn retarget(&self, motion: &Motion, options: &RigOptions) -> Result<OnRig, MotionError> {
        self.retarget_to(motion, options, &[])
    }

    /// As [`Rig::retarget`], with hands and feet (canonical joints 7, 8, 20, 21) at places of the
    /// rig's world in some frames, to which they go and from which they come within 0.4 s. Places
    /// farther off than 0.2 m, more on a larger rig, are left alone.
    ///
    /// # Errors
    /// As [`Rig::retarget`].
    pub fn retarget_to(
        &self,
        motion: &Motion,
        options: &RigOptions,
        places: &[Place],
    ) -> Result<OnRig, MotionError> {
        motion.validate()?;
        if motion.skeleton != Skeleton::canonical() {
            return Err(MotionError::Shape {
                what: "skeleton",
                expected: "the canonical body".to_owned(),
                got: vec![motion.skeleton.len()],
            });
        }
        let mut poses = Vec::with_capacity(motion.len());
        let mut targets = Vec::with_capacity(motion.len());
        for frame in 0..motion.len() {
            let (joints, rotations) = motion.joint_poses_in_world(frame);
            let (pose, target) = self.pose(&joints, &rotations, options.travel);
            poses.push((pose, rotations));
            targets.push(target);
        }
        self.go_to(&mut targets, places, motion.fps);
        let hips = self.parts.hips;
        let mut on_rig = Motion::new(
            self.skeleton.clone(),
            motion.fps,
            Vec::with_capacity(motion.len()),
            Vec::with_capacity(motion.len()),
        );
        let mut hips_way = Vec::with_capacity(motion.len());
        let mut joints = Vec::with_capacity(motion.len());
        for ((mut pose, rotations), target) in poses.into_iter().zip(&targets) {
            self.reach(&mut pose, &rotations, target);
            let mut local = pose.local_rotations();
            if let Some(previous) = on_rig.local_rotations.last() {
                crate::resample::keep_signs(previous, &mut local);
            }
            on_rig.root_in_world_m.push(pose.places[0]);
            on_rig.local_rotations.push(local);
            hips_way.push(pose.hips_offset());
            joints.push(pose.places);
        }
        if hips != 0 {
            on_rig.translations.insert(hips, hips_way);
        }
        let shape = (joints.len(), self.skeleton.len(), 3);
        let joints = Array3::from_shape_fn(shape, |(f, j, axis)| joints[f][j][axis]);
        let report = measure(&Measured {
            parts: &self.parts,
            scale: self.scale,
            ankle_m: self.ankle_m,
            toes_m: self.parts.legs.map(|leg| {
                let tip = leg.tip.unwrap_or(leg.end);
                self.ankle_m + self.upright[tip].y - self.upright[leg.end].y
            }),
            source: joints_array(motion).view(),
            joints: joints.view(),
            targets: &targets,
            fps: motion.fps,
        });
        Ok(OnRig {
            motion: on_rig,
            report,
        })
    }

    /// Puts one frame of the canonical body on the rig. `root_m`: its root in the world, metres;
    /// `local_rotations`: unit quaternions x, y, z, w of its joints in their parents' frames.
    #[must_use]
    pub fn frame(
        &self,
        root_m: [f64; 3],
        local_rotations: &[[f64; 4]; JOINTS],
        travel: Travel,
    ) -> RigFrame {
        let body = Motion::new(
            Skeleton::canonical(),
            1.0,
            vec![DVec3::from_array(root_m)],
            vec![local_rotations.map(DQuat::from_array).to_vec()],
        );
        let (places, rotations) = body.joint_poses_in_world(0);
        let (mut pose, targets) = self.pose(&places, &rotations, travel);
        self.reach(&mut pose, &rotations, &targets);
        RigFrame {
            places_m: pose.places.iter().map(DVec3::to_array).collect(),
            rotations: pose.rotations.iter().map(|turn| turn.to_array()).collect(),
            hips: self.parts.hips,
        }
    }

    /// Brings ankles and wrists to their places.
    fn reach(&self, pose: &mut Pose<'_>, rotations: &[DQuat], targets: &[DVec3; 4]) {
        let limbs = self.parts.legs.iter().chain(&self.parts.arms);
        let poles = [
            rotations[1] * DVec3::Z,
            rotations[2] * DVec3::Z,
            rotations[16] * DVec3::NEG_Z,
            rotations[17] * DVec3::NEG_Z,
        ];
        for ((limb, place), pole) in limbs.zip(targets).zip(poles) {
            pose.reach(limb, *place, pole);
        }
    }

    /// A frame before its limbs reach, and where ankles and wrists go.
    fn pose(
        &self,
        joints: &[DVec3],
        rotations: &[DQuat],
        travel: Travel,
    ) -> (Pose<'_>, [DVec3; 4]) {
        let target = self.targets(joints, travel);
        let mut pose = Pose::new(&self.skeleton, self.parts.hips, &self.drives, rotations);
        let [left, right] = self.parts.legs.map(|leg| pose.places[leg.root]);
        pose.shift(target.hips - 0.5 * (left + right));
        let [left, right] = [0, 1].map(|side| self.wrist(side, joints, &pose));
        (pose, [target.ankles[0], target.ankles[1], left, right])
    }

    /// Bends the ways of ankles and wrists through places.
    fn go_to(&self, targets: &mut [[DVec3; 4]], places: &[Place], fps: f64) {
        const BLEND_SECS: f64 = 0.4;
        const EFFECTORS: [usize; 4] = [7, 8, 20, 21];
        for (effector, joint) in EFFECTORS.into_iter().enumerate() {
            let now: Vec<DVec3> = targets.iter().map(|target| target[effector]).collect();
            let of_limb = places.iter().filter(|place| place.joint == joint);
            let most_m = MOST_REACH_M * self.scale.max(1.0);
            let offsets = offsets_to(of_limb, &now, BLEND_SECS * fps, most_m);
            for (target, offset) in targets.iter_mut().zip(offsets) {
                target[effector] += offset;
            }
        }
    }

    /// Where hips and ankles of the rig go for those of the canonical body.
    fn targets(&self, places: &[DVec3], travel: Travel) -> Targets {
        let s = self.scale;
        let root = places[0];
        let along = |place: DVec3| {
            let ground = match travel {
                Travel::Scaled => place * s,
                Travel::Kept => root + (place - root) * s,
            };
            DVec3::new(ground.x, (place.y - ANKLE_M) * s + self.ankle_m, ground.z)
        };
        Targets {
            hips: along(0.5 * (places[1] + places[2])),
            ankles: [along(places[7]), along(places[8])],
        }
    }

    /// Where a wrist goes: as far from its shoulder, for its arm's length, as the body's.
    fn wrist(&self, side: usize, places: &[DVec3], pose: &Pose<'_>) -> DVec3 {
        let arm = &self.parts.arms[side];
        let [shoulder, elbow, wrist] = [[16, 18, 20], [17, 19, 21]][side];
        let at = |joint: usize| pose.places[joint];
        let own = at(arm.root).distance(at(arm.middle)) + at(arm.middle).distance(at(arm.end));
        let length =
            places[shoulder].distance(places[elbow]) + places[elbow].distance(places[wrist]);
        at(arm.root) + (places[wrist] - places[shoulder]) * (own / length.max(1e-9))
    }
}

struct Targets {
    hips: DVec3,
    ankles: [DVec3; 2],
}

fn leg_of_body() -> f64 {
    let length = |joint: usize| DVec3::from_array(REST_OFFSETS[joint]).length();
    length(4) + length(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::synth_walk;
    use glam::EulerRot;

    /// The body at another size, its arms lowered, under a root bone, with a bone between.
    fn rig(scale: f64) -> (Skeleton, Vec<Option<usize>>) {
        let body = Skeleton::canonical();
        let mut skeleton = Skeleton {
            names: vec!["root".into()],
            parents: vec![None],
            offsets_m: vec![DVec3::ZERO],
        };
        let mut place = vec![0; body.len()];
        let mut of = vec![None];
        for joint in 0..body.len() {
            let mut offset = body.offsets_m[joint] * scale;
            let down = match joint {
                18 | 20 => -0.8,
                19 | 21 => 0.8,
                _ => 0.0,
            };
            offset = DQuat::from_rotation_z(down) * offset;
            let mut parent = body.parents[joint].map_or(0, |parent| place[parent]);
            if [4, 20].contains(&joint) {
                skeleton.names.push(format!("{}_twist", body.names[joint]));
                skeleton.parents.push(Some(parent));
                skeleton.offsets_m.push(offset * 0.5);
                of.push(None);
                parent = skeleton.len() - 1;
                offset *= 0.5;
            }
            place[joint] = skeleton.len();
            skeleton.names.push(body.names[joint].clone());
            skeleton.parents.push(Some(parent));
            skeleton.offsets_m.push(offset);
            of.push(Some(joint));
        }
        (skeleton, of)
    }

    #[test]
    fn a_walk_keeps_its_feet_and_hands_on_rigs_of_any_size() {
        let walk = synth_walk(1.2, 2.0, 20.0);
        for scale in [1.0, 0.6, 1.7] {
            let (skeleton, of) = rig(scale);
            let mapping = Mapping::automatic(&skeleton).unwrap();
            let rig = Rig::new(skeleton, &mapping, None).unwrap();
            assert!((rig.scale() - scale).abs() < 1e-9);
            assert!(rig.doubts().is_empty(), "{:?}", rig.doubts());
            let on_rig = rig.retarget(&walk, &RigOptions::default()).unwrap();
            on_rig.motion.validate().unwrap();
            for frame in 0..walk.len() {
                let body = walk.joint_poses_in_world(frame).0;
                let own = on_rig.motion.joint_poses_in_world(frame).0;
                for (joint, canonical) in of.iter().enumerate() {
                    let Some(canonical) = *canonical else {
                        continue;
                    };
                    let off = own[joint].distance(body[canonical] * scale);
                    assert!(off < 2e-3 * scale, "{scale} {frame} {joint}: {off}");
                }
            }
            let report = on_rig.report;
            assert!(report.effector_error_p95_m < 1e-6);
            assert!(report.gates().is_empty(), "{:?}", report.gates());
            assert!((report.foot_skate_ratio - report.source_foot_skate_ratio).abs() < 0.05);
        }
    }

    #[test]
    fn the_frames_of_joints_do_not_matter() {
        let (skeleton, _) = rig(1.0);
        let mapping = Mapping::automatic(&skeleton).unwrap();
        let plain = Rig::new(skeleton.clone(), &mapping, None).unwrap();
        // A file whose default pose is another than that of the skin, and faces elsewhere.
        let around = DQuat::from_rotation_y(2.1);
        let mut bind = BindPose::of_rest(&skeleton);
        let turned = |joint: usize| {
            let j = joint as f64;
            DQuat::from_euler(EulerRot::XYZ, 0.1 * j, 0.3, -0.2 * j)
        };
        let mut posed = skeleton.clone();
        for joint in 0..posed.len() {
            let parent = posed.parents[joint];
            let above = parent.map_or(DQuat::IDENTITY, turned);
            posed.offsets_m[joint] = above * skeleton.offsets_m[joint];
            bind.from_rest[joint] = around * turned(joint).inverse();
            bind.places_m[joint] = around * bind.places_m[joint];
        }
        let rig = Rig::new(posed, &mapping, Some(&bind)).unwrap();
        let walk = synth_walk(1.2, 1.0, 20.0);
        let (a, b) = (
            plain.retarget(&walk, &RigOptions::default()).unwrap(),
            rig.retarget(&walk, &RigOptions::default()).unwrap(),
        );
        for frame in 0..walk.len() {
            let pair = [&a, &b].map(|on| on.motion.joint_poses_in_world(frame).0);
            for (joint, (a, b)) in pair[0].iter().zip(&pair[1]).enumerate() {
                assert!(a.distance(*b) < 1e-6, "{frame} {joint}: {a} {b}");
            }
        }
    }

    /// Two places so near in time that one's way out is the other's way in.
    #[test]
    fn a_hand_goes_through_places_without_a_jump() {
        let (skeleton, _) = rig(0.8);
        let mapping = Mapping::automatic(&skeleton).unwrap();
        let rig = Rig::new(skeleton, &mapping, None).unwrap();
        let walk = synth_walk(1.2, 3.0, 20.0);
        let options = RigOptions::default();
        let plain = rig.retarget(&walk, &options).unwrap().motion;
        let of = |motion: &Motion, frame: usize| {
            let joints = rig.canonical_joints(motion);
            DVec3::from_array([0, 1, 2].map(|axis| joints[[frame, 20, axis]]))
        };
        let place = |frame: usize, by: DVec3| Place {
            joint: 20,
            frame,
            position_m: of(&plain, frame) + by,
        };
        let (up, aside) = (DVec3::Y * 0.06, DVec3::new(0.03, 0.08, 0.04));
        let places = [place(28, up), place(34, aside), place(50, DVec3::Y * 5.0)];
        let bent = rig.retarget_to(&walk, &options, &places).unwrap().motion;
        for place in &places[..2] {
            assert!(of(&bent, place.frame).distance(place.position_m) < 1e-6);
        }
        let bend = |frame: usize| of(&bent, frame) - of(&plain, frame);
        for frame in 1..walk.len() {
            let jump = bend(frame).distance(bend(frame - 1));
            assert!(jump < 0.035, "frame {frame}: {jump} m");
        }
        // What is out of reach is left alone.
        assert!(bend(50).length() < 1e-6 && bend(5).length() < 1e-6);
    }

    #[test]
    fn a_kept_way_is_the_clips_own() {
        let (skeleton, _) = rig(0.5);
        let mapping = Mapping::automatic(&skeleton).unwrap();
        let rig = Rig::new(skeleton, &mapping, None).unwrap();
        let walk = synth_walk(1.2, 2.0, 20.0);
        let options = RigOptions {
            travel: Travel::Kept,
        };
        let kept = rig.retarget(&walk, &options).unwrap().motion;
        let way = |motion: &Motion, joint: usize| {
            let last = motion.len() - 1;
            motion.joint_poses_in_world(last).0[joint] - motion.joint_poses_in_world(0).0[joint]
        };
        assert!((way(&kept, 1) - way(&walk, 0)).length() < 0.02);
    }
}
