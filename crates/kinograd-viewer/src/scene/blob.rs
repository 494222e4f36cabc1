//! A dark spot under each character, where there are no shadows.

use std::f32::consts::TAU;

use bevy::prelude::*;
use kinograd_bevy::{Mannequin, Pose};

use super::ground::FlatMesh;
use super::look;

/// Radius of the spot, metres.
const RADIUS_M: f32 = 0.42;

/// The spot under a character.
#[derive(Component, Debug, Clone, Copy)]
pub struct Blob {
    character: Entity,
}

/// The look of all spots.
#[derive(Debug, Clone)]
pub struct Spot(Handle<Mesh>, Handle<StandardMaterial>);

/// A disc that fades to its rim.
fn spot() -> Mesh {
    let mut mesh = FlatMesh::default();
    let at = |step: i32| RADIUS_M * Vec2::from_angle(TAU * step as f32 / 24.0);
    for step in 0..24 {
        let corners = [Vec2::ZERO, at(step), at(step + 1), Vec2::ZERO];
        mesh.quad(corners, 0.004, LinearRgba::BLACK, [0.45, 0.0, 0.0, 0.45]);
    }
    mesh.mesh()
}

/// New characters get a spot, and spots go with their characters.
pub fn add(
    mut commands: Commands,
    new: Query<(Entity, &Mannequin), Added<Pose>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    mut shared: Local<Option<Spot>>,
) {
    for (character, _) in &new {
        let Spot(mesh, material) = shared.get_or_insert_with(|| {
            let paint = look::flat(Color::WHITE);
            Spot(meshes.add(spot()), materials.add(paint))
        });
        commands.spawn((
            Blob { character },
            Mesh3d(mesh.clone()),
            MeshMaterial3d(material.clone()),
            ChildOf(character),
        ));
    }
}

/// Spots lie under their characters' roots.
pub fn follow(poses: Query<&Pose>, mut blobs: Query<(&Blob, &mut Transform)>) {
    for (blob, mut place) in &mut blobs {
        if let Ok(pose) = poses.get(blob.character) {
            let at = pose.root_m.with_y(0.0);
            if place.translation != at {
                place.translation = at;
            }
        }
    }
}
