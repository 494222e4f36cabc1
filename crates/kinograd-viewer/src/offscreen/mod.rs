//! Pictures and films without a window.

mod adapter;
mod film;
mod picture;
mod steps;
mod studio;

pub use adapter::{Adapter, NoAdapter, adapters};
pub use film::{OffscreenOptions, RenderError, render};
pub use picture::Picture;
pub use steps::render_steps;
pub use studio::{Studio, StudioError};
