//! The numbers that tell how good a model, a method or a machine is: [`bench`](mod@bench) puts guidance methods
//! beside each other, [`model`](fn@model) measures a model, [`speed`](fn@speed) a machine, and
//! [`simulation`](fn@simulation) repeats the simulation of Guo et al. 2024.

pub mod bench;
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
pub use simulation::{
    SimulatedMethod, SimulatedReward, SimulationProtocol, SimulationReport, SimulationRun,
    simulation,
};
pub use speed::{SpeedProtocol, SpeedReport, SpeedRow, speed};
pub use validation::ValidationReport;
