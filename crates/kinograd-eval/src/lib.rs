//! The numbers that tell how good a model, a method or a machine is: [`bench`](mod@bench) puts guidance methods
//! beside each other, [`model`](fn@model) measures a model by what [`obey`] tells of its clips,
//! [`speed`](fn@speed) a machine, and [`simulation`](fn@simulation) repeats the simulation of Guo et al. 2024.

pub mod bench;
mod model;
pub mod obey;
mod prompts;
mod reference;
mod simulation;
mod speed;
pub mod statistics;
mod validation;

pub use model::{
    ActionRow, BestOf, CellRow, ClipRow, LeastScore, LengthRow, ListRow, MemoryReport,
    ModelProtocol, ModelReport, PairRow, PromptRow, RealReport, RealShares, RetrievalReport,
    TestReport, TestRow, model, real_tests,
};
pub use prompts::{PromptCase, PromptList, StylePair};
pub use simulation::{
    SimulatedMethod, SimulatedReward, SimulationProtocol, SimulationReport, SimulationRun,
    simulation,
};
pub use speed::{SpeedProtocol, SpeedReport, SpeedRow, speed};
pub use validation::ValidationReport;
