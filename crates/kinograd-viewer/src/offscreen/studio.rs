//! An app without a window that takes pictures.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bevy::camera::RenderTarget;
use bevy::image::Image;
use bevy::light::CascadeShadowConfig;
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::render_resource::{PollType, TextureFormat, TextureUsages};
use bevy::render::renderer::RenderDevice;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use kinograd::TaskSpec;
use kinograd_bevy::{
    Bound, CharacterAssets, CharacterPlugin, ClipPlugin, Failure, Mannequin, MotionClip,
    MotionPlayer, PlayerPlugin, Rig, RigPlugin,
};

use super::adapter::{NoAdapter, adapters};
use super::picture::Picture;
use crate::any_file::any_file;
use crate::camera::{Shot, haze, projection};
use crate::quality::Quality;
use crate::scene::{ScenePlugin, Stage, StageSettings, Sun, shadows, sky_light};

/// A character that takes longer is not coming.
const LONGEST_LOAD: Duration = Duration::from_secs(30);
/// Updates after which a picture must have come back.
const PATIENCE: usize = 200;

/// A stage, a camera and a shutter.
///
/// ```no_run
/// use kinograd_bevy::MotionClip;
/// use kinograd_viewer::{Studio, camera};
///
/// let mut studio = Studio::open(1280, 720, true)?;
/// let walk = MotionClip::load("walk.glb".as_ref())?;
/// let points = camera::body_points(&walk.joints_m[0], bevy::math::Vec3::ZERO);
/// let person = studio.add_clip(walk, bevy::math::Vec3::ZERO, bevy::color::Color::WHITE, 1.0);
/// studio.set_time(person, 0.0);
/// studio.aim(camera::frame_points(&points, camera::VIEW, 16.0 / 9.0, 0.1));
/// studio.picture()?.write_png("walk.png".as_ref())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Studio {
    app: App,
    target: Handle<Image>,
    camera: Entity,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudioError {
    /// There is nothing to draw with.
    #[error(transparent)]
    NoAdapter(#[from] NoAdapter),
    /// The renderer did not answer.
    #[error("the renderer returned no picture after {PATIENCE} frames")]
    NoPicture,
    /// A character cannot be drawn; in words.
    #[error("{0}")]
    Character(String),
    /// A size that no picture has.
    #[error("{width} x {height} pixels; each side must be from 16 to 8192")]
    Size {
        /// Width, pixels.
        width: u32,
        /// Height, pixels.
        height: u32,
    },
}

impl Studio {
    /// Sets up a stage and a camera for pictures of a size in pixels, with or without smoothed edges.
    ///
    /// # Errors
    /// [`StudioError::NoAdapter`] if there is nothing to draw with, [`StudioError::Size`].
    pub fn open(width: u32, height: u32, smooth: bool) -> Result<Self, StudioError> {
        Self::open_with(width, height, smooth, |_| {})
    }

    /// As [`Studio::open`], with plugins of one's own.
    ///
    /// # Errors
    /// As [`Studio::open`].
    pub fn open_with(
        width: u32,
        height: u32,
        smooth: bool,
        add: impl FnOnce(&mut App),
    ) -> Result<Self, StudioError> {
        if !(16..=8192).contains(&width) || !(16..=8192).contains(&height) {
            return Err(StudioError::Size { width, height });
        }
        adapters()?;
        let mut app = App::new();
        app.add_plugins(
            DefaultPlugins
                .set(WindowPlugin {
                    primary_window: None,
                    exit_condition: ExitCondition::DontExit,
                    ..default()
                })
                .set(RenderPlugin {
                    // Else the first dozen pictures are blank.
                    synchronous_pipeline_compilation: true,
                    ..default()
                })
                .set(any_file())
                .disable::<LogPlugin>()
                .disable::<PipelinedRenderingPlugin>()
                .disable::<WinitPlugin>(),
        );
        // Pictures are made once: they are worth the work, whatever draws.
        app.insert_resource(Quality::High);
        app.add_plugins((
            ClipPlugin,
            PlayerPlugin,
            CharacterPlugin,
            RigPlugin,
            ScenePlugin,
        ));
        add(&mut app);
        app.finish();
        app.cleanup();
        // The sun rises in the first update.
        app.update();
        let mut image =
            Image::new_target_texture(width, height, TextureFormat::Rgba8UnormSrgb, None);
        image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
        let target = app.world_mut().resource_mut::<Assets<Image>>().add(image);
        let sky = sky_light(&mut app.world_mut().resource_mut::<Assets<Image>>());
        let camera = app
            .world_mut()
            .spawn((
                Camera3d::default(),
                Camera {
                    is_active: false,
                    ..default()
                },
                RenderTarget::from(target.clone()),
                projection(),
                haze(8.0),
                sky,
                if smooth { Msaa::Sample4 } else { Msaa::Off },
                Transform::from_xyz(-4.0, 2.0, 6.0).looking_at(Vec3::Y, Vec3::Y),
            ))
            .id();
        Ok(Self {
            app,
            target,
            camera,
        })
    }

    /// The world, to look at or to add to.
    pub fn world_mut(&mut self) -> &mut World {
        self.app.world_mut()
    }

    /// Puts a clip on the stage, at a place, in a colour; an opacity below 1 makes a ghost.
    pub fn add_clip(&mut self, clip: MotionClip, at: Vec3, color: Color, opacity: f32) -> Entity {
        let handle = self
            .app
            .world_mut()
            .resource_mut::<Assets<MotionClip>>()
            .add(clip);
        self.add_player(handle, at, color, opacity)
    }

    /// As [`Studio::add_clip`], for a clip that is there already.
    pub fn add_player(
        &mut self,
        clip: Handle<MotionClip>,
        at: Vec3,
        color: Color,
        opacity: f32,
    ) -> Entity {
        let mut player = MotionPlayer::new(clip);
        player.playing = false;
        let mannequin = Mannequin {
            opacity,
            ..Mannequin::new(color)
        };
        let place = Transform::from_translation(at);
        self.app.world_mut().spawn((player, mannequin, place)).id()
    }

    /// Moves a character to a time of its clip, seconds.
    pub fn set_time(&mut self, character: Entity, time_secs: f32) {
        if let Some(mut player) = self.app.world_mut().get_mut::<MotionPlayer>(character) {
            player.time_secs = time_secs;
        }
    }

    /// Sets a scene up, once per place.
    pub fn set_scene(&mut self, scene: Option<TaskSpec>, lanes_m: Vec<Vec3>) {
        *self.app.world_mut().resource_mut::<Stage>() = Stage {
            scene,
            lanes_m,
            names: Vec::new(),
        };
    }

    /// What characters that are added from now on wear.
    pub fn wear(&mut self, rig: Option<Rig>) {
        *self.app.world_mut().resource_mut::<CharacterAssets>() = CharacterAssets(rig);
    }

    /// Whether ways and footprints are drawn.
    pub fn show_trails(&mut self, shows_trails: bool) {
        self.app
            .world_mut()
            .resource_mut::<StageSettings>()
            .shows_trails = shows_trails;
    }

    /// Points the camera.
    pub fn aim(&mut self, shot: Shot) {
        let world = self.app.world_mut();
        if let Ok(mut camera) = world.get_entity_mut(self.camera) {
            camera.insert((shot.transform(), haze(shot.distance)));
        }
        let mut suns = world.query_filtered::<&mut CascadeShadowConfig, With<Sun>>();
        for mut sun in suns.iter_mut(world) {
            *sun = shadows(shot.distance);
        }
    }

    /// Takes a picture.
    ///
    /// # Errors
    /// [`StudioError::NoPicture`] if the renderer does not answer.
    pub fn picture(&mut self) -> Result<Picture, StudioError> {
        // What was asked for since the last picture is spawned by this update and drawn by the next one.
        self.app.update();
        let caught: Arc<Mutex<Option<Image>>> = Arc::default();
        let catcher = caught.clone();
        self.app
            .world_mut()
            .spawn(Screenshot::image(self.target.clone()))
            .observe(move |captured: On<ScreenshotCaptured>| {
                if let Ok(mut slot) = catcher.lock() {
                    *slot = Some(captured.image.clone());
                }
            });
        self.open_shutter(true);
        self.app.update();
        self.open_shutter(false);
        for _ in 0..PATIENCE {
            self.wait_for_device();
            self.app.update();
            let image = caught.lock().ok().and_then(|mut slot| slot.take());
            if let Some(picture) = image.and_then(rgb_of) {
                return Ok(picture);
            }
        }
        Err(StudioError::NoPicture)
    }

    /// The camera draws only where a picture is taken: software rendering is slow.
    fn open_shutter(&mut self, is_open: bool) {
        if let Some(mut camera) = self.app.world_mut().get_mut::<Camera>(self.camera) {
            camera.is_active = is_open;
        }
    }

    fn wait_for_device(&self) {
        if let Some(device) = self.app.world().get_resource::<RenderDevice>() {
            // Nothing to wait for is as good as having waited.
            let _ = device.wgpu_device().poll(PollType::Wait {
                submission_index: None,
                timeout: None,
            });
        }
    }

    /// Waits until every character wears what it shall.
    ///
    /// # Errors
    /// [`StudioError::Character`] if one cannot.
    pub fn dress(&mut self) -> Result<(), StudioError> {
        let started = Instant::now();
        loop {
            self.app.update();
            let world = self.app.world_mut();
            if let Some(Failure(why)) = world.resource_mut::<Messages<Failure>>().drain().next() {
                return Err(StudioError::Character(why));
            }
            let mut bare = world.query_filtered::<&Rig, Without<Bound>>();
            let Some(rig) = bare.iter(world).next() else {
                return Ok(());
            };
            if started.elapsed() > LONGEST_LOAD {
                let path = rig.path.display();
                return Err(StudioError::Character(format!(
                    "{path}: it did not load as a GLB"
                )));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Goes on by one frame without a picture.
    pub fn update(&mut self) {
        self.app.update();
    }
}

fn rgb_of(image: Image) -> Option<Picture> {
    let (width, height) = (image.width(), image.height());
    let rgba = image.data?;
    let rgb: Vec<u8> = rgba
        .chunks_exact(4)
        .flat_map(|p| [p[0], p[1], p[2]])
        .collect();
    (rgb.len() == 3 * width as usize * height as usize).then_some(Picture { width, height, rgb })
}
