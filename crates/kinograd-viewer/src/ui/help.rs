//! The list of keys.

use bevy_egui::egui;

use super::Panels;

/// Every key and what it does.
pub const KEYS: [(&str, &str); 22] = [
    ("Space", "play or pause"),
    ("Left, Right", "one frame back or on; ten with Shift"),
    ("Home, End", "to the start or the end"),
    ("L", "loop or not"),
    ("[ and ]", "half or double speed"),
    ("Left mouse button", "drag goals, waypoints and obstacles"),
    ("Right mouse button", "turn the view"),
    ("Middle mouse button", "move the view"),
    ("Wheel", "nearer or farther"),
    ("A", "everything in the picture"),
    ("T", "from above"),
    ("F", "follow the person"),
    ("R", "trails and footprints"),
    ("B", "clips side by side, or as ghosts in one place"),
    ("G", "make a clip"),
    ("N", "make one with the next seed"),
    ("Esc", "stop the run, dismiss messages"),
    ("W, O", "waypoint or obstacle at the pointer"),
    ("Delete", "remove what was taken hold of last"),
    ("Ctrl+Z, Ctrl+Y", "undo, redo"),
    (", and .", "the denoising step before or after"),
    ("Ctrl+S", "save the scene"),
];

/// A window over the picture.
pub fn show(ctx: &egui::Context, panels: &mut Panels) {
    let mut is_open = true;
    egui::Window::new("Keys")
        .open(&mut is_open)
        .collapsible(false)
        .anchor(egui::Align2::CENTER_CENTER, [0.0, 0.0])
        .show(ctx, |ui| {
            egui::Grid::new("keys")
                .num_columns(2)
                .striped(true)
                .show(ui, |ui| {
                    for (key, what) in KEYS {
                        ui.strong(key);
                        ui.label(what);
                        ui.end_row();
                    }
                });
        });
    panels.shows_help = is_open;
}
