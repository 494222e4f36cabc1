//! The ways of joints through the air.

use std::f32::consts::TAU;

use bevy::asset::RenderAssetUsages;
use bevy::light::{NotShadowCaster, NotShadowReceiver};
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::platform::collections::HashMap;
use bevy::prelude::*;
use kinograd_bevy::{Mannequin, MotionClip, MotionPlayer};

use super::look;
use super::stage::StageSettings;

/// Thickness of a way, metres.
const RADIUS_M: f32 = 0.007;
/// Corners round a way.
const SIDES: usize = 5;

/// The way of a character's joint.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct JointWay {
    /// The character.
    pub character: Entity,
    /// The joint's index.
    pub joint: usize,
}

/// A tube along points, metres; `None` for fewer than two.
#[must_use]
pub fn tube(points: &[Vec3], radius_m: f32) -> Option<Mesh> {
    if points.len() < 2 {
        return None;
    }
    let (mut positions, mut normals, mut indices) = (Vec::new(), Vec::new(), Vec::<u32>::new());
    let mut side = Vec3::X;
    for (index, &at) in points.iter().enumerate() {
        let before = points[index.saturating_sub(1)];
        let after = points[(index + 1).min(points.len() - 1)];
        let along = (after - before).normalize_or(Vec3::Y);
        // Carried along, so that the tube does not twist.
        side = (side - along * side.dot(along)).normalize_or(along.any_orthonormal_vector());
        let up = along.cross(side);
        for corner in 0..SIDES {
            let (sin, cos) = (TAU * corner as f32 / SIDES as f32).sin_cos();
            let out = side * cos + up * sin;
            positions.push((at + out * radius_m).to_array());
            normals.push(out.to_array());
        }
        if index > 0 {
            let ring = ((index - 1) * SIDES) as u32;
            let sides = SIDES as u32;
            for corner in 0..sides {
                let next = (corner + 1) % sides;
                let [a, b] = [ring + corner, ring + next];
                indices.extend([a, b, b + sides, a, b + sides, a + sides]);
            }
        }
    }
    let mesh = Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
    .with_inserted_indices(Indices::U32(indices));
    Some(mesh)
}

/// The colour of a joint's way: left limbs bluish, right ones reddish, the middle grey.
fn color(joint: usize) -> Color {
    let name = kinograd::motion::JOINT_NAMES.get(joint).copied();
    let name = name.unwrap_or_default();
    if name.starts_with("left") {
        look::BODIES[1]
    } else if name.starts_with("right") {
        look::BODIES[6]
    } else {
        look::GRID
    }
}

/// Draws the ways that are asked for, and anew where a clip has changed.
#[expect(clippy::too_many_arguments, reason = "a system asks for what it uses")]
pub fn draw_ways(
    mut commands: Commands,
    settings: Res<StageSettings>,
    clips: Res<Assets<MotionClip>>,
    mut changes: MessageReader<AssetEvent<MotionClip>>,
    characters: Query<(Entity, &MotionPlayer), With<Mannequin>>,
    ways: Query<(Entity, &JointWay)>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    mut drawn: Local<HashMap<(Entity, usize), AssetId<MotionClip>>>,
) {
    let changed: Vec<AssetId<MotionClip>> = changes
        .read()
        .filter_map(|event| match event {
            AssetEvent::Added { id } | AssetEvent::Modified { id } => Some(*id),
            _ => None,
        })
        .collect();
    // What is out of date goes.
    let is_shown = |character: Entity, joint: usize, id: AssetId<MotionClip>| {
        let wears = characters
            .get(character)
            .map(|(_, player)| player.clip.id());
        settings.joints.contains(&joint) && wears == Ok(id) && !changed.contains(&id)
    };
    drawn.retain(|&(character, joint), id| is_shown(character, joint, *id));
    for (entity, way) in &ways {
        if !drawn.contains_key(&(way.character, way.joint)) {
            commands.entity(entity).despawn();
        }
    }
    for (character, player) in &characters {
        let Some(clip) = clips.get(&player.clip) else {
            continue;
        };
        for &joint in &settings.joints {
            if drawn.contains_key(&(character, joint)) {
                continue;
            }
            let places = clip.joints_m.iter().filter_map(|joints| joints.get(joint));
            let points: Vec<Vec3> = places.copied().collect();
            if let Some(mesh) = tube(&points, RADIUS_M) {
                commands.spawn((
                    JointWay { character, joint },
                    Mesh3d(meshes.add(mesh)),
                    MeshMaterial3d(materials.add(StandardMaterial {
                        unlit: true,
                        ..look::matte(color(joint))
                    })),
                    NotShadowCaster,
                    NotShadowReceiver,
                    ChildOf(character),
                ));
            }
            drawn.insert((character, joint), player.clip.id());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::synth_walk;

    #[test]
    fn a_tube_is_as_thick_as_it_should_be_along_its_line() {
        let points = [Vec3::ZERO, Vec3::Y, Vec3::new(0.0, 2.0, 0.0)];
        let mesh = tube(&points, 0.1).unwrap();
        let corners = mesh.attribute(Mesh::ATTRIBUTE_POSITION).unwrap();
        let corners = corners.as_float3().unwrap();
        assert_eq!(corners.len(), 3 * SIDES);
        assert!(
            corners
                .iter()
                .all(|p| (p[0].hypot(p[2]) - 0.1).abs() < 1e-6)
        );
        assert_eq!(mesh.indices().unwrap().len(), 2 * SIDES * 6);
        assert!(tube(&points[..1], 0.1).is_none());
        let still = tube(&[Vec3::ONE; 4], 0.1).unwrap();
        let corners = still.attribute(Mesh::ATTRIBUTE_POSITION).unwrap();
        let finite = |p: &[f32; 3]| p.iter().all(|v| v.is_finite());
        assert!(corners.as_float3().unwrap().iter().all(finite));
    }

    #[test]
    fn ways_come_and_go_with_the_settings_and_the_characters() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, AssetPlugin::default()))
            .init_asset::<MotionClip>()
            .init_asset::<Mesh>()
            .init_asset::<StandardMaterial>()
            .init_resource::<StageSettings>()
            .add_systems(Update, draw_ways);
        let walk = MotionClip::new("walk", synth_walk(1.2, 2.0, 20.0)).unwrap();
        let clip = app
            .world_mut()
            .resource_mut::<Assets<MotionClip>>()
            .add(walk);
        let body = Mannequin::new(Color::WHITE);
        let person = app.world_mut().spawn((MotionPlayer::new(clip), body)).id();
        let count = |app: &mut App| {
            app.update();
            app.update();
            let world = app.world_mut();
            world.query::<&JointWay>().iter(world).count()
        };
        assert_eq!(count(&mut app), 0);
        let ask = |app: &mut App, joints: &[usize]| {
            let mut settings = app.world_mut().resource_mut::<StageSettings>();
            settings.joints = joints.iter().copied().collect();
        };
        ask(&mut app, &[20, 21]);
        assert_eq!(count(&mut app), 2);
        ask(&mut app, &[21]);
        assert_eq!(count(&mut app), 1);
        app.world_mut().entity_mut(person).despawn();
        assert_eq!(count(&mut app), 0);
    }
}
