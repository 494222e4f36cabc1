//! Panels, keys and messages of the window.

mod clips;
mod help;
mod keys;
mod plots;
mod steering;
mod transport;

use std::collections::VecDeque;

use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiPlugin, EguiPrimaryContextPass, egui};

use crate::camera::{CameraMode, FrameAll};
use crate::compare::{Compare, CompareMethods};
use crate::denoising::Denoising;
use crate::library::{Failure, Library, OpenFile, Shelved};
use crate::playback::Playback;
use crate::player::MotionPlayer;
use crate::scene::StageSettings;
use crate::steer::{Steer, SteerSystems, read_hand};

/// The window's controls.
#[derive(Debug, Default)]
pub struct UiPlugin;

impl Plugin for UiPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(EguiPlugin::default())
            .init_resource::<Panels>()
            .add_systems(Update, (read_hand, keys::press).before(SteerSystems))
            .add_systems(Update, collect_failures)
            .add_systems(EguiPrimaryContextPass, draw);
    }
}

/// What the panels remember.
#[derive(Resource, Debug)]
pub struct Panels {
    /// Whether the list of keys is open.
    pub shows_help: bool,
    /// Where scenes are saved and opened.
    pub scene_path: String,
    /// Where clips are saved.
    pub clip_path: String,
    /// A file to open.
    pub open_path: String,
    /// What went wrong, the latest last.
    pub failures: VecDeque<String>,
    /// What was done, such as a file that was saved.
    pub notice: Option<String>,
}

impl Default for Panels {
    fn default() -> Self {
        Self {
            shows_help: false,
            scene_path: "scene.json".to_owned(),
            clip_path: "clip.glb".to_owned(),
            open_path: String::new(),
            failures: VecDeque::new(),
            notice: None,
        }
    }
}

impl Panels {
    /// Shows what came of an action.
    fn tell(&mut self, outcome: Result<String, String>) {
        match outcome {
            Ok(notice) => self.notice = Some(notice),
            Err(failure) => self.fail(failure),
        }
    }

    fn fail(&mut self, failure: String) {
        self.failures.push_back(failure);
        while self.failures.len() > 4 {
            self.failures.pop_front();
        }
    }
}

fn collect_failures(mut failures: MessageReader<Failure>, mut panels: ResMut<Panels>) {
    for Failure(text) in failures.read() {
        panels.fail(text.clone());
    }
}

/// Messages that the panels send.
#[derive(bevy::ecs::system::SystemParam)]
pub struct Orders<'w> {
    frame: MessageWriter<'w, FrameAll>,
    open: MessageWriter<'w, OpenFile>,
    compare: MessageWriter<'w, CompareMethods>,
}

#[expect(clippy::too_many_arguments, reason = "a system asks for what it shows")]
fn draw(
    mut contexts: EguiContexts,
    mut panels: ResMut<Panels>,
    mut playback: ResMut<Playback>,
    mut steer: ResMut<Steer>,
    mut denoising: ResMut<Denoising>,
    mut library: ResMut<Library>,
    mut mode: ResMut<CameraMode>,
    mut stage: ResMut<StageSettings>,
    compare: Res<Compare>,
    shelved: Query<(Entity, &Shelved, &MotionPlayer)>,
    mut commands: Commands,
    mut orders: Orders,
) -> Result {
    let ctx = contexts.ctx_mut()?.clone();
    // A change of these draws all trails anew.
    let mut shown = stage.clone();
    let mut root = egui::Ui::new(
        ctx.clone(),
        "window".into(),
        egui::UiBuilder::new()
            .layer_id(egui::LayerId::background())
            .max_rect(ctx.viewport_rect()),
    );
    egui::Panel::bottom("transport").show(&mut root, |ui| {
        transport::show(ui, &mut playback);
    });
    egui::Panel::left("clips")
        .resizable(true)
        .default_size(210.0)
        .show(&mut root, |ui| {
            egui::ScrollArea::vertical().show(ui, |ui| {
                clips::show(
                    ui,
                    &mut panels,
                    &mut library,
                    &mut mode,
                    &mut shown,
                    &shelved,
                    &mut commands,
                    &mut orders,
                );
            });
        });
    egui::Panel::right("steering")
        .resizable(true)
        .default_size(290.0)
        .show(&mut root, |ui| {
            egui::ScrollArea::vertical().show(ui, |ui| {
                steering::show(ui, &mut panels, &mut steer);
                ui.separator();
                plots::show(ui, &mut denoising);
                ui.separator();
                steering::compare(ui, &compare, &mut orders);
            });
        });
    stage.set_if_neq(shown);
    if panels.shows_help {
        help::show(&ctx, &mut panels);
    }
    show_messages(&ctx, &mut panels, &steer);
    Ok(())
}

/// Errors and notices over the picture, until they are read.
fn show_messages(ctx: &egui::Context, panels: &mut Panels, steer: &Steer) {
    let failed = match &steer.status {
        crate::steer::Status::Failed(error) => Some(error.as_str()),
        _ => None,
    };
    if panels.failures.is_empty()
        && panels.notice.is_none()
        && failed.is_none()
        && steer.notes.is_empty()
    {
        return;
    }
    egui::Area::new("messages".into())
        .anchor(egui::Align2::CENTER_TOP, [0.0, 12.0])
        .show(ctx, |ui| {
            egui::Frame::popup(ui.style()).show(ui, |ui| {
                ui.set_max_width(520.0);
                let red = egui::Color32::from_rgb(235, 110, 100);
                for failure in failed
                    .into_iter()
                    .chain(panels.failures.iter().map(String::as_str))
                {
                    ui.colored_label(red, failure);
                }
                for note in &steer.notes {
                    ui.colored_label(egui::Color32::from_rgb(230, 190, 90), note);
                }
                if let Some(notice) = &panels.notice {
                    ui.label(notice);
                }
                let has_own = !panels.failures.is_empty() || panels.notice.is_some();
                if has_own && ui.small_button("Dismiss").on_hover_text("Esc").clicked() {
                    panels.failures.clear();
                    panels.notice = None;
                }
            });
        });
}
