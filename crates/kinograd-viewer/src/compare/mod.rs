//! Comparison: clips of one scene and seed, made by several methods, side by side with their numbers.

mod messages;
mod plugin;

pub use messages::{CompareClips, CompareMethods, ComparedJob, Numbers};
pub use plugin::{Compare, ComparePlugin, Row, numbers};
