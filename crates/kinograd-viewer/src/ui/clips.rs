//! The list of clips, and how they are shown.

use bevy::prelude::*;
use bevy_egui::egui;

use super::state::{Field, Orders, Panels};
use kinograd::motion::JOINT_NAMES;
use kinograd_bevy::MotionPlayer;

use crate::camera::{CameraMode, FrameAll};
use crate::library::{ComparisonSlot, Library, OpenFile};
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
    shelved: &Query<(Entity, &ComparisonSlot, &MotionPlayer)>,
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
    joints(ui, stage);
    ui.checkbox(&mut library.overlays, "Ghosts")
        .on_hover_text("Clips in one place instead of side by side (B)");
    ui.separator();
    ui.heading("Clips");
    let mut listed: Vec<_> = shelved.iter().collect();
    listed.sort_by_key(|(_, clip, _)| clip.index);
    for (entity, clip, _) in listed {
        ui.horizontal(|ui| {
            if ui
                .small_button("❌")
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
        let answer = ui
            .add(path)
            .on_hover_text("A clip, a scene or a saved benchmark (Ctrl+O)");
        panels.give_focus(Field::Open, &answer);
        let asked = answer.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let open = ui.button("Open").on_hover_text("Enter, in the field");
        if (open.clicked() || asked) && !panels.open_path.is_empty() {
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

/// Which joints' ways are drawn through the air.
fn joints(ui: &mut egui::Ui, stage: &mut StageSettings) {
    let title = match stage.joints.len() {
        0 => "Ways of joints".to_owned(),
        count => format!("Ways of joints ({count})"),
    };
    let mut shown = stage.joints.clone();
    egui::CollapsingHeader::new(title)
        .id_salt("joints")
        .show(ui, |ui| {
            for (joint, name) in JOINT_NAMES.iter().enumerate() {
                let mut is_shown = shown.contains(&joint);
                ui.checkbox(&mut is_shown, name.replace('_', " "))
                    .on_hover_text("Where it goes through the air");
                if is_shown {
                    shown.insert(joint);
                } else {
                    shown.remove(&joint);
                }
            }
        })
        .header_response
        .on_hover_text("Any joints (J: hands, feet, none)");
    if shown != stage.joints {
        stage.joints = shown;
    }
}
