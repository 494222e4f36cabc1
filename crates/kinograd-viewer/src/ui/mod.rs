//! Panels, keys and messages of the window.

mod clips;
mod compare;
mod fields;
mod help;
mod keys;
mod plots;
mod state;
mod steering;
mod transport;
mod weights;

use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy_egui::{
    EguiContexts, EguiGlobalSettings, EguiPlugin, EguiPrimaryContextPass, EguiTextureHandle,
    PrimaryEguiContext, egui,
};
use kinograd_bevy::{Failure, MotionPlayer};

pub use self::state::Panels;

use self::state::Orders;
use crate::bench::BenchRun;
use crate::camera::CameraMode;
use crate::canvas::Canvas;
use crate::compare::Compare;
use crate::denoising::Denoising;
use crate::library::{ComparisonSlot, Library};
use crate::playback::Playback;
use crate::scene::StageSettings;
use crate::steer::{Steer, SteerSystems, read_hand};

/// The window's controls.
#[derive(Debug, Default)]
pub struct UiPlugin;

impl Plugin for UiPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(EguiPlugin::default())
            .init_resource::<Panels>()
            .add_systems(Startup, open_window)
            .add_systems(Update, (read_hand, keys::press).before(SteerSystems))
            .add_systems(Update, collect_failures)
            .add_systems(EguiPrimaryContextPass, draw);
    }
}

/// The window's own camera: the stage has another one, that draws to the canvas.
fn open_window(mut commands: Commands, mut settings: ResMut<EguiGlobalSettings>) {
    settings.auto_create_primary_context = false;
    commands.spawn((
        PrimaryEguiContext,
        Camera2d,
        Msaa::Off,
        RenderLayers::none(),
        Camera {
            order: 1,
            clear_color: ClearColorConfig::Custom(Color::srgb(0.1, 0.1, 0.1)),
            ..default()
        },
    ));
}

/// A longer press is no click, seconds.
const LONGEST_CLICK_SECS: f64 = 2.0;

fn collect_failures(mut failures: MessageReader<Failure>, mut panels: ResMut<Panels>) {
    for Failure(text) in failures.read() {
        panels.fail(text.clone());
    }
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
    mut canvas: ResMut<Canvas>,
    mut run: ResMut<BenchRun>,
    compare: Res<Compare>,
    shelved: Query<(Entity, &ComparisonSlot, &MotionPlayer)>,
    mut commands: Commands,
    mut orders: Orders,
) -> Result {
    let ctx = contexts.ctx_mut()?.clone();
    // Where the processor draws, a click may last for two frames.
    ctx.options_mut(|options| options.input_options.max_click_duration = LONGEST_CLICK_SECS);
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
                compare::show(ui, &compare, &mut run, &mut orders);
            });
        });
    show_canvas(&mut contexts, &ctx, &root, &mut canvas);
    stage.set_if_neq(shown);
    leave_fields(&ctx);
    if panels.shows_help {
        help::show(&ctx, &mut panels);
    }
    show_messages(&ctx, &mut panels, &mut steer);
    Ok(())
}

/// A press beside the field that has the keyboard gives it back.
fn leave_fields(ctx: &egui::Context) {
    let Some(id) = ctx.memory(|memory| memory.focused()) else {
        return;
    };
    let pressed = ctx.input(|input| {
        let at = input.pointer.interact_pos();
        at.filter(|_| input.pointer.any_pressed())
    });
    let over = |at| {
        let field = ctx.read_response(id);
        field.is_none_or(|field| field.rect.contains(at))
    };
    if pressed.is_some_and(|at| !over(at)) {
        ctx.memory_mut(|memory| memory.surrender_focus(id));
    }
}

/// The stage, in what the panels leave free.
fn show_canvas(
    contexts: &mut EguiContexts,
    ctx: &egui::Context,
    root: &egui::Ui,
    canvas: &mut ResMut<Canvas>,
) {
    let id = contexts.image_id(&canvas.image);
    let id =
        id.unwrap_or_else(|| contexts.add_image(EguiTextureHandle::Strong(canvas.image.clone())));
    let free = root.available_rect_before_wrap();
    let whole = egui::Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
    root.painter().image(id, free, whole, egui::Color32::WHITE);
    let corner = |at: egui::Pos2| Vec2::new(at.x, at.y);
    let rect = Rect::from_corners(corner(free.min), corner(free.max));
    let scale = ctx.pixels_per_point();
    let is_free = |at: egui::Pos2| {
        let above = ctx.layer_id_at(at);
        free.contains(at) && above.is_none_or(|layer| layer.order == egui::Order::Background)
    };
    let is_hovered = ctx.pointer_latest_pos().is_some_and(is_free) && !ctx.egui_is_using_pointer();
    if (canvas.rect, canvas.scale, canvas.is_hovered) != (rect, scale, is_hovered) {
        canvas.rect = rect;
        canvas.scale = scale;
        canvas.is_hovered = is_hovered;
    }
}

/// Errors and notices over the picture, until they are read.
fn show_messages(ctx: &egui::Context, panels: &mut Panels, steer: &mut Steer) {
    let failed = match &steer.status {
        crate::steer::Status::Failed(error) => Some(error.clone()),
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
                for failure in failed.iter().chain(&panels.failures) {
                    ui.colored_label(red, failure);
                }
                for note in &steer.notes {
                    ui.colored_label(egui::Color32::from_rgb(230, 190, 90), note);
                }
                if let Some(notice) = &panels.notice {
                    ui.label(notice);
                }
                if ui.small_button("Dismiss").on_hover_text("Esc").clicked() {
                    panels.failures.clear();
                    panels.notice = None;
                    steer.dismiss();
                }
            });
        });
}
