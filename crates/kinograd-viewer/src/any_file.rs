//! Assets from the whole disk.

use bevy::asset::UnapprovedPathMode;
use bevy::prelude::*;

/// Characters may lie anywhere: the user names them.
#[must_use]
pub fn any_file() -> AssetPlugin {
    AssetPlugin {
        unapproved_path_mode: UnapprovedPathMode::Allow,
        ..default()
    }
}
