//! Mannequins: built, coloured.

use bevy::prelude::*;
use kinograd::motion::{JOINTS, PARENTS, REST_OFFSETS};

use super::body::{BodyMaterial, parts};
use super::mannequin::{Joints, Mannequin, Penetrations};
use super::wear::Rig;
use crate::clip::MotionClip;
use crate::player::{MotionPlayer, PlayerSystems};

/// Builds and colours mannequins. Needs rendering; [`crate::PlayerPlugin`] moves them.
#[derive(Debug, Default)]
pub struct CharacterPlugin;

impl Plugin for CharacterPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<BodyMeshes>()
            .init_resource::<AlarmMaterials>()
            .add_systems(Update, build_mannequins.before(PlayerSystems::Pose))
            .add_systems(Update, light_parts.after(PlayerSystems::Pose));
    }
}

/// A rigid part of a mannequin.
#[derive(Component, Debug, Clone, PartialEq)]
pub struct BodyPart {
    /// The character.
    pub character: Entity,
    /// Index of the part's joint.
    pub joint: usize,
    /// What it looks like when nothing is amiss.
    pub usual: Handle<StandardMaterial>,
}

/// The mannequin's meshes, shared by all characters.
#[derive(Resource, Debug)]
pub struct BodyMeshes(Vec<(usize, BodyMaterial, Handle<Mesh>)>);

impl FromWorld for BodyMeshes {
    fn from_world(world: &mut World) -> Self {
        let mut meshes = world.resource_mut::<Assets<Mesh>>();
        let made = parts()
            .into_iter()
            .map(|part| (part.joint, part.tone, meshes.add(part.lathe.mesh())));
        Self(made.collect())
    }
}

/// Looks of parts that stand or penetrate.
#[derive(Resource, Debug)]
pub struct AlarmMaterials {
    stands: Handle<StandardMaterial>,
    inside: Handle<StandardMaterial>,
}

impl FromWorld for AlarmMaterials {
    fn from_world(world: &mut World) -> Self {
        let mut materials = world.resource_mut::<Assets<StandardMaterial>>();
        let glowing = |color: Color, glow: f32| StandardMaterial {
            base_color: color,
            emissive: color.to_linear() * glow,
            perceptual_roughness: 0.6,
            ..default()
        };
        Self {
            stands: materials.add(glowing(Color::srgb(0.30, 0.85, 0.62), 0.35)),
            inside: materials.add(glowing(Color::srgb(0.92, 0.10, 0.12), 0.8)),
        }
    }
}

/// Joint entities under each new mannequin, and its parts under them.
pub(super) fn build_mannequins(
    mut commands: Commands,
    new: Query<(Entity, &Mannequin), (Without<Joints>, Without<Rig>)>,
    meshes: Res<BodyMeshes>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    for (character, mannequin) in &new {
        let mut material = |tone: BodyMaterial| materials.add(look(tone, mannequin));
        let looks = [BodyMaterial::Skin, BodyMaterial::Joint, BodyMaterial::Visor]
            .map(|tone| (tone, material(tone)));
        let mut joints: Vec<Entity> = Vec::with_capacity(JOINTS);
        for joint in 0..JOINTS {
            let offset = Vec3::from_array(REST_OFFSETS[joint].map(|v| v as f32));
            let parent = if joint == 0 {
                character
            } else {
                joints[PARENTS[joint]]
            };
            let entity = commands
                .spawn((
                    Transform::from_translation(offset),
                    Visibility::default(),
                    ChildOf(parent),
                ))
                .id();
            joints.push(entity);
        }
        for (joint, tone, mesh) in &meshes.0 {
            let Some((_, usual)) = looks.iter().find(|(look, _)| look == tone) else {
                continue;
            };
            commands.spawn((
                Mesh3d(mesh.clone()),
                MeshMaterial3d(usual.clone()),
                BodyPart {
                    character,
                    joint: *joint,
                    usual: usual.clone(),
                },
                ChildOf(joints[*joint]),
            ));
        }
        commands.entity(character).insert(Joints(joints));
    }
}

fn look(tone: BodyMaterial, mannequin: &Mannequin) -> StandardMaterial {
    let (color, roughness, reflectance) = match tone {
        BodyMaterial::Skin => (mannequin.color, 0.62, 0.35),
        BodyMaterial::Joint => (
            mannequin.color.mix(&Color::srgb(0.16, 0.18, 0.22), 0.78),
            0.5,
            0.4,
        ),
        BodyMaterial::Visor => (Color::srgb(0.10, 0.12, 0.16), 0.18, 0.6),
    };
    let solid = mannequin.opacity >= 1.0;
    StandardMaterial {
        base_color: color.with_alpha(mannequin.opacity),
        perceptual_roughness: roughness,
        reflectance,
        alpha_mode: if solid {
            AlphaMode::Opaque
        } else {
            AlphaMode::Blend
        },
        ..default()
    }
}

/// Lights feet that stand and reddens joints that penetrate.
fn light_parts(
    mut parts: Query<(&BodyPart, &mut MeshMaterial3d<StandardMaterial>)>,
    characters: Query<(&MotionPlayer, &Mannequin, Option<&Penetrations>)>,
    clips: Res<Assets<MotionClip>>,
    alarms: Res<AlarmMaterials>,
) {
    for (part, mut material) in &mut parts {
        let Ok((player, mannequin, inside)) = characters.get(part.character) else {
            continue;
        };
        let penetrates = inside.is_some_and(|inside| inside.0.contains(&part.joint));
        let stands = || {
            mannequin.shows_contacts
                && clips
                    .get(&player.clip)
                    .is_some_and(|clip| stands(clip, clip.frame_at(player.time_secs), part.joint))
        };
        let wanted = if penetrates {
            &alarms.inside
        } else if stands() {
            &alarms.stands
        } else {
            &part.usual
        };
        if material.0 != *wanted {
            material.0 = wanted.clone();
        }
    }
}

/// Whether a joint is a foot's toe joint, or ankle, that stands in a frame.
fn stands(clip: &MotionClip, frame: usize, joint: usize) -> bool {
    let channel = match joint {
        7 => 0,
        10 => 1,
        8 => 2,
        11 => 3,
        _ => return false,
    };
    clip.contacts
        .get(frame)
        .is_some_and(|contacts| contacts[channel])
}
