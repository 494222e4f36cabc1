//! Steering: goals, obstacles and waypoints under the hand, clips made anew as they move.

mod files;
mod hand;
mod plugin;
mod state;

pub use files::{load_scene, save_clip, save_scene};
pub use hand::{DragState, hold, read_hand};
pub use plugin::SteerPlugin;
pub use state::{Status, Steer, SteerSystems, Steered};
