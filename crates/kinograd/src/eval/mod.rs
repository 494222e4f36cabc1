//! The numbers that tell how good a model, a method or a machine is.

mod guidance;
mod model;
mod prompts;
mod reference;
mod speed;
pub mod statistics;

pub use guidance::{GuidanceProtocol, GuidanceReport, GuidanceRow, guidance};
pub use model::{
    MemoryReport, ModelProtocol, ModelReport, PromptRow, RealReport, RetrievalReport, model,
};
pub use prompts::{Movement, PROMPTS, PromptCase};
pub use speed::{SpeedProtocol, SpeedReport, SpeedRow, speed};
