//! How well a model, a loss and a method go together: descent, PL ratio, smoothness, adversarial
//! share and error against calls, measured on one's own prompt, goals and networks (the quantities
//! of the theory of Shen et al. 2024).

mod advice;
mod measure;
mod report;

pub use advice::Recommendation;
pub use report::{AttemptReport, DiagnoseReport, Smoothness, StepReport, TermReport};

use std::path::PathBuf;

use kinograd_guidance::scene::Scene;

use crate::{Error, GenerateRequest, Method};

/// What to diagnose.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DiagnoseRequest {
    /// Prompt, goals, networks, weights, method and steps.
    pub clips: GenerateRequest,
    /// What a scene asks for beside them.
    pub scene: Option<Scene>,
    /// Networks of the same meaning as the request's, in their order, that judge and don't steer: a
    /// clip that deceives one network doesn't deceive another. May be fewer.
    pub judges: Vec<PathBuf>,
    /// Numbers of denoiser calls to compare.
    pub calls: Vec<usize>,
    /// Methods to compare at the request's steps, beside its own.
    pub methods: Vec<Method>,
}

impl DiagnoseRequest {
    /// 5, 10, 20 and 50 calls, and the capped Polyak step and MPGD to compare with.
    #[must_use]
    pub fn new(clips: GenerateRequest, scene: Option<Scene>) -> Self {
        Self {
            clips,
            scene,
            judges: Vec::new(),
            calls: vec![5, 10, 20, 50],
            methods: vec![Method::Mpgd, Method::PolyakCapped],
        }
    }

    /// # Errors
    /// [`Error::Request`] if nothing steers, or a number of calls is out of range.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |field: &'static str, message: String| Err(Error::Request { field, message });
        if self.clips.method == Method::None || !(self.clips.is_guided() || self.scene.is_some()) {
            return refuse(
                "goals",
                "nothing steers: give a target, an obstacle, a scene, a network or a text weight"
                    .to_owned(),
            );
        }
        if self.clips.clips > 8 {
            return refuse(
                "n",
                format!("{} clips; 1 to 8 are diagnosed", self.clips.clips),
            );
        }
        let (judges, networks) = (self.judges.len(), self.clips.networks.len());
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
