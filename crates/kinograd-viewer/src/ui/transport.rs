//! Play, stop, step and scrub.

use bevy_egui::egui;

use crate::playback::Playback;

/// The bar under the picture.
pub fn show(ui: &mut egui::Ui, playback: &mut Playback) {
    ui.horizontal(|ui| {
        let label = if playback.playing {
            "⏸ Pause"
        } else {
            "▶ Play"
        };
        if ui
            .button(label)
            .on_hover_text("Play or pause all clips (Space)")
            .clicked()
        {
            playback.toggle();
        }
        if ui
            .button("⏮")
            .on_hover_text("To the start (Home)")
            .clicked()
        {
            playback.seek(0.0);
        }
        if ui
            .button("⏪")
            .on_hover_text("One frame back (Left)")
            .clicked()
        {
            playback.step(-1.0);
        }
        if ui
            .button("⏩")
            .on_hover_text("One frame on (Right)")
            .clicked()
        {
            playback.step(1.0);
        }
        ui.checkbox(&mut playback.looping, "Loop")
            .on_hover_text("Start again at the end (L)");
        ui.add(
            egui::DragValue::new(&mut playback.speed)
                .range(0.05..=4.0)
                .speed(0.02)
                .suffix("×"),
        )
        .on_hover_text("Speed; [ and ] halve and double it");
        let frame = (playback.time_secs * playback.fps).round();
        ui.label(format!("{:5.2} s, frame {frame}", playback.time_secs));
        ui.spacing_mut().slider_width = (ui.available_width() - 12.0).max(60.0);
        let end = playback.duration_secs.max(1e-3);
        let mut time = playback.time_secs;
        let slider = egui::Slider::new(&mut time, 0.0..=end).show_value(false);
        if ui.add(slider).on_hover_text("Drag to any moment").changed() {
            playback.playing = false;
            playback.seek(time);
        }
    });
}
