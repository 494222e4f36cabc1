//! Fields of the panels.

use bevy_egui::egui;

/// Whether a dragged value was let go of, or typed.
pub(super) fn settled(answer: &egui::Response) -> bool {
    answer.drag_stopped() || (answer.lost_focus() && !answer.dragged())
}
