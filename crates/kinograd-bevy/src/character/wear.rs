//! What characters wear in place of the mannequin.

use std::path::PathBuf;

use bevy::prelude::*;
use kinograd::motion::mapping::Mapping;

/// A character drawn as the first scene of a GLB with a humanoid skeleton.
#[derive(Component, Debug, Clone)]
#[require(Transform, Visibility)]
pub struct Rig {
    /// The file.
    pub path: PathBuf,
    /// Which of its joints are which, where their names do not tell.
    pub mapping: Option<Mapping>,
}

/// What every new character wears instead of the mannequin's body.
#[derive(Resource, Debug, Clone, Default)]
pub struct CharacterAssets(pub Option<Rig>);
