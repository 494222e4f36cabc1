//! The numbers that tell how good a model, a method or a machine is.

mod guidance;
mod model;
mod prompts;
mod reference;
mod speed;
pub mod statistics;
mod validation;

pub use guidance::{GuidanceProtocol, GuidanceReport, GuidanceRow, guidance};
pub use model::{
    MemoryReport, ModelProtocol, ModelReport, PromptRow, RealReport, RetrievalReport, model,
};
pub use prompts::{Movement, PROMPTS, PromptCase};
pub use speed::{SpeedProtocol, SpeedReport, SpeedRow, speed};
pub use validation::ValidationReport;

use std::ops::ControlFlow;

use crate::{Event, Observer};

/// Passes everything on but warnings: a protocol asks for what it asks for, many times over.
struct WithoutWarnings<'a>(&'a mut dyn Observer);

impl Observer for WithoutWarnings<'_> {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Warning(_) => ControlFlow::Continue(()),
            event => self.0.event(event),
        }
    }
}
