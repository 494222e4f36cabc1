//! Characters from GLB files in place of the mannequin.

use std::path::{Path, PathBuf};

use bevy::prelude::*;
use bevy::world_serialization::WorldInstanceReady;

use super::build::build_mannequins;
use super::mannequin::Mannequin;
use super::retarget::{Binding, RigJoint};
use super::wear::{CharacterAssets, Rig};
use crate::failure::Failure;
use crate::player::PlayerSystems;
use crate::pose::Pose;

/// Draws characters with a [`Rig`] as a GLB's skin.
#[derive(Debug, Default)]
pub struct RigPlugin;

impl Plugin for RigPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Failure>()
            .init_resource::<CharacterAssets>()
            .add_systems(
                Update,
                (cast, dress)
                    .chain()
                    .before(build_mannequins)
                    .before(PlayerSystems::Pose),
            )
            .add_systems(Update, turn_joints.after(PlayerSystems::Pose))
            .add_systems(Update, thin)
            .add_observer(bind);
    }
}

/// The spawned scene of a character.
#[derive(Component, Debug)]
struct Skin {
    character: Entity,
}

/// A rig whose joints are found.
#[derive(Component, Debug)]
pub struct Bound {
    binding: Binding,
    joints: Vec<Entity>,
}

/// New mannequins take what hangs in the wardrobe.
fn cast(
    mut commands: Commands,
    wardrobe: Res<CharacterAssets>,
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

/// The look that a skin came with, while it is a ghost's.
#[derive(Component, Debug)]
struct Usual(Handle<StandardMaterial>);

/// Skins are as see-through as their characters.
fn thin(
    mut commands: Commands,
    characters: Query<&Mannequin>,
    changed: Query<(), Or<(Changed<Mannequin>, Added<Bound>)>>,
    skins: Query<(Entity, &Skin)>,
    children: Query<&Children>,
    mut painted: Query<(&mut MeshMaterial3d<StandardMaterial>, Option<&Usual>)>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    for (top, skin) in &skins {
        let Ok(mannequin) = characters.get(skin.character) else {
            continue;
        };
        if !changed.contains(skin.character) {
            continue;
        }
        for part in children.iter_descendants(top) {
            let Ok((mut material, usual)) = painted.get_mut(part) else {
                continue;
            };
            let own = usual.map_or_else(|| material.0.clone(), |usual| usual.0.clone());
            if mannequin.opacity >= 1.0 {
                if usual.is_some() {
                    material.0 = own;
                    commands.entity(part).remove::<Usual>();
                }
                continue;
            }
            let Some(mut look) = materials.get(&own).cloned() else {
                continue;
            };
            let alpha = look.base_color.alpha() * mannequin.opacity;
            look.base_color.set_alpha(alpha);
            look.alpha_mode = AlphaMode::Blend;
            material.0 = materials.add(look);
            commands.entity(part).insert(Usual(own));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skin_is_a_ghost_while_its_character_is_one() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, AssetPlugin::default()))
            .init_asset::<StandardMaterial>()
            .add_systems(Update, thin);
        let mut materials = app.world_mut().resource_mut::<Assets<StandardMaterial>>();
        let own = materials.add(StandardMaterial::from(Color::srgba(1.0, 0.0, 0.0, 0.8)));
        let body = Mannequin::new(Color::WHITE);
        let character = app.world_mut().spawn(body).id();
        let top = app
            .world_mut()
            .spawn((Skin { character }, ChildOf(character)))
            .id();
        let part = app
            .world_mut()
            .spawn((MeshMaterial3d(own.clone()), ChildOf(top)))
            .id();
        let beside = app
            .world_mut()
            .spawn((MeshMaterial3d(own.clone()), ChildOf(character)))
            .id();
        let look = |app: &mut App, entity: Entity, opacity: f32| {
            let mut body = app.world_mut().get_mut::<Mannequin>(character).unwrap();
            body.opacity = opacity;
            app.update();
            let world = app.world();
            let worn = world
                .get::<MeshMaterial3d<StandardMaterial>>(entity)
                .unwrap();
            let materials = world.resource::<Assets<StandardMaterial>>();
            (worn.0.clone(), materials.get(&worn.0).unwrap().clone())
        };
        let (_, ghost) = look(&mut app, part, 0.5);
        assert!((ghost.base_color.alpha() - 0.4).abs() < 1e-6);
        assert_eq!(ghost.alpha_mode, AlphaMode::Blend);
        let (_, paler) = look(&mut app, part, 0.25);
        assert!((paler.base_color.alpha() - 0.2).abs() < 1e-6);
        assert_eq!(look(&mut app, beside, 0.25).0, own, "trails stay");
        assert_eq!(look(&mut app, part, 1.0).0, own);
    }
}
