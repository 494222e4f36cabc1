//! What the stage shows.

use std::collections::BTreeSet;

use bevy::prelude::*;
use kinograd::TaskSpec;
use kinograd_bevy::edit::Handle;

/// What stands on the floor.
#[derive(Resource, Debug, Clone, PartialEq)]
pub struct Stage {
    /// Goals and obstacles; `None` is an empty floor.
    pub scene: Option<TaskSpec>,
    /// Where the scene is set up, metres: once per clip where clips stand side by side.
    pub lanes_m: Vec<Vec3>,
    /// What is written at the start of each lane, where there is something to tell apart.
    pub names: Vec<String>,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            scene: None,
            lanes_m: vec![Vec3::ZERO],
            names: Vec::new(),
        }
    }
}

/// What the stage shows.
#[derive(Resource, Debug, Clone, PartialEq, Eq)]
pub struct StageSettings {
    /// Whether ways and footprints are drawn.
    pub shows_trails: bool,
    /// Joints whose ways through the air are drawn, by index.
    pub joints: BTreeSet<usize>,
}

impl Default for StageSettings {
    fn default() -> Self {
        Self {
            shows_trails: true,
            joints: BTreeSet::new(),
        }
    }
}

/// A thing on the stage, and what holds it.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageMark {
    /// What a hand that takes it holds.
    pub handle: Option<Handle>,
}
