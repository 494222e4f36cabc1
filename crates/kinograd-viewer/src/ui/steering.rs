//! Prompt, method, steps, seed, and what the run says.

use bevy_egui::egui;
use kinograd::Method;
use kinograd_bevy::edit;

use super::fields::settled;
use super::state::{Field, Panels};
use super::weights;
use crate::compare::numbers;
use crate::steer::{Status, Steer, load_scene, save_clip, save_scene};

/// The panel on the right.
pub fn show(ui: &mut egui::Ui, panels: &mut Panels, steer: &mut Steer) {
    ui.heading("Steer");
    let changed = request(ui, panels, steer) | weights::show(ui, steer);
    if changed && steer.follows_changes {
        steer.make();
    }
    ui.checkbox(&mut steer.follows_changes, "Make clips while dragging")
        .on_hover_text("Every change makes a new clip by itself (V)");
    ui.horizontal(|ui| {
        let make = egui::Button::new("Make clip");
        if ui
            .add(make)
            .on_hover_text("From the prompt and the scene (G)")
            .clicked()
        {
            steer.make();
        }
        if ui
            .add_enabled(steer.is_busy(), egui::Button::new("Stop"))
            .on_hover_text("Esc")
            .clicked()
        {
            steer.stop();
        }
        if ui
            .button("Next seed")
            .on_hover_text("Another clip for the same wishes (N)")
            .clicked()
        {
            steer.settings.seed = steer.settings.seed.wrapping_add(1);
            steer.make();
        }
    });
    status(ui, steer);
    ui.separator();
    things(ui, steer);
    ui.separator();
    files(ui, panels, steer);
}

/// Words and numbers of the request; whether one was changed.
fn request(ui: &mut egui::Ui, panels: &mut Panels, steer: &mut Steer) -> bool {
    let (mut changed, mut begins) = (false, false);
    let mut before = steer.scene.clone();
    for prompt in &mut steer.scene.prompts {
        let text = egui::TextEdit::multiline(&mut prompt.text)
            .desired_rows(2)
            .return_key(egui::KeyboardShortcut::new(
                egui::Modifiers::SHIFT,
                egui::Key::Enter,
            ))
            .desired_width(f32::INFINITY);
        let answer = ui
            .add(text)
            .on_hover_text("What the person does (P); Enter makes a clip of it");
        panels.give_focus(Field::Prompt, &answer);
        begins |= answer.gained_focus();
        changed |= answer.lost_focus();
        if answer.has_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) {
            answer.surrender_focus();
            changed = true;
        }
    }
    egui::Grid::new("request").num_columns(2).show(ui, |ui| {
        let settings = &mut steer.settings;
        ui.label("Seconds");
        let secs = egui::DragValue::new(&mut steer.scene.duration_secs)
            .range(1.0..=10.0)
            .speed(0.05)
            .fixed_decimals(1);
        let answer = ui
            .add(secs)
            .on_hover_text("Length of the clip, 1 to 10 (Shift+Up, Shift+Down)");
        begins |= answer.drag_started() || answer.gained_focus();
        changed |= settled(&answer);
        ui.end_row();
        ui.label("Method");
        egui::ComboBox::from_id_salt("method")
            .selected_text(settings.method.name())
            .show_ui(ui, |ui| {
                for method in Method::STEERING.into_iter().chain([Method::None]) {
                    changed |= ui
                        .selectable_value(&mut settings.method, method, method.name())
                        .changed();
                }
            })
            .response
            .on_hover_text("How goals and obstacles steer (M, Shift+M)");
        ui.end_row();
        ui.label("Steps");
        let steps = egui::DragValue::new(&mut settings.steps).range(2..=200);
        changed |= settled(
            &ui.add(steps)
                .on_hover_text("Denoising steps: fewer are faster (+ and -)"),
        );
        ui.end_row();
        ui.label("Seed");
        let seed = egui::DragValue::new(&mut settings.seed).speed(0.1);
        changed |= settled(
            &ui.add(seed)
                .on_hover_text("The same seed gives the same clip (N: the next)"),
        );
        ui.end_row();
        ui.label("Strength");
        let mut scale = settings
            .guidance_scale
            .unwrap_or_else(|| settings.method.default_scale());
        let drag = egui::DragValue::new(&mut scale)
            .range(0.0..=20.0)
            .speed(0.02);
        let answer = ui.add(drag).on_hover_text(
            "Guidance scale: how strongly goals steer; the method's own unless changed (Up, Down)",
        );
        if answer.changed() {
            settings.guidance_scale = Some(scale);
        }
        changed |= settled(&answer);
        ui.end_row();
        ui.label("Feet");
        changed |= ui
            .checkbox(&mut settings.foot_lock, "held still")
            .on_hover_text("Feet on the ground do not slide (K)")
            .changed();
        ui.end_row();
    });
    if begins {
        // What undo goes back to is the scene before its first letter or tenth of a second.
        std::mem::swap(&mut before, &mut steer.scene);
        steer.remember();
        steer.scene = before;
    }
    changed
}

