//! The part of a window between its panels: a picture of the stage, drawn anew only when it changes.

use std::time::{Duration, Instant};

use bevy::camera::RenderTarget;
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureFormat};
use bevy::window::PrimaryWindow;
use bevy_panorbit_camera::{ActiveCameraData, PanOrbitCamera};
use kinograd_bevy::Pose;

use crate::quality::Quality;

/// Pictures go on for so long after the last change: shaders may still be compiled.
const AFTERGLOW: Duration = Duration::from_millis(600);

/// Where the stage is seen, and in what.
#[derive(Resource, Debug)]
pub struct Canvas {
    /// What the camera draws to.
    pub image: Handle<Image>,
    /// Where the window shows it, logical pixels.
    pub rect: Rect,
    /// Physical pixels per logical one.
    pub scale: f32,
    /// Whether the pointer is over it and over nothing that lies on it.
    pub is_hovered: bool,
    last_change: Instant,
}

impl FromWorld for Canvas {
    fn from_world(world: &mut World) -> Self {
        let image = Image::new_target_texture(64, 64, TextureFormat::Bgra8UnormSrgb, None);
        Self {
            image: world.resource_mut::<Assets<Image>>().add(image),
            rect: Rect::new(0.0, 0.0, 64.0, 64.0),
            scale: 1.0,
            is_hovered: false,
            last_change: Instant::now(),
        }
    }
}

impl Canvas {
    /// Where a point of the window lies in an image of a size, pixels.
    #[must_use]
    pub fn in_image(&self, cursor: Vec2, image: Vec2) -> Vec2 {
        (cursor - self.rect.min) / self.rect.size().max(Vec2::ONE) * image
    }
}

/// Draws the stage between the panels of a window. Wants [`crate::CameraPlugin`].
#[derive(Debug, Default)]
pub struct CanvasPlugin;

impl Plugin for CanvasPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Canvas>()
            .init_resource::<Quality>()
            .add_systems(PreUpdate, fit)
            .add_systems(
                PostUpdate,
                (hand_to_camera, rest).before(bevy_panorbit_camera::PanOrbitCameraSystemSet),
            );
    }
}

/// The camera draws to the canvas, in the size that the window shows.
fn fit(
    mut commands: Commands,
    mut canvas: ResMut<Canvas>,
    quality: Res<Quality>,
    mut images: ResMut<Assets<Image>>,
    cameras: Query<Entity, Added<PanOrbitCamera>>,
) {
    for camera in &cameras {
        let target = RenderTarget::from(canvas.image.clone());
        commands.entity(camera).insert(target);
    }
    let shown = canvas.rect.size() * canvas.scale;
    let size = quality.drawn_size(shown.x, shown.y);
    let is_other = |image: &Image| image.size() != size;
    if images.get(&canvas.image).is_some_and(is_other)
        && let Some(image) = images.get_mut(&canvas.image)
    {
        image.into_inner().resize(Extent3d {
            width: size.x,
            height: size.y,
            depth_or_array_layers: 1,
        });
        canvas.last_change = Instant::now();
    }
}

/// Mouse and wheel turn the camera when they begin over the canvas.
fn hand_to_camera(
    canvas: Res<Canvas>,
    mut active: ResMut<ActiveCameraData>,
    cameras: Query<Entity, With<PanOrbitCamera>>,
    buttons: Res<ButtonInput<MouseButton>>,
    windows: Query<&Window, With<PrimaryWindow>>,
) {
    let held = buttons
        .get_pressed()
        .any(|button| !buttons.just_pressed(*button));
    if held {
        return;
    }
    let window = windows.single().ok();
    active.set_if_neq(ActiveCameraData {
        entity: cameras.single().ok().filter(|_| canvas.is_hovered),
        viewport_size: Some(canvas.rect.size()),
        window_size: window.map(|window| Vec2::new(window.width(), window.height())),
        manual: true,
    });
}

/// What is seen has changed.
type Seen = Or<(
    Changed<Pose>,
    Changed<MeshMaterial3d<StandardMaterial>>,
    Changed<Mesh3d>,
    Changed<Visibility>,
)>;

