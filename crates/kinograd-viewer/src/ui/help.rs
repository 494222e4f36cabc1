//! The list of keys.

use bevy_egui::egui;

use super::state::Panels;

/// Every key and what it does.
pub const KEYS: [(&str, &str); 35] = [
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
    ("J", "ways of hands, of feet, or none"),
    ("B", "clips side by side, or as ghosts in one place"),
    ("G", "make a clip"),
    ("N", "make one with the next seed"),
    ("Esc", "stop the run, dismiss messages"),
    ("P", "to the prompt; Enter leaves it"),
    ("M, Shift+M", "the next method, the one before"),
    ("Up, Down", "stronger or weaker steering"),
    ("Shift+Up, Shift+Down", "a longer or shorter clip"),
    ("+ and -", "more or fewer steps"),
    ("K", "feet held still or not"),
    ("V", "make clips while dragging or not"),
    ("E, W, O", "target, waypoint or obstacle at the pointer"),
    ("Delete", "remove what was taken hold of last"),
    ("Ctrl+Z, Ctrl+Y", "undo, redo"),
    (", and .", "the denoising step before or after"),
    ("/", "from the steps back to the clip"),
    ("C, Shift+C", "compare four methods, or all"),
    ("X", "take the comparison off the stage"),
    ("Ctrl+O", "a file to open"),
    ("Ctrl+S", "save the scene"),
    ("Ctrl+Shift+S", "save the clip"),
];

/// A window over the picture.
pub fn show(ctx: &egui::Context, panels: &mut Panels) {
    let mut is_open = true;
    egui::Window::new("Keys")
        .open(&mut is_open)
        .collapsible(false)
        .resizable(false)
        .anchor(egui::Align2::CENTER_CENTER, [0.0, 0.0])
        .show(ctx, |ui| {
            // Two keys a row where there is room.
            let room = ctx.content_rect();
            let beside = if room.width() > 980.0 { 2 } else { 1 };
            let rows = KEYS.len().div_ceil(beside);
            let scroll = egui::ScrollArea::vertical().max_height(room.height() - 90.0);
            scroll.show(ui, |ui| {
                let grid = egui::Grid::new("keys")
                    .num_columns(2 * beside)
                    .striped(true);
                grid.show(ui, |ui| {
                    for row in 0..rows {
                        let line = (0..beside).filter_map(|column| KEYS.get(row + column * rows));
                        for (key, what) in line {
                            ui.strong(*key);
                            ui.label(*what);
                        }
                        ui.end_row();
                    }
                });
            });
        });
    panels.shows_help = is_open;
}
