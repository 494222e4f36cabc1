//! Clips of a window: opened from files, dropped on it, or made; in lanes or as ghosts.

mod messages;
mod plugin;
mod slot;

pub use messages::{OpenFile, OpenedBench};
pub use plugin::{Library, LibraryPlugin, is_bench};
pub use slot::{ComparisonSlot, shelve};
