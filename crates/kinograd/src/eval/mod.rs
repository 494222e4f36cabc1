//! The numbers that tell how good a model, a method or a machine is.

mod guidance;
mod prompts;
pub mod statistics;

pub use guidance::{GuidanceProtocol, GuidanceReport, GuidanceRow, guidance};
pub use prompts::{Movement, PROMPTS, PromptCase};
