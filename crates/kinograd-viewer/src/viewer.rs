//! The window: all plugins together.

use std::path::PathBuf;

use bevy::light::DirectionalLightShadowMap;
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::window::{Monitor, PrimaryWindow};
use kinograd::TaskSpec;
use kinograd::runtime::EngineOptions;
use kinograd_bevy::{
    CharacterAssets, CharacterPlugin, ClipPlugin, Generation, PlayerPlugin, Rig, RigPlugin, edit,
};

use crate::any_file::any_file;
use crate::camera::{CameraPlugin, FrameAll};
use crate::canvas::CanvasPlugin;
use crate::compare::ComparePlugin;
use crate::denoising::DenoisingPlugin;
use crate::library::{Library, LibraryPlugin, OpenFile, is_bench};
use crate::offscreen::{NoAdapter, adapters};
use crate::playback::PlaybackPlugin;
use crate::quality::Quality;
use crate::scene::{ScenePlugin, Stage};
use crate::steer::{Steer, SteerPlugin};
use crate::ui::UiPlugin;

/// What a window starts with.
#[derive(Debug, Clone, Default)]
pub struct ViewerOptions {
    /// Clips and scenes to open.
    pub files: Vec<PathBuf>,
    /// The scene to steer; an example if neither this nor a clip is given.
    pub scene: Option<TaskSpec>,
    /// The model package, by name or folder.
    pub model: String,
    /// The engine that runs it.
    pub engine: EngineOptions,
    /// Whether clips stand in one place, the later ones as ghosts.
    pub overlays: bool,
    /// What characters wear in place of the mannequin's body.
    pub character: Option<Rig>,
    /// How much work drawing is; what suits the adapter if `None`.
    pub quality: Option<Quality>,
    /// Width and height of the window, pixels.
    pub size_px: Option<(u32, u32)>,
}

/// Why there is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoWindow {
    /// There is nothing to draw with.
    #[error(transparent)]
    NoAdapter(#[from] NoAdapter),
    /// There is nothing to show a window on.
    #[error(
        "no window can be opened on the display `{display}` (DISPLAY); `kinograd-viewer render` draws \
         without one"
    )]
    NoDisplay {
        /// What DISPLAY says.
        display: String,
    },
}

/// Opens the window and stays until it is closed.
///
/// # Errors
/// [`NoWindow`] if there is nothing to draw with, or on.
pub fn view(options: ViewerOptions) -> Result<AppExit, NoWindow> {
    let display = std::env::var("DISPLAY").unwrap_or_default();
    if cfg!(target_os = "linux") && display.is_empty() {
        return Err(NoWindow::NoDisplay { display });
    }
    let found = adapters()?;
    let quality = options.quality.unwrap_or_else(|| Quality::of(&found));
    let mut app = App::new();
    app.insert_resource(quality);
    if options.size_px.is_none() {
        app.add_systems(Update, fit_to_screen);
    }
    let plugins = DefaultPlugins
        .set(WindowPlugin {
            primary_window: Some(Window {
                title: "Kinograd".to_owned(),
                resolution: options.size_px.unwrap_or((1440, 860)).into(),
                ..default()
            }),
            ..default()
        })
        .set(any_file())
        .set(LogPlugin {
            filter: "warn,kinograd=info".to_owned(),
            ..default()
        });
    if !builds(|| {
        app.add_plugins(plugins);
    }) {
        return Err(NoWindow::NoDisplay { display });
    }
    add_viewer(&mut app, options);
    if found.iter().all(|adapter| adapter.is_software) {
        app.insert_resource(DirectionalLightShadowMap { size: 1024 });
    }
    Ok(app.run())
}

/// Whether something is built: Bevy's windows panic where there is no display.
fn builds(build: impl FnOnce()) -> bool {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(build));
    std::panic::set_hook(usual);
    built.is_ok()
}

/// Adds everything of the window but the window to an app.
pub fn add_viewer(app: &mut App, options: ViewerOptions) {
    app.insert_resource(Generation::start(&options.model, options.engine.clone()))
        .add_plugins((
            ClipPlugin,
            PlayerPlugin,
            PlaybackPlugin,
            CharacterPlugin,
            RigPlugin,
            ScenePlugin,
        ))
        .add_plugins((
            CameraPlugin,
            CanvasPlugin,
            SteerPlugin,
            DenoisingPlugin,
            LibraryPlugin,
            ComparePlugin,
            UiPlugin,
        ));
    app.world_mut().resource_mut::<Library>().overlays = options.overlays;
    app.insert_resource(CharacterAssets(options.character.clone()));
    begin(app, options);
}

/// The first scene, and the first files.
fn begin(app: &mut App, options: ViewerOptions) {
    let has_clips = options
        .files
        .iter()
        .any(|file| file.extension().is_some_and(|end| end != "json") || is_bench(file));
    let mut steer = app.world_mut().resource_mut::<Steer>();
    match options.scene {
        Some(scene) => {
            steer.scene = scene;
            steer.make();
        }
        None if has_clips => {}
        None => {
            steer.scene = example();
            steer.make();
        }
    }
    let scene = steer.scene.clone();
    if !has_clips {
        app.world_mut().resource_mut::<Stage>().scene = Some(scene);
    }
    for file in options.files {
        app.world_mut().write_message(OpenFile(file));
    }
    app.world_mut().write_message(FrameAll);
}

/// Room that a screen's bars and a window's title take, pixels.
const BARS_PX: UVec2 = UVec2::new(16, 80);

/// Makes the window no larger than the screen it opens on; once, when the screens are known.
fn fit_to_screen(
    mut windows: Query<&mut Window, With<PrimaryWindow>>,
    monitors: Query<&Monitor>,
    mut done: Local<bool>,
) {
    if *done {
        return;
    }
    let sizes = monitors.iter();
    let smallest = sizes
        .map(|m| UVec2::new(m.physical_width, m.physical_height))
        .reduce(UVec2::min);
    let (Some(screen), Ok(mut window)) = (smallest, windows.single_mut()) else {
        return;
    };
    *done = true;
    let now = window.resolution.physical_size();
    let fits = now.min(screen.saturating_sub(BARS_PX)).max(UVec2::ONE);
    if fits != now {
        window.resolution.set_physical_resolution(fits.x, fits.y);
    }
}

/// A walk to a flag round a pillar: what a window without files begins with.
#[must_use]
pub fn example() -> TaskSpec {
    let mut scene = TaskSpec::new("a person walks forward", 5.0);
    edit::set_target(&mut scene, Vec2::new(1.2, 3.4));
    let pillar = kinograd::Obstacle::circle([0.6, 1.8], 0.45);
    scene.obstacles.push(pillar);
    scene
}
