//! A fine-tuned model as a package of its own.

use std::path::{Path, PathBuf};

use kinograd_import::{StagedPackage, packages_folder};
use kinograd_runtime::{Lineage, Role, sha256_of_file};
use onnx_grad::Model;

use crate::{Error, MotionGenerator, Task};

/// A fine-tuned denoiser that is not in a package yet.
#[derive(Debug, Clone)]
pub struct FineTuned {
    pub(super) model: Model,
    pub(super) weights: Vec<String>,
    pub(super) training_steps: usize,
}

impl FineTuned {
    /// The denoiser with its new weights.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Names of the weights that were trained.
    #[must_use]
    pub fn weights(&self) -> &[String] {
        &self.weights
    }

    /// Saves it as a package beside what else its parent has, with its lineage; the folder is whole
    /// or not there, and the parent is not touched. Returns the folder.
    ///
    /// # Errors
    /// [`Error::Request`] if the name is taken; [`Error::Runtime`] if a file
    /// cannot be read or written.
    pub fn save(
        &self,
        parent: &MotionGenerator,
        task: &Task,
        name: &str,
        into: Option<&Path>,
    ) -> Result<PathBuf, Error> {
        let package = &parent.model.package;
        let into = packages_folder(into)?;
        let staged = StagedPackage::copied(package, &into, name, |role| role != Role::Denoiser)?;
        let denoiser = package.file(Role::Denoiser)?;
        let parent_sha256 = sha256_of_file(&denoiser)?;
        let mut manifest = package.manifest().clone();
        let entry = manifest
            .files
            .get_mut(&Role::Denoiser)
            .ok_or_else(|| Error::Internal("the package lost its denoiser".to_owned()))?;
        staged.put_model(&self.model, entry)?;
        let optimization = task.asked_optimization()?;
        let fine_tune = optimization.fine_tune.clone().unwrap_or_default();
        manifest.lineage = Some(Lineage {
            parent: manifest.name.clone(),
            parent_version: manifest.version.clone(),
            parent_sha256,
            task: Some(task.to_value()?),
            reward: optimization.reward.to_string(),
            rounds: optimization.rounds,
            training_steps: self.training_steps,
            learning_rate: fine_tune.learning_rate,
            seed: task.sampling.seed,
            weights: self.weights.clone(),
        });
        name.clone_into(&mut manifest.name);
        // They were measured of the parent.
        manifest.metrics.clear();
        Ok(staged.finish(manifest)?)
    }
}
