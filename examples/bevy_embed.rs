//! A game: click on the floor and the person walks there, round the crates.
//!
//! `cargo run --profile viewer -p kinograd-viewer --example bevy_embed`

use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use kinograd_viewer::{
    CharacterPlugin, KinogradPlugin, Mannequin, MotionFailed, MotionPlayer, MotionReady,
    MotionRequest, Pose, camera,
};

/// Centre `(x, z)` and radius of what is walked round, metres.
const CRATES: [([f32; 2], f32); 3] = [([1.2, 2.2], 0.6), ([-1.0, 3.2], 0.6), ([0.4, -1.8], 0.6)];
/// A relaxed walk, m/s.
const SPEED_MPS: f32 = 1.1;

/// Where the next clip starts: clips begin at their own origin, facing +Z.
#[derive(Component)]
struct NextStart(Transform);

fn main() -> AppExit {
    App::new()
        .add_plugins((DefaultPlugins, KinogradPlugin::default(), CharacterPlugin))
        .add_systems(Startup, set_up)
        .add_systems(Update, click)
        .add_observer(go)
        .add_observer(complain)
        .run()
}

fn set_up(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    commands.spawn((
        Mannequin::new(Color::srgb(0.93, 0.56, 0.30)),
        NextStart(Transform::IDENTITY),
        // The first clip: standing until the first click.
        MotionRequest::new("a person stands still", 3.0),
    ));
    commands.spawn((
        Mesh3d(meshes.add(Plane3d::default().mesh().size(20.0, 20.0))),
        MeshMaterial3d(materials.add(Color::srgb(0.55, 0.60, 0.55))),
    ));
    for ([x, z], radius) in CRATES {
        // The circle to keep out of is drawn round the crate's corners.
        let side = radius * std::f32::consts::SQRT_2;
        commands.spawn((
            Mesh3d(meshes.add(Cuboid::new(side, 0.7, side))),
            MeshMaterial3d(materials.add(Color::srgb(0.62, 0.45, 0.28))),
            Transform::from_xyz(x, 0.35, z),
        ));
    }
    commands.spawn((
        DirectionalLight {
            shadow_maps_enabled: true,
            ..default()
        },
        Transform::from_xyz(-3.0, 6.0, 2.0).looking_at(Vec3::ZERO, Vec3::Y),
    ));
    commands.spawn((
        Camera3d::default(),
        Transform::from_xyz(-5.0, 5.0, 7.0).looking_at(Vec3::new(0.0, 0.5, 1.0), Vec3::Y),
    ));
}

/// A click asks for a walk from where the person is.
fn click(
    mut commands: Commands,
    buttons: Res<ButtonInput<MouseButton>>,
    window: Single<&Window, With<PrimaryWindow>>,
    eye: Single<(&Camera, &GlobalTransform)>,
    person: Query<(Entity, &Pose, &Transform), With<Mannequin>>,
) {
    let (Ok((entity, pose, start)), Some(cursor)) = (person.single(), window.cursor_position())
    else {
        return;
    };
    let (camera, place) = *eye;
    let ray = camera.viewport_to_world(place, cursor).ok();
    let (true, Some(floor)) = (
        buttons.just_pressed(MouseButton::Left),
        ray.and_then(camera::on_floor),
    ) else {
        return;
    };
    let next = standing(pose, start);
    let into_clip = |p: Vec2| {
        let local = next
            .to_matrix()
            .inverse()
            .transform_point3(Vec3::new(p.x, 0.0, p.y));
        [local.x, local.z]
    };
    let distance = floor.distance(next.translation.xz());
    let seconds = f64::from((distance / SPEED_MPS).clamp(2.0, 10.0));
    let mut request = MotionRequest::walk_to("a person walks forward", into_clip(floor), seconds);
    for (center, radius) in CRATES {
        request = request.round(into_clip(Vec2::from_array(center)), radius);
    }
    commands.entity(entity).insert((request, NextStart(next)));
}

/// Where the person stands and which way they face, as the origin of a clip.
fn standing(pose: &Pose, start: &Transform) -> Transform {
    let root = start.transform_point(pose.root_m);
    let facing = start.rotation * pose.local[0] * Vec3::Z;
    let yaw = facing.x.atan2(facing.z);
    Transform::from_translation(root.with_y(0.0)).with_rotation(Quat::from_rotation_y(yaw))
}

/// The clip is there: walk.
fn go(ready: On<MotionReady>, mut commands: Commands, starts: Query<&NextStart>) {
    if let Ok(NextStart(start)) = starts.get(ready.entity) {
        let mut player = MotionPlayer::new(ready.clip.clone());
        player.looping = false;
        commands.entity(ready.entity).insert((player, *start));
    }
}

/// Such as a click into a crate.
fn complain(failed: On<MotionFailed>) {
    warn!("{}", failed.error);
}
