//! How well a model, a loss and a method go together: descent, PL ratio, smoothness, adversarial
//! share and error against calls, measured on one's own prompt, goals and networks (the quantities
//! of the theory of Shen et al. 2024).

mod advice;
mod figures;
mod measure;
mod report;

pub use advice::Recommendation;
pub use figures::{AttemptReport, Smoothness, StepReport, TermReport};
pub use report::DiagnoseReport;

use std::path::PathBuf;

use crate::{Error, Method, Task};

/// What to diagnose.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DiagnoseProtocol {
    /// Prompts, goals, networks, weights, method and steps.
    pub task: Task,
    /// Networks of the same meaning as the task's, in their order, that judge and don't steer: a
    /// clip that deceives one network doesn't deceive another. May be fewer.
    pub judges: Vec<PathBuf>,
    /// Numbers of denoiser calls to compare.
    pub calls: Vec<usize>,
    /// Methods to compare at the task's steps, beside its own.
    pub methods: Vec<Method>,
}

/// Clips that are diagnosed at once: a run keeps x̂0 of every step of each.
const MAX_CLIPS: usize = 8;

impl DiagnoseProtocol {
    /// 5, 10, 20 and 50 calls, and the capped Polyak step and MPGD to compare with.
    #[must_use]
    pub fn new(task: Task) -> Self {
        Self {
            task,
            judges: Vec::new(),
            calls: vec![5, 10, 20, 50],
            methods: vec![Method::Mpgd, Method::PolyakCapped],
        }
    }

    /// # Errors
    /// [`Error::Task`] if nothing steers; [`Error::Request`] if a number of calls is out of range.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |field: &'static str, message: String| Err(Error::Request { field, message });
        if !self.task.is_guided() {
            return refuse(
                "goals",
                "nothing steers: give a target, an obstacle, a task with goals, a network or a text weight"
                    .to_owned(),
            );
        }
        let own = [self.task.guidance.method];
        let mut methods = own.iter().chain(&self.methods);
        if let Some(method) = methods.find(|method| method.optimizes_noise()) {
            return refuse(
                "method",
                format!("{method} takes many runs: there are no steps to diagnose"),
            );
        }
        let count = self.task.sampling.count;
        if count > MAX_CLIPS {
            return Err(Error::Task {
                path: "sampling.count".to_owned(),
                message: format!("{count} clips; 1 to {MAX_CLIPS} are diagnosed"),
            });
        }
        let (judges, networks) = (self.judges.len(), self.task.losses.len());
        if judges > networks {
            return refuse(
                "judge",
                format!("{judges} networks judge, but {networks} steer"),
            );
        }
        if self.calls.is_empty() {
            return refuse("calls", "none are given".to_owned());
        }
        match self.calls.iter().find(|calls| !(1..=1000).contains(*calls)) {
            Some(calls) => refuse("calls", format!("{calls} is outside 1 to 1000")),
            None => Ok(()),
        }
    }
}
