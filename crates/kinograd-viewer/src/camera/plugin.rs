//! Orbit, follow and top view in a window.

use bevy::light::CascadeShadowConfig;
use bevy::prelude::*;
use bevy_panorbit_camera::{PanOrbitCamera, PanOrbitCameraPlugin};
use kinograd_bevy::{MotionClip, MotionPlayer, PlayerSystems, Pose};

use super::framing::{FOV_RAD, VIEW, View, body_points, frame_points};
use super::mode::{CameraMode, FrameAll};
use crate::quality::Quality;
use crate::scene::{Sun, shadows, sky_light};
use crate::steer::SteerSystems;

/// Orbit, pan, zoom, follow and top view for a window.
#[derive(Debug, Default)]
pub struct CameraPlugin;

impl Plugin for CameraPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(PanOrbitCameraPlugin)
            .init_resource::<CameraMode>()
            .init_resource::<Quality>()
            .add_message::<FrameAll>()
            .add_systems(Startup, open_eye)
            .add_systems(
                Update,
                (turn_to_mode, frame_all, follow, clear_haze)
                    .chain()
                    .after(PlayerSystems::Pose)
                    .after(SteerSystems),
            );
    }
}

/// The projection of all pictures.
#[must_use]
pub fn projection() -> Projection {
    Projection::Perspective(PerspectiveProjection {
        fov: FOV_RAD,
        ..default()
    })
}

/// Floor far beyond what the camera looks at, from so many metres, runs into the sky.
#[must_use]
pub fn haze(distance_m: f32) -> DistanceFog {
    DistanceFog {
        color: crate::scene::look::HAZE,
        falloff: FogFalloff::Linear {
            start: 1.4 * distance_m + 2.0,
            end: 3.2 * distance_m + 14.0,
        },
        ..default()
    }
}

fn open_eye(mut commands: Commands, mut images: ResMut<Assets<Image>>, quality: Res<Quality>) {
    let shot = frame_points(
        &[
            Vec3::ZERO,
            Vec3::new(0.0, 1.8, 0.0),
            Vec3::new(1.0, 0.0, 3.0),
        ],
        VIEW,
        1.5,
        0.2,
    );
    let mut camera = commands.spawn((
        Camera3d::default(),
        projection(),
        shot.transform(),
        PanOrbitCamera {
            focus: shot.focus,
            radius: Some(shot.distance),
            button_orbit: MouseButton::Right,
            button_pan: MouseButton::Middle,
            modifier_pan: None,
            pitch_lower_limit: Some(0.02),
            zoom_lower_limit: 0.6,
            zoom_upper_limit: Some(400.0),
            ..default()
        },
    ));
    match *quality {
        Quality::Low => camera.insert(Msaa::Off),
        Quality::High => {
            camera.insert((haze(shot.distance), sky_light(&mut images), Msaa::Sample4))
        }
    };
}

/// What has to be seen: every character along its way, and what the scene holds.
fn points_of_interest(
    players: &Query<(&MotionPlayer, &Transform), Without<PanOrbitCamera>>,
    clips: &Assets<MotionClip>,
    stage: Option<&crate::scene::Stage>,
) -> Vec<Vec3> {
    let mut points = Vec::new();
    for (player, place) in players {
        if let Some(clip) = clips.get(&player.clip) {
            for joints in clip.joints_m.iter().step_by(5) {
                points.extend(body_points(joints, place.translation));
            }
        }
    }
    if let Some(stage) = stage
        && let Some(scene) = &stage.scene
    {
        for lane in &stage.lanes_m {
            let marks = crate::scene::marks::extent(scene);
            points.extend(marks.into_iter().map(|at| *lane + at));
        }
    }
    points
}

fn frame_all(
    mut asked: MessageReader<FrameAll>,
    mut cameras: Query<(&mut PanOrbitCamera, &Camera)>,
    players: Query<(&MotionPlayer, &Transform), Without<PanOrbitCamera>>,
    clips: Res<Assets<MotionClip>>,
    stage: Option<Res<crate::scene::Stage>>,
    mode: Res<CameraMode>,
    mut waits: Local<u8>,
) {
    // What is new in this update has its place only two updates later.
    if asked.read().count() > 0 {
        *waits = 4;
    }
    *waits = waits.saturating_sub(1);
    if *waits != 1 {
        return;
    }
    let points = points_of_interest(&players, &clips, stage.as_deref());
    for (mut camera, lens) in &mut cameras {
        let size = lens
            .logical_viewport_size()
            .unwrap_or(Vec2::new(1600.0, 1000.0));
        let aspect = size.x / size.y.max(1.0);
        let view = if mode.is_top { View::TOP } else { VIEW };
        let shot = frame_points(&points, view, aspect, 0.12);
        camera.target_focus = shot.focus;
        camera.target_radius = shot.distance;
        camera.target_yaw = view.yaw_rad;
        camera.target_pitch = view.pitch_rad;
        camera.force_update = true;
    }
}

fn turn_to_mode(
    mode: Res<CameraMode>,
    mut asked: MessageWriter<FrameAll>,
    mut was_top: Local<bool>,
) {
    if mode.is_top != *was_top {
        *was_top = mode.is_top;
        asked.write(FrameAll);
    }
}

/// The haze keeps its distance, and the shadows their sharpness.
fn clear_haze(
    mut cameras: Query<(&PanOrbitCamera, Option<&mut DistanceFog>)>,
    mut suns: Query<&mut CascadeShadowConfig, With<Sun>>,
    mut last: Local<f32>,
) {
    for (camera, fog) in &mut cameras {
        let distance = camera.radius.unwrap_or(camera.target_radius);
        if (distance - *last).abs() > 0.02 * distance {
            *last = distance;
            if let Some(mut fog) = fog {
                *fog = haze(distance);
            }
            for mut sun in &mut suns {
                *sun = shadows(distance);
            }
        }
    }
}

fn follow(
    mode: Res<CameraMode>,
    mut cameras: Query<&mut PanOrbitCamera>,
    posed: Query<(&Pose, &Transform), (With<MotionPlayer>, Without<PanOrbitCamera>)>,
) {
    if !mode.follows {
        return;
    }
    let Some((pose, place)) = posed.iter().next() else {
        return;
    };
    for mut camera in &mut cameras {
        let focus = place.translation + pose.root_m.with_y(0.9);
        if camera.target_focus != focus {
            camera.target_focus = focus;
            camera.force_update = true;
        }
    }
}
