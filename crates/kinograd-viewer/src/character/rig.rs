//! Characters from GLB files in place of the mannequin.

use std::path::{Path, PathBuf};

use bevy::prelude::*;
use bevy::world_serialization::WorldInstanceReady;
use kinograd::motion::mapping::Mapping;

use super::Mannequin;
use super::retarget::{Binding, RigJoint};
use crate::library::Failure;
use crate::player::PlayerSystems;
use crate::pose::Pose;

/// Draws characters with a [`Rig`] as a GLB's skin.
#[derive(Debug, Default)]
pub struct RigPlugin;

impl Plugin for RigPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Failure>()
            .init_resource::<Wardrobe>()
            .add_systems(
                Update,
                (cast, dress)
                    .chain()
                    .before(super::build_mannequins)
                    .before(PlayerSystems::Pose),
            )
            .add_systems(Update, turn_joints.after(PlayerSystems::Pose))
            .add_observer(bind);
    }
}

/// A character drawn as the first scene of a GLB with a humanoid skeleton.
#[derive(Component, Debug, Clone)]
#[require(Transform, Visibility)]
pub struct Rig {
    /// The file.
    pub path: PathBuf,
    /// Which of its joints are which, where their names do not tell.
    pub mapping: Option<Mapping>,
}

/// What every new character wears instead of the mannequin's body.
#[derive(Resource, Debug, Clone, Default)]
pub struct Wardrobe(pub Option<Rig>);

/// The spawned scene of a character.
#[derive(Component, Debug)]
struct Skin {
    character: Entity,
}

/// A rig whose joints are found.
#[derive(Component, Debug)]
pub(crate) struct Bound {
    binding: Binding,
    joints: Vec<Entity>,
}

/// New mannequins take what hangs in the wardrobe.
fn cast(
    mut commands: Commands,
    wardrobe: Res<Wardrobe>,
    new: Query<Entity, (Added<Mannequin>, Without<Rig>)>,
) {
    if let Some(rig) = &wardrobe.0 {
        for character in &new {
            commands.entity(character).insert(rig.clone());
        }
    }
}

fn dress(mut commands: Commands, new: Query<(Entity, &Rig), Added<Rig>>, server: Res<AssetServer>) {
    for (character, rig) in &new {
        let path: PathBuf = std::path::absolute(&rig.path).unwrap_or_else(|_| rig.path.clone());
        let scene = GltfAssetLabel::Scene(0).from_asset(path);
        commands.spawn((
            Skin { character },
            WorldAssetRoot(server.load(scene)),
            ChildOf(character),
        ));
    }
}

/// Finds the joints of a scene that has come.
fn bind(
    ready: On<WorldInstanceReady>,
    mut commands: Commands,
    skins: Query<&Skin>,
    rigs: Query<&Rig>,
    nodes: Query<(&Name, &Transform, Option<&Children>)>,
    children: Query<&Children>,
    mut failures: MessageWriter<Failure>,
) {
    let Ok(skin) = skins.get(ready.entity) else {
        return;
    };
    let Ok(rig) = rigs.get(skin.character) else {
        return;
    };
    let (mut joints, mut entities) = (Vec::new(), Vec::new());
    let mut open: Vec<(Entity, Option<usize>)> = Vec::new();
    if let Ok(tops) = children.get(ready.entity) {
        open.extend(tops.iter().map(|top| (top, None)));
    }
    // Breadth first: parents come before their children.
    let mut next = 0;
    while let Some(&(entity, parent)) = open.get(next) {
        next += 1;
        let Ok((name, local, below)) = nodes.get(entity) else {
            continue;
        };
        // One root alone: what stands beside it is no part of the skeleton.
        if parent.is_none() && !joints.is_empty() {
            continue;
        }
        joints.push(RigJoint {
            name: name.to_string(),
            parent,
            local: *local,
        });
        entities.push(entity);
        let index = joints.len() - 1;
        open.extend(
            below
                .into_iter()
                .flatten()
                .map(|&child| (child, Some(index))),
        );
    }
    match Binding::new(&joints, rig.mapping.as_ref()) {
        Ok(binding) => {
            let size = Transform::from_scale(Vec3::splat(binding.scale));
            commands.entity(ready.entity).insert(size);
            commands.entity(skin.character).insert(Bound {
                binding,
                joints: entities,
            });
        }
        Err(error) => {
            failures.write(Failure(format!("{}: {error}", short(&rig.path))));
        }
    }
}

fn short(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn turn_joints(
    posed: Query<(&Pose, &Bound), Or<(Changed<Pose>, Added<Bound>)>>,
    mut transforms: Query<&mut Transform>,
) {
    for (pose, bound) in &posed {
        for (&entity, local) in bound.joints.iter().zip(bound.binding.pose(pose)) {
            if let Ok(mut transform) = transforms.get_mut(entity) {
                *transform = local;
            }
        }
    }
}
