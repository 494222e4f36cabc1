//! Any humanoid rig in a pose of the canonical body, as plain maths.

use bevy::prelude::*;
use kinograd::motion::mapping::{JointSource, Mapping};
use kinograd::motion::{JOINT_NAMES, JOINTS, MotionError, PARENTS, REST_OFFSETS, Skeleton};

use crate::pose::Pose;

/// A joint of a rig in the pose that its skin is bound in.
#[derive(Debug, Clone, PartialEq)]
pub struct RigJoint {
    /// Its name.
    pub name: String,
    /// Its parent, which comes before it; `None` for the root alone.
    pub parent: Option<usize>,
    /// Where it is and how it is turned, in its parent's frame, in the rig's unit.
    pub local: Transform,
}

/// A rig whose joints are known: poses of the canonical body turn it.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    joints: Vec<Bound>,
    /// What brings the rig to the canonical body's size.
    pub scale: f32,
}

#[derive(Debug, Clone, PartialEq)]
struct Bound {
    parent: Option<usize>,
    local: Transform,
    /// Canonical joint, and the turn of the rig's joint where that one is not turned.
    drives: Option<(usize, Quat)>,
}

/// The joint whose place tells where a canonical joint's bone points.
const TOWARDS: [Option<usize>; JOINTS] = [
    Some(3),
    Some(4),
    Some(5),
    Some(6),
    Some(7),
    Some(8),
    Some(9),
    Some(10),
    Some(11),
    Some(12),
    None,
    None,
    Some(15),
    Some(16),
    Some(17),
    None,
    Some(18),
    Some(19),
    Some(20),
    Some(21),
    None,
    None,
];

impl Binding {
    /// Finds the rig's joints by their names, or by a mapping.
    ///
    /// # Errors
    /// [`MotionError`] if the joints of the body are not found, or the legs have no length.
    pub fn new(rig: &[RigJoint], mapping: Option<&Mapping>) -> Result<Self, MotionError> {
        let skeleton = skeleton(rig);
        skeleton.validate()?;
        let found;
        let mapping = match mapping {
            Some(mapping) => mapping,
            None => {
                found = Mapping::automatic(&skeleton)?;
                &found
            }
        };
        mapping.resolve(&skeleton)?;
        let bind = world(rig);
        let at = |canonical: usize| -> Option<usize> {
            match mapping.joints.get(JOINT_NAMES[canonical])? {
                JointSource::Joint(name) => rig.iter().position(|joint| joint.name == *name),
                JointSource::Between(..) => None,
            }
        };
        let mut places: Vec<Option<usize>> = (0..JOINTS).map(at).collect();
        if places[0].is_none() {
            // A pelvis that is mapped between joints: the body hangs on what its legs hang on.
            places[0] = places[1].and_then(|hip| rig[hip].parent);
        }
        let rest = rest_places();
        let mut joints: Vec<Bound> = rig
            .iter()
            .map(|joint| Bound {
                parent: joint.parent,
                local: joint.local,
                drives: None,
            })
            .collect();
        for canonical in 0..JOINTS {
            let Some(joint) = places[canonical] else {
                continue;
            };
            // The bone's direction in the bind pose is swung to where it points in the rest pose.
            let target = TOWARDS[canonical].and_then(|next| Some((next, places[next]?)));
            let swing = target.map_or(Quat::IDENTITY, |(next, end)| {
                let bound = (bind[end].translation - bind[joint].translation).normalize_or_zero();
                let wanted = (rest[next] - rest[canonical]).normalize_or_zero();
                if bound == Vec3::ZERO {
                    Quat::IDENTITY
                } else {
                    Quat::from_rotation_arc(bound, wanted)
                }
            });
            // Several canonical joints on one of the rig: the one nearest to the root turns it.
            let drives = &mut joints[joint].drives;
            if drives.is_none() {
                *drives = Some((canonical, swing * bind[joint].rotation));
            }
        }
        let leg = |hip: Option<usize>, knee: Option<usize>, ankle: Option<usize>| {
            let [hip, knee, ankle] = [hip?, knee?, ankle?].map(|joint| bind[joint].translation);
            Some(hip.distance(knee) + knee.distance(ankle))
        };
        let rig_leg = leg(places[1], places[4], places[7]).unwrap_or(0.0);
        let body_leg = rest[1].distance(rest[4]) + rest[4].distance(rest[7]);
        let scale = body_leg / rig_leg;
        if !(scale.is_finite() && scale > 0.0) {
            return Err(MotionError::Mapping {
                message: "the rig's left leg has no length".to_owned(),
            });
        }
        Ok(Self { joints, scale })
    }

    /// Places and turns of all joints in their parents' frames, in the rig's unit.
    #[must_use]
    pub fn pose(&self, pose: &Pose) -> Vec<Transform> {
        let turns = world_turns(pose);
        let mut worlds: Vec<Quat> = Vec::with_capacity(self.joints.len());
        let mut places: Vec<Transform> = Vec::with_capacity(self.joints.len());
        let mut locals = Vec::with_capacity(self.joints.len());
        for joint in &self.joints {
            let parent = joint
                .parent
                .map_or(Transform::IDENTITY, |parent| places[parent]);
            let above = joint.parent.map_or(Quat::IDENTITY, |parent| worlds[parent]);
            let mut local = joint.local;
            if let Some((canonical, rest)) = joint.drives
                && let Some(&turn) = turns.get(canonical)
            {
                local.rotation = above.inverse() * turn * rest;
                if canonical == 0 {
                    let root = pose.root_m / self.scale;
                    local.translation = parent.to_matrix().inverse().transform_point3(root);
                }
            }
            worlds.push(above * local.rotation);
            places.push(parent * local);
            locals.push(local);
        }
        locals
    }
}

