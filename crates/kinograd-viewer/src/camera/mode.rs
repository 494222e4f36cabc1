//! What is asked of a window's camera.

use bevy::prelude::*;

/// What a window's camera does by itself.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CameraMode {
    /// Whether it goes along with the first character.
    pub follows: bool,
    /// Whether it looks from above.
    pub is_top: bool,
}

/// Asks for all clips and the scene to be in the picture.
#[derive(Message, Debug, Clone, Copy, Default)]
pub struct FrameAll;
