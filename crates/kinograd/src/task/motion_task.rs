//! Tasks that have passed their check.

use kinograd_runtime::Manifest;

use super::checked::{Checked, SharedMut, Spec};
use super::limits::{SCENE_SCHEMA, SCHEMA, USUAL_STEPS};
use super::prompts::normalize_text;
use super::schedule::GuidanceSchedule;
use super::settings::Sampling;
use super::spec::TaskSpec;
use super::{check, json};
use crate::optimize::Optimization;
use crate::warning::Warning;
use crate::{Error, Method};

/// A checked task for clips.
pub type Task = Checked<TaskSpec>;

impl Spec for TaskSpec {
    fn normalize(&mut self) {
        for prompt in &mut self.prompts {
            normalize_text(&mut prompt.text);
        }
    }

    fn validate(&self) -> Result<(), Error> {
        check::check(self)
    }

    fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    fn method(&self) -> Method {
        self.guidance.method
    }

    fn guidance_scale(&self) -> f64 {
        self.guidance.scale()
    }

    fn schedule(&self) -> &GuidanceSchedule {
        &self.guidance.schedule
    }

    fn settle(&mut self, manifest: &Manifest) {
        let defaults = &manifest.defaults;
        // An optimisation does not use the method.
        let method = match self.optimization {
            Some(_) => Method::None,
            None => self.guidance.method,
        };
        self.sampling.settle(method, defaults, USUAL_STEPS);
        self.sampling.cfg = self.sampling.cfg.or(defaults.cfg);
    }

    fn shared_mut(&mut self) -> SharedMut<'_> {
        SharedMut {
            sampling: &mut self.sampling,
            method: &mut self.guidance.method,
            scale: &mut self.guidance.scale,
            schedule: &mut self.guidance.schedule,
        }
    }
}

impl TaskSpec {
    /// Checks it.
    ///
    /// # Errors
    /// [`Error::Task`] that names the field by its path, what came and what was expected.
    pub fn check(self) -> Result<Task, Error> {
        Task::new(self)
    }
}

impl Task {
    /// What the task says of its optimisation.
    pub(crate) fn asked_optimization(&self) -> Result<&Optimization, Error> {
        self.optimization.as_ref().ok_or_else(|| Error::Task {
            path: "optimization".to_owned(),
            message: "is missing: it names the reward".to_owned(),
        })
    }

    /// Reads and checks a task, or a scene of schema 1.
    ///
    /// # Errors
    /// [`Error::Json`] with line and column where known and the nearest known name for an unknown
    /// one; [`Error::Task`] that names the field.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let mut spec: TaskSpec = json::parse(json)?;
        if spec.schema == SCENE_SCHEMA {
            spec.schema = SCHEMA;
        }
        spec.check()
    }

    /// Reads and checks a task's file.
    ///
    /// # Errors
    /// [`Error::Read`] with the path and why.
    pub fn read(path: &std::path::Path) -> Result<Self, Error> {
        json::read(path, Self::from_json)
    }

    /// What the user should know before the run.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = check::hard_places(self);
        if self.guidance.method == Method::None && self.asks_for_steering() {
            warnings.push(Warning::Other(
                "method none: goals and obstacles are measured, but nothing steers".to_owned(),
            ));
        }
        warnings
    }
}
