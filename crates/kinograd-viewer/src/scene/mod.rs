//! The stage: floor, light, goals, obstacles, trails and penetrations.

mod blob;
pub mod ground;
pub mod joints;
mod light;
pub mod look;
pub mod marks;
mod plugin;
pub mod solids;
mod stage;
pub mod trail;

pub use light::{Sun, shadows, sky_light};
pub use plugin::{Lane, ScenePlugin, penetrating};
pub use stage::{Stage, StageMark, StageSettings};
