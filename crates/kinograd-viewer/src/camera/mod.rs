//! Views: framing as plain maths, orbit, follow and top view in a window.

mod framing;
mod mode;
mod plugin;

pub use framing::{FOV_RAD, Shot, VIEW, View, body_points, frame_points};
pub use mode::{CameraMode, FrameAll};
pub use plugin::{CameraPlugin, haze, projection};
