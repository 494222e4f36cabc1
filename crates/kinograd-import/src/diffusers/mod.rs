//! Folders of diffusion pipelines as diffusers and Optimum write them.

mod family;
mod files;
mod folder;
mod scheduler;
mod stable_diffusion;
mod text;
mod tokenizer;

use std::path::Path;

use self::files::PackageFiles;
use self::folder::PipelineFolder;
pub(super) use self::folder::is_pipeline;
use kinograd_runtime::{Manifest, RuntimeError};

use super::staged::{Made, StagedPackage};

/// What a package of a pipeline is made of; nothing is written yet.
pub(super) struct PipelinePackage {
    pub manifest: Manifest,
    files: PackageFiles,
}

/// Reads a pipeline's folder, for a package of this name and pictures of this height and width.
///
/// # Errors
/// [`RuntimeError::Request`] that names the part that is missing, does not fit the others or is not taken.
pub(super) fn read(
    source: &Path,
    name: Option<&str>,
    size: Option<[usize; 2]>,
) -> Result<PipelinePackage, RuntimeError> {
    let folder = PipelineFolder::open(source)?;
    let Some(name) = name else {
        return Err(RuntimeError::Request {
            field: "name",
            message: "a pipeline's package needs one".to_owned(),
        });
    };
    let family = family::of(&folder)?;
    let (mut manifest, files) = stable_diffusion::read(&folder, family, size)?;
    name.clone_into(&mut manifest.name);
    Ok(PipelinePackage { manifest, files })
}

/// Writes the files of a package, without `model.json`.
///
/// # Errors
/// As [`StagedPackage::copied`].
pub(super) fn staged(package: PipelinePackage, into: &Path) -> Result<Made, RuntimeError> {
    let staged = StagedPackage::empty(into, &package.manifest.name)?;
    package.files.write(&staged)?;
    Ok(Made {
        staged,
        manifest: package.manifest,
        adapted: Vec::new(),
    })
}