/// The camera rests while nothing changes: the picture stays.
#[expect(clippy::too_many_arguments, reason = "all that may change a picture")]
fn rest(
    mut canvas: ResMut<Canvas>,
    mut cameras: Query<(&mut Camera, &Transform, &PanOrbitCamera)>,
    seen: Query<(), Seen>,
    moved: Query<(), (Changed<Transform>, Without<PanOrbitCamera>)>,
    mut gone: RemovedComponents<Mesh3d>,
    mut meshes: MessageReader<AssetEvent<Mesh>>,
    mut materials: MessageReader<AssetEvent<StandardMaterial>>,
    mut images: MessageReader<AssetEvent<Image>>,
    mut before: Local<Transform>,
) {
    let mut has_changed = !seen.is_empty() || !moved.is_empty();
    // All of them are read, whatever the first says.
    has_changed |= gone.read().count() > 0;
    has_changed |= meshes.read().count() > 0;
    has_changed |= materials.read().count() > 0;
    has_changed |= images.read().count() > 0;
    for (_, place, orbit) in &cameras {
        let is_turning = orbit.yaw != Some(orbit.target_yaw)
            || orbit.pitch != Some(orbit.target_pitch)
            || orbit.radius != Some(orbit.target_radius)
            || orbit.focus != orbit.target_focus;
        has_changed |= is_turning || *before != *place;
        *before = *place;
    }
    if has_changed {
        canvas.last_change = Instant::now();
    }
    let draws = canvas.last_change.elapsed() < AFTERGLOW;
    for (mut camera, ..) in &mut cameras {
        if camera.is_active != draws {
            camera.is_active = draws;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, AssetPlugin::default()))
            .init_asset::<Image>()
            .init_asset::<Mesh>()
            .init_asset::<StandardMaterial>()
            .init_resource::<ActiveCameraData>()
            .init_resource::<ButtonInput<MouseButton>>()
            .insert_resource(Quality::Low)
            .add_plugins(CanvasPlugin);
        app.world_mut().spawn((
            Camera::default(),
            Transform::default(),
            PanOrbitCamera::default(),
        ));
        app
    }

    #[test]
    fn the_picture_has_the_place_between_the_panels_and_few_pixels() {
        let mut app = app();
        let mut canvas = app.world_mut().resource_mut::<Canvas>();
        canvas.rect = Rect::new(200.0, 0.0, 1200.0, 800.0);
        canvas.scale = 2.0;
        let in_image = canvas.in_image(Vec2::new(700.0, 200.0), Vec2::new(600.0, 400.0));
        assert_eq!(in_image, Vec2::new(300.0, 100.0));
        app.update();
        let world = app.world();
        let image = world.resource::<Canvas>().image.clone();
        let image = world.resource::<Assets<Image>>().get(&image).unwrap();
        assert_eq!(image.size(), Quality::Low.drawn_size(2000.0, 1600.0));
    }

    #[test]
    fn the_camera_rests_until_something_changes() {
        let mut app = app();
        let is_active = |app: &mut App| {
            let world = app.world_mut();
            let mut cameras = world.query::<(&Camera, &PanOrbitCamera)>();
            cameras.single(world).unwrap().0.is_active
        };
        {
            // Without the plugin that turns it, the camera has not yet arrived.
            let world = app.world_mut();
            let mut cameras = world.query::<&mut PanOrbitCamera>();
            let mut camera = cameras.single_mut(world).unwrap();
            camera.yaw = Some(camera.target_yaw);
            camera.pitch = Some(camera.target_pitch);
            camera.radius = Some(camera.target_radius);
            camera.focus = camera.target_focus;
        }
        // What was set up is told as changed for two updates.
        for _ in 0..3 {
            app.update();
        }
        assert!(is_active(&mut app));
        std::thread::sleep(AFTERGLOW);
        app.update();
        assert!(!is_active(&mut app));
        app.world_mut().spawn(Transform::default());
        app.update();
        assert!(is_active(&mut app));
    }
}
