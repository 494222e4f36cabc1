//! Any humanoid rig in a pose of the canonical body, as plain maths.

use bevy::prelude::*;
use kinograd::motion::mapping::Mapping;
use kinograd::motion::rig::{Rig, Travel};
use kinograd::motion::{JOINTS, MotionError, Skeleton};

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
    rig: Rig,
    /// What brings the rig to the canonical body's size.
    pub scale: f32,
}

#[derive(Debug, Clone, PartialEq)]
struct Bound {
    parent: Option<usize>,
    local: Transform,
    /// How it is turned in the rig's frame in the pose of the skin.
    rest: Quat,
}

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
        let joints = rig.iter().zip(world(rig)).map(|(joint, world)| Bound {
            parent: joint.parent,
            local: joint.local,
            rest: world.rotation,
        });
        let rig = Rig::new(skeleton, mapping, None)?;
        Ok(Self {
            joints: joints.collect(),
            scale: (1.0 / rig.scale()) as f32,
            rig,
        })
    }

    /// Places and turns of all joints in their parents' frames, in the rig's unit.
    #[must_use]
    pub fn pose(&self, pose: &Pose) -> Vec<Transform> {
        let mut turns = [Quat::IDENTITY; JOINTS];
        for (turn, local) in turns.iter_mut().zip(&pose.local) {
            *turn = *local;
        }
        let wide = |turn: Quat| turn.normalize().to_array().map(f64::from);
        let root = pose.root_m.to_array().map(f64::from);
        let frame = self.rig.frame(root, &turns.map(wide), Travel::Scaled);
        let mut worlds: Vec<Quat> = Vec::with_capacity(self.joints.len());
        let mut above: Vec<Transform> = Vec::with_capacity(self.joints.len());
        let mut posed = Vec::with_capacity(self.joints.len());
        for (index, joint) in self.joints.iter().enumerate() {
            let parent = joint.parent.map_or(Transform::IDENTITY, |at| above[at]);
            let turned = joint.parent.map_or(Quat::IDENTITY, |at| worlds[at]);
            let turn = Quat::from_array(frame.rotations[index].map(|part| part as f32));
            let world = turn * joint.rest;
            let mut local = joint.local;
            local.rotation = (turned.inverse() * world).normalize();
            if index == frame.hips {
                let place = Vec3::from_array(frame.places_m[index].map(|part| part as f32));
                local.translation = parent.to_matrix().inverse().transform_point3(place);
            }
            worlds.push(world);
            above.push(parent * local);
            posed.push(local);
        }
        posed
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::sample;
    use kinograd::motion::mapping::JointSource;
    use kinograd::motion::synth::synth_walk;
    use kinograd::motion::{JOINT_NAMES, PARENTS, REST_OFFSETS};

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
