//! Weights of everything that steers.

use bevy_egui::egui;
use kinograd::Method;
use kinograd::guidance::Shape;
use kinograd::task::GuidanceSettings;

use super::fields::settled;
use crate::steer::Steer;

/// The list of weights; whether one was changed.
pub fn show(ui: &mut egui::Ui, steer: &mut Steer) -> bool {
    let (mut changed, mut begins) = (false, false);
    let before = steer.scene.clone();
    egui::CollapsingHeader::new("Weights")
        .default_open(false)
        .show(ui, |ui| {
            egui::Grid::new("weights").num_columns(2).show(ui, |ui| {
                let settings = &mut steer.settings;
                let mut text = settings
                    .text_guidance
                    .unwrap_or_else(|| usual_text_weight(settings.method));
                let answer = weight(
                    ui,
                    "text",
                    "How strongly the clip follows its prompt, by the model's text-motion embedding",
                    &mut text,
                );
                if answer.changed() {
                    settings.text_guidance = Some(text);
                }
                changed |= settled(&answer);
                let mut row = |ui: &mut egui::Ui, name: &str, hint: &str, value: &mut f64| {
                    let answer = weight(ui, name, hint, value);
                    begins |= answer.drag_started() || answer.gained_focus();
                    changed |= settled(&answer);
                };
                for (index, goal) in steer.scene.goals.iter_mut().enumerate() {
                    let name = format!("{}. {}", index + 1, goal.kind());
                    row(ui, &name, "Of this goal", goal.weight_mut());
                }
                for (index, obstacle) in steer.scene.obstacles.iter_mut().enumerate() {
                    let name = format!("{}. {}", index + 1, noun(&obstacle.shape));
                    row(ui, &name, "Of keeping out of it", &mut obstacle.weight);
                }
            });
        })
        .header_response
        .on_hover_text("0 leaves a thing out; the projection meets what can be met whatever its weight");
    if begins {
        let now = std::mem::replace(&mut steer.scene, before);
        steer.remember();
        steer.scene = now;
    }
    changed
}

/// The weight of the text loss that tasks have unless they say.
fn usual_text_weight(method: Method) -> f64 {
    if method == Method::Projection {
        GuidanceSettings::TEXT_BESIDE_GOALS
    } else {
        0.0
    }
}

fn weight(ui: &mut egui::Ui, name: &str, hint: &str, value: &mut f64) -> egui::Response {
    ui.label(name);
    let drag = egui::DragValue::new(value)
        .range(0.0..=100.0)
        .speed(0.02)
        .max_decimals(2);
    let answer = ui
        .add(drag)
        .on_hover_text(format!("{hint}; 0 leaves it out"));
    ui.end_row();
    answer
}

fn noun(shape: &Shape) -> &'static str {
    match shape {
        Shape::Circle { .. } => "circle",
        Shape::Box { .. } | Shape::Box3d { .. } => "box",
        Shape::Capsule { .. } | Shape::Capsule3d { .. } => "capsule",
        Shape::Polygon { .. } => "polygon",
        Shape::Sphere { .. } => "sphere",
        _ => "obstacle",
    }
}
