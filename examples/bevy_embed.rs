//! A game: click on the floor and the person walks there, round the crates.
//!
//! `cargo run --profile viewer -p kinograd-bevy --example bevy_embed`

use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use kinograd_bevy::{
    CharacterPlugin, Fade, KinogradPlugin, Mannequin, MotionClip, MotionFailed, MotionPlayer,
    MotionReady, MotionRequest, Pose, edit,
};

/// Centre `(x, z)` and radius of what is walked round, metres.
const CRATES: [([f32; 2], f32); 3] = [([1.2, 2.2], 0.6), ([-1.0, 3.2], 0.6), ([0.4, -1.8], 0.6)];
/// A relaxed walk, m/s.
const SPEED_MPS: f32 = 1.1;
/// How long a new clip may take: it begins where the person will be then, seconds.
const LEAD_SECS: f32 = 0.8;
/// How long one clip blends into the next, seconds.
const FADE_SECS: f32 = 0.3;

/// The walk that is being made.
#[derive(Component)]
struct Plan {
    /// Where it starts: clips begin at their own origin, facing +Z.
    start: Transform,
    /// When it takes over, seconds of the clip that is played now.
    at_secs: f32,
    /// The clip, once it is made.
    clip: Option<Handle<MotionClip>>,
}

/// Shows where the person goes.
#[derive(Component)]
struct Ring;

fn main() -> AppExit {
    let window = Window {
        title: "Click on the floor".to_owned(),
        ..default()
    };
    App::new()
        .add_plugins(DefaultPlugins.set(WindowPlugin {
            primary_window: Some(window),
            ..default()
        }))
        .add_plugins((KinogradPlugin::default(), CharacterPlugin))
        .insert_resource(GlobalAmbientLight {
            brightness: 400.0,
            ..default()
        })
        .add_systems(Startup, set_up)
        .add_systems(Update, (click, hand_over))
        .add_observer(keep)
        .add_observer(complain)
        .run()
}

fn set_up(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    let mut body = Mannequin::new(Color::srgb(0.93, 0.56, 0.30));
    body.shows_contacts = false;
    let plan = Plan {
        start: Transform::IDENTITY,
        at_secs: 0.0,
        clip: None,
    };
    // The first clip: standing until the first click.
    let stand = MotionRequest::new("a person stands still", 3.0);
    commands.spawn((body, plan, stand));
    commands.spawn((
        Mesh3d(meshes.add(Plane3d::default().mesh().size(40.0, 40.0))),
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
        Ring,
        Mesh3d(meshes.add(Annulus::new(0.18, 0.24))),
        MeshMaterial3d(materials.add(Color::srgb(0.09, 0.62, 0.42))),
        Transform::from_rotation(Quat::from_rotation_x(-std::f32::consts::FRAC_PI_2)),
        Visibility::Hidden,
    ));
    commands.spawn((
        DirectionalLight {
            shadow_maps_enabled: true,
            ..default()
        },
        Transform::from_xyz(-1.0, 6.0, 4.0).looking_at(Vec3::ZERO, Vec3::Y),
    ));
    commands.spawn((
        Camera3d::default(),
        Transform::from_xyz(-5.0, 5.0, 7.0).looking_at(Vec3::new(0.0, 0.5, 1.0), Vec3::Y),
    ));
}

/// A click asks for a walk from where the person will be when the clip is made.
fn click(
    mut commands: Commands,
    buttons: Res<ButtonInput<MouseButton>>,
    window: Single<&Window, With<PrimaryWindow>>,
    eye: Single<(&Camera, &GlobalTransform)>,
    clips: Res<Assets<MotionClip>>,
    person: Query<(Entity, &MotionPlayer, &Transform), Without<Ring>>,
    ring: Single<(&mut Transform, &mut Visibility), With<Ring>>,
) {
    let (camera, place) = *eye;
    let cursor = window.cursor_position();
    let ray = cursor.and_then(|cursor| camera.viewport_to_world(place, cursor).ok());
    let (true, Some(floor)) = (
        buttons.just_pressed(MouseButton::Left),
        ray.and_then(edit::on_floor),
    ) else {
        return;
    };
    let Ok((entity, player, transform)) = person.single() else {
        return;
    };
    let Some(clip) = clips.get(&player.clip) else {
        return;
    };
    let at_secs = (player.time_secs + LEAD_SECS).min(clip.duration_secs());
    let start = standing(&clip.pose(at_secs), transform);
    let into_clip = |p: Vec2| {
        let from_world = start.to_matrix().inverse();
        let local = from_world.transform_point3(Vec3::new(p.x, 0.0, p.y));
        [local.x, local.z]
    };
    let distance = floor.distance(start.translation.xz());
    let seconds = f64::from((distance / SPEED_MPS).clamp(2.0, 10.0));
    let mut request = MotionRequest::walk_to("a person walks forward", into_clip(floor), seconds);
    for (center, radius) in CRATES {
        request = request.round(into_clip(Vec2::from_array(center)), radius);
    }
    let plan = Plan {
        start,
        at_secs,
        clip: None,
    };
    commands.entity(entity).insert((request, plan));
    let (mut at, mut shown) = ring.into_inner();
    at.translation = Vec3::new(floor.x, 0.01, floor.y);
    *shown = Visibility::Visible;
}

/// Where a pose stands and which way it faces, as the origin of a clip.
fn standing(pose: &Pose, transform: &Transform) -> Transform {
    let root = transform.transform_point(pose.root_m);
    let facing = transform.rotation * pose.local[0] * Vec3::Z;
    let yaw = facing.x.atan2(facing.z);
    Transform::from_translation(root.with_y(0.0)).with_rotation(Quat::from_rotation_y(yaw))
}

/// The clip is there.
fn keep(ready: On<MotionReady>, mut plans: Query<&mut Plan>) {
    if let Ok(mut plan) = plans.get_mut(ready.entity) {
        plan.clip = Some(ready.clip.clone());
    }
}

/// The next clip takes over where it begins; until it is there the person stands and waits.
fn hand_over(
    mut commands: Commands,
    people: Query<(Entity, &Plan, &Transform, Option<&Pose>)>,
    mut players: Query<&mut MotionPlayer>,
) {
    for (entity, plan, transform, pose) in &people {
        if let Ok(mut player) = players.get_mut(entity) {
            if player.playing && player.time_secs < plan.at_secs {
                continue;
            }
            player.playing = false;
        }
        let Some(clip) = &plan.clip else {
            continue;
        };
        let mut player = MotionPlayer::new(clip.clone());
        player.looping = false;
        let mut person = commands.entity(entity);
        person.insert((player, plan.start)).remove::<Plan>();
        if let Some(pose) = pose {
            person.insert(Fade::new(pose, transform, &plan.start, FADE_SECS));
        }
    }
}

/// Such as a click into a crate.
fn complain(
    failed: On<MotionFailed>,
    mut commands: Commands,
    mut players: Query<&mut MotionPlayer>,
    mut ring: Single<&mut Visibility, With<Ring>>,
) {
    warn!("{}", failed.error);
    commands.entity(failed.entity).remove::<Plan>();
    // Who waited for it goes on.
    if let Ok(mut player) = players.get_mut(failed.entity) {
        player.playing = true;
    }
    **ring = Visibility::Hidden;
}
