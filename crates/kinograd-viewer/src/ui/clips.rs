//! The list of clips, and how they are shown.

use bevy::prelude::*;
use bevy_egui::egui;

use super::{Orders, Panels};
use crate::camera::{CameraMode, FrameAll};
use crate::library::{Library, OpenFile, Shelved};
use crate::player::MotionPlayer;
use crate::scene::StageSettings;

/// The panel on the left.
#[expect(
    clippy::too_many_arguments,
    reason = "one per thing that the panel changes"
)]
pub fn show(
    ui: &mut egui::Ui,
    panels: &mut Panels,
    library: &mut Library,
    mode: &mut CameraMode,
    stage: &mut StageSettings,
    shelved: &Query<(Entity, &Shelved, &MotionPlayer)>,
    commands: &mut Commands,
    orders: &mut Orders,
) {
    ui.heading("View");
    ui.horizontal(|ui| {
        if ui
            .button("Frame all")
            .on_hover_text("Everything in the picture (A)")
            .clicked()
        {
            orders.frame.write(FrameAll);
        }
        if ui
            .button("Help")
            .on_hover_text("All keys (H or F1)")
            .clicked()
        {
            panels.shows_help = !panels.shows_help;
        }
    });
    ui.checkbox(&mut mode.is_top, "From above")
        .on_hover_text("Top view (T)");
    ui.checkbox(&mut mode.follows, "Follow")
        .on_hover_text("The camera goes along (F)");
    let mut trails = stage.shows_trails;
    ui.checkbox(&mut trails, "Trails")
        .on_hover_text("Ways and footprints (R)");
    if trails != stage.shows_trails {
        stage.shows_trails = trails;
    }
    ui.checkbox(&mut library.overlays, "Ghosts")
        .on_hover_text("Clips in one place instead of side by side (B)");
    ui.separator();
    ui.heading("Clips");
    for (entity, clip, _) in shelved {
        ui.horizontal(|ui| {
            if ui
                .small_button("✕")
                .on_hover_text("Take it off the stage")
                .clicked()
            {
                commands.entity(entity).despawn();
            }
            ui.label(&clip.name);
        });
        if !clip.numbers.is_empty() {
            ui.small(&clip.numbers);
        }
    }
    if shelved.is_empty() {
        ui.small("Drop .bvh, .glb or .npz on the window, or a scene as .json.");
    }
    ui.horizontal(|ui| {
        let path = egui::TextEdit::singleline(&mut panels.open_path)
            .hint_text("file to open")
            .desired_width(120.0);
        let entered = ui.add(path).on_hover_text("A clip or a scene").lost_focus();
        let asked = entered && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if (ui.button("Open").clicked() || asked) && !panels.open_path.is_empty() {
            orders.open.write(OpenFile(panels.open_path.clone().into()));
        }
    });
    if library.is_opening() {
        ui.spinner();
    }
    if !library.recent.is_empty() {
        ui.collapsing("Recent", |ui| {
            for path in &library.recent {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if ui
                    .link(name)
                    .on_hover_text(path.display().to_string())
                    .clicked()
                {
                    orders.open.write(OpenFile(path.clone()));
                }
            }
        });
    }
}