fn status(ui: &mut egui::Ui, steer: &Steer) {
    let text = match &steer.status {
        Status::Idle => "Drag a goal, or make a clip.".to_owned(),
        Status::Waiting => "Waiting for the model…".to_owned(),
        Status::Running { done, steps } => format!("Step {done} of {steps}"),
        Status::Done { seconds } => format!("Done in {seconds:.2} s"),
        Status::Failed(_) => "Failed; see above".to_owned(),
        Status::Stopped => "Stopped".to_owned(),
    };
    ui.add(egui::ProgressBar::new(steer.progress()).text(text));
    // Both lines are always there: what is below keeps its place.
    ui.small(steer.made.as_ref().map(numbers).unwrap_or_default());
    let waits = match steer.waits_secs {
        (Some(first), Some(last)) => format!(
            "first x̂0 after {:.0} ms, clip after {last:.2} s",
            1000.0 * first
        ),
        _ => String::new(),
    };
    ui.small(waits)
        .on_hover_text("From the last change to the picture");
}

/// Adding and removing goals and obstacles.
fn things(ui: &mut egui::Ui, steer: &mut Steer) {
    ui.label("Drag goals and obstacles with the left mouse button; the right one turns the view.");
    let mut add = |ui: &mut egui::Ui, name: &str, hint: &str, change: &dyn Fn(&mut Steer)| {
        if ui.button(name).on_hover_text(hint).clicked() {
            steer.remember();
            change(steer);
            if steer.follows_changes {
                steer.make();
            }
        }
    };
    ui.horizontal_wrapped(|ui| {
        let place = bevy::math::Vec2::new(1.0, 3.0);
        add(
            ui,
            "+ Target",
            "Where to be at the end (E: at the pointer)",
            &|steer| edit::set_target(&mut steer.scene, place),
        );
        let place = bevy::math::Vec2::new(-0.6, 1.6);
        add(
            ui,
            "+ Waypoint",
            "Where to pass (W: at the pointer)",
            &|steer| {
                edit::add_waypoint(&mut steer.scene, place);
            },
        );
        add(
            ui,
            "+ Obstacle",
            "What to go round (O: at the pointer)",
            &|steer| {
                steer
                    .scene
                    .obstacles
                    .push(kinograd::Obstacle::circle([0.9, 1.8], 0.4));
            },
        );
    });
    ui.horizontal_wrapped(|ui| {
        let selected = steer.selected;
        let remove = egui::Button::new("Remove selected");
        if ui
            .add_enabled(selected.is_some(), remove)
            .on_hover_text("Delete")
            .clicked()
            && let Some(handle) = selected
        {
            remove_selected(steer, handle);
        }
        if ui.button("Undo").on_hover_text("Ctrl+Z").clicked()
            && steer.undo()
            && steer.follows_changes
        {
            steer.make();
        }
        if ui.button("Redo").on_hover_text("Ctrl+Y").clicked()
            && steer.redo()
            && steer.follows_changes
        {
            steer.make();
        }
    });
}

/// Removes what is selected and makes a clip without it.
pub fn remove_selected(steer: &mut Steer, handle: edit::Handle) {
    steer.remember();
    if edit::remove_handle(&mut steer.scene, handle) && steer.follows_changes {
        steer.make();
    }
    steer.selected = None;
}

fn files(ui: &mut egui::Ui, panels: &mut Panels, steer: &mut Steer) {
    ui.horizontal(|ui| {
        let path = egui::TextEdit::singleline(&mut panels.scene_path).desired_width(130.0);
        ui.add(path)
            .on_hover_text("Where the scene is saved and opened");
        let file = panels.scene_path.clone();
        if ui
            .button("Save")
            .on_hover_text("The scene as JSON (Ctrl+S)")
            .clicked()
        {
            let outcome = save_scene(&steer.task(), file.as_ref());
            panels.tell(outcome.map(|()| format!("saved {file}")));
        }
        if ui
            .button("Open")
            .on_hover_text("A scene from JSON (Ctrl+O takes any file)")
            .clicked()
        {
            match load_scene(file.as_ref()) {
                Ok(scene) => {
                    steer.take(scene);
                    steer.make();
                }
                Err(error) => panels.tell(Err(error)),
            }
        }
    });
    ui.horizontal(|ui| {
        let path = egui::TextEdit::singleline(&mut panels.clip_path).desired_width(130.0);
        ui.add(path)
            .on_hover_text("Where the clip is saved: .glb, .fbx, .bvh, .npz or .png");
        if ui
            .button("Save clip")
            .on_hover_text("With the record of how it was made (Ctrl+Shift+S)")
            .clicked()
        {
            let file = panels.clip_path.clone();
            let outcome = save_clip(steer, file.as_ref());
            panels.tell(outcome.map(|()| format!("saved {file}")));
        }
    });
}
