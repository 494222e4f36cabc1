//! Clips: what they are, where their joints are at any time, as files.

mod feet;
mod held;
mod query;
mod sample;
mod save;

pub(crate) use held::Held;

pub use feet::*;
pub use held::*;
pub use query::*;
pub use sample::*;
pub use save::*;