fn skeleton(rig: &[RigJoint]) -> Skeleton {
    let worlds = world(rig);
    let offset = |(index, joint): (usize, &RigJoint)| {
        let from = joint
            .parent
            .map_or(Vec3::ZERO, |parent| worlds[parent].translation);
        (worlds[index].translation - from)
            .to_array()
            .map(f64::from)
            .into()
    };
    Skeleton {
        names: rig.iter().map(|joint| joint.name.clone()).collect(),
        parents: rig.iter().map(|joint| joint.parent).collect(),
        offsets_m: rig.iter().enumerate().map(offset).collect(),
    }
}

/// Joints in the rig's own frame; parents come first.
fn world(rig: &[RigJoint]) -> Vec<Transform> {
    let mut worlds: Vec<Transform> = Vec::with_capacity(rig.len());
    for joint in rig {
        let above = joint.parent.and_then(|parent| worlds.get(parent)).copied();
        worlds.push(above.unwrap_or_default() * joint.local);
    }
    worlds
}

/// Joints of the canonical body at rest.
fn rest_places() -> [Vec3; JOINTS] {
    let mut places = [Vec3::ZERO; JOINTS];
    for joint in 0..JOINTS {
        let offset = Vec3::from_array(REST_OFFSETS[joint].map(|v| v as f32));
        let from = if joint == 0 {
            Vec3::ZERO
        } else {
            places[PARENTS[joint]]
        };
        places[joint] = from + offset;
    }
    places
}

/// Turns of the canonical joints in the world.
fn world_turns(pose: &Pose) -> Vec<Quat> {
    let mut turns: Vec<Quat> = Vec::with_capacity(pose.local.len());
    for (joint, &turn) in pose.local.iter().enumerate().take(JOINTS) {
        let above = if joint == 0 {
            Quat::IDENTITY
        } else {
            turns[PARENTS[joint]]
        };
        turns.push(above * turn);
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::sample;
    use kinograd::motion::synth::synth_walk;

    /// The canonical body at another size, its arms down, its joints' frames turned at will.
    fn rig(scale: f32) -> Vec<RigJoint> {
        let turned = |joint: usize| {
            Quat::from_euler(EulerRot::XYZ, 0.3 * joint as f32, 0.7, -0.2 * joint as f32)
        };
        let mut rig: Vec<RigJoint> = Vec::new();
        let mut worlds: Vec<Transform> = Vec::new();
        for joint in 0..JOINTS {
            let parent = (joint > 0).then(|| PARENTS[joint]);
            let mut offset = scale * Vec3::from_array(REST_OFFSETS[joint].map(|v| v as f32));
            if [18, 20].contains(&joint) {
                offset = Quat::from_rotation_z(-0.8) * offset;
            }
            if [19, 21].contains(&joint) {
                offset = Quat::from_rotation_z(0.8) * offset;
            }
            let above = parent.map_or(Transform::IDENTITY, |parent| worlds[parent]);
            let place = above.translation + offset;
            let here = Transform::from_translation(place).with_rotation(turned(joint));
            let local = Transform::from_matrix(above.to_matrix().inverse() * here.to_matrix());
            worlds.push(here);
            rig.push(RigJoint {
                name: JOINT_NAMES[joint].to_owned(),
                parent,
                local,
            });
        }
        rig
    }

    fn itself() -> Mapping {
        let joint = |name: &&str| ((*name).to_owned(), JointSource::Joint((*name).to_owned()));
        Mapping {
            joints: JOINT_NAMES.iter().map(joint).collect(),
            unit_to_metre: None,
            up: kinograd::motion::mapping::Up::Y,
        }
    }

    #[test]
    fn limbs_of_the_rig_are_where_the_body_has_them() {
        let motion = synth_walk(1.2, 2.0, 20.0);
        for scale in [1.0, 100.0, 0.5] {
            let rig = rig(scale);
            let binding = Binding::new(&rig, Some(&itself())).unwrap();
            assert!((binding.scale * scale - 1.0).abs() < 1e-4);
            for time in [0.0, 0.7, 1.4] {
                let pose = sample(&motion, time);
                let locals = binding.pose(&pose);
                let posed: Vec<RigJoint> = rig
                    .iter()
                    .zip(locals)
                    .map(|(joint, local)| RigJoint {
                        local,
                        ..joint.clone()
                    })
                    .collect();
                // Legs, spine and arms; collars and hips hang on joints of several bones.
                for (joint, place) in world(&posed).iter().enumerate() {
                    let error = (place.translation * binding.scale).distance(pose.joints_m[joint]);
                    assert!(
                        error < 2e-3,
                        "{} at {time} s: {error} m",
                        JOINT_NAMES[joint]
                    );
                }
            }
        }
    }

    #[test]
    fn names_alone_find_legs_and_arms() {
        let pose = sample(&synth_walk(1.2, 2.0, 20.0), 0.4);
        let rig = rig(100.0);
        let binding = Binding::new(&rig, None).unwrap();
        let posed: Vec<RigJoint> = rig
            .iter()
            .zip(binding.pose(&pose))
            .map(|(joint, local)| RigJoint {
                local,
                ..joint.clone()
            })
            .collect();
        let places = world(&posed);
        for joint in [0, 4, 5, 7, 8, 10, 11] {
            let error = (places[joint].translation * binding.scale).distance(pose.joints_m[joint]);
            assert!(error < 2e-3, "{}: {error} m", JOINT_NAMES[joint]);
        }
    }

    #[test]
    fn a_rig_without_legs_is_refused() {
        let mut few = rig(1.0);
        few.truncate(4);
        assert!(Binding::new(&few, None).is_err());
        assert!(Binding::new(&[], None).is_err());
    }
}
