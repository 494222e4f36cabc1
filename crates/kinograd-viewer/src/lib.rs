//! Shows motion and steers it, as Bevy plugins: for the `kinograd-viewer` window, for pictures and films
//! without a window, and for games.
//!
//! - [`KinogradPlugin`] for games: [`MotionClip`] assets, [`MotionPlayer`]s and [`MotionRequest`]s, with or
//!   without rendering; [`CharacterPlugin`] adds mannequins.
//! - [`render`] and [`Studio`] draw clips to PNG, GIF, MP4 or folders without a window.
//! - [`view`] opens the window; every part of it is a plugin of its own: [`CharacterPlugin`],
//!   [`ScenePlugin`], [`PlaybackPlugin`], [`CameraPlugin`], [`CanvasPlugin`], [`DenoisingPlugin`], [`SteerPlugin`],
//!   [`ComparePlugin`], [`LibraryPlugin`] and [`UiPlugin`].
//!
//! World: metres, Y up; a clip starts at the origin facing +Z, left is +X. Motion itself is computed by the
//! `kinograd` crate.

#![expect(clippy::type_complexity, reason = "a system's queries are its types")]

mod any_file;
mod bench;
pub mod camera;
mod canvas;
mod compare;
mod denoising;
mod lanes;
mod library;
mod offscreen;
mod playback;
mod quality;
pub mod scene;
mod steer;
mod ui;
mod viewer;

pub use bench::{BenchChoice, BenchRun, compared_jobs};
pub use camera::CameraPlugin;
pub use canvas::{Canvas, CanvasPlugin};
pub use compare::{
    Compare, CompareClips, CompareMethods, ComparePlugin, ComparedJob, Numbers, Row, numbers,
};
pub use denoising::{Denoising, DenoisingPlugin};
pub use lanes::lanes;
pub use library::{
    ComparisonSlot, Library, LibraryPlugin, OpenFile, OpenedBench, is_bench, shelve,
};
pub use offscreen::{
    Adapter, NoAdapter, OffscreenOptions, Picture, RenderError, Studio, StudioError, adapters,
    render, render_steps,
};
pub use playback::{Playback, PlaybackPlugin};
pub use quality::Quality;
pub use scene::ScenePlugin;
pub use steer::{
    DragState, Status, Steer, SteerPlugin, SteerSystems, Steered, hold, load_scene, read_hand,
    save_clip, save_scene,
};
pub use ui::{Panels, UiPlugin};
pub use viewer::{NoWindow, ViewerOptions, add_viewer, example, view};
