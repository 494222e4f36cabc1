//! The numbers that tell how good a model, a method or a machine is.

mod model;
mod prompts;
mod reference;
mod simulation;
mod speed;
pub mod statistics;
mod validation;

pub use model::{
    MemoryReport, ModelProtocol, ModelReport, PromptRow, RealReport, RetrievalReport, model,
};
pub use prompts::{Movement, PROMPTS, PromptCase};
pub(crate) use reference::Reference;
pub use simulation::{
    SimulatedMethod, SimulatedReward, SimulationProtocol, SimulationReport, SimulationRun,
    simulation,
};
pub use speed::{SpeedProtocol, SpeedReport, SpeedRow, speed};
pub use validation::ValidationReport;
