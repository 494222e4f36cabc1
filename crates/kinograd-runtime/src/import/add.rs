//! A package of a denoiser of one's own.

use std::path::{Path, PathBuf};

use crate::{EngineOptions, Manifest, Package, Role, find_package, write_package};
use onnx_grad::Model;

use super::diffusers::PipelinePackage;
use super::report::CheckReport;
use super::staged::{StagedPackage, packages_folder};
use super::{adapt, diffusers, probe};
use crate::RuntimeError;

/// A package to make of a denoiser, or to take over whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPackage {
    /// The denoiser, ONNX, or the folder of a package, or of a pipeline as diffusers and Optimum write it.
    pub source: PathBuf,
    /// The package's name and folder; a package that is taken over may keep its own.
    pub name: Option<String>,
    /// Of a denoiser: the package whose other files it shares.
    pub like: String,
    /// Height and width of the pictures of a pipeline whose graph leaves them free; its own if `None`.
    pub size: Option<[usize; 2]>,
    /// Folder of packages to write to; the user's own if `None`.
    pub into: Option<PathBuf>,
}

/// Makes a package: finds out which of the graph's inputs is which by names and shapes, copies
/// the files, runs the networks once and checks their gradients. The package's folder is whole or
/// not there.
///
/// # Errors
/// [`RuntimeError::Request`] if the name is taken, an input cannot be told or a gradient is wrong; otherwise as
/// [`check`](super::check).
pub fn add(new: &NewPackage, options: &EngineOptions) -> Result<CheckReport, RuntimeError> {
    let into = packages_folder(new.into.as_deref())?;
    let (staged, manifest) = if diffusers::is_pipeline(&new.source) {
        diffusers::staged(pipeline(new)?, &into)?
    } else if new.source.is_dir() {
        whole_package(new, &into)?
    } else {
        of_denoiser(new, &into)?
    };
    let package = write_package(staged.path(), manifest)?;
    let mut report = probe::check_new(&package, options, &new.source)?;
    if report.no_gradient.is_none() && !report.gradient_is_right() {
        let off = report.gradient_error.unwrap_or(f64::NAN);
        return Err(RuntimeError::Request {
            field: "model",
            message: format!(
                "{}: the gradient does not agree with the central difference ({off:.1e} off, \
                 relative); nothing was added",
                report.name
            ),
        });
    }
    report.folder = staged.publish()?;
    Ok(report)
}

/// What `model.json` of a new package would say, without hashes; nothing is written or run.
///
/// # Errors
/// As [`add`], but for what shows only when the networks run.
pub fn planned(new: &NewPackage) -> Result<Manifest, RuntimeError> {
    if diffusers::is_pipeline(&new.source) {
        return Ok(pipeline(new)?.manifest);
    }
    if new.source.is_dir() {
        let mut manifest = Package::open(&new.source)?.manifest().clone();
        manifest.name = new.name.clone().unwrap_or(manifest.name);
        return Ok(manifest);
    }
    let like = find_package(&new.like)?;
    Ok(adapted_denoiser(new, &like)?.1)
}

fn pipeline(new: &NewPackage) -> Result<PipelinePackage, RuntimeError> {
    diffusers::read(&new.source, new.name.as_deref(), new.size)
}

/// A package that is taken over; data files that it does not list are put inside its graphs.
fn whole_package(new: &NewPackage, into: &Path) -> Result<(StagedPackage, Manifest), RuntimeError> {
    let whole = Package::open(&new.source)?;
    let mut manifest = whole.manifest().clone();
    manifest.name = new.name.clone().unwrap_or(manifest.name);
    let staged = StagedPackage::copied(&whole, into, &manifest.name, |_| true)?;
    for (role, entry) in &mut manifest.files {
        let is_graph = entry.path.to_ascii_lowercase().ends_with(".onnx");
        if !is_graph || !entry.data.is_empty() {
            continue;
        }
        let path = whole.file(*role)?;
        if !data_files(&path)?.is_empty() {
            staged.put_model(&read(&path)?, entry)?;
        }
    }
    Ok((staged, manifest))
}

/// A package of a denoiser and what else that of `like` has.
fn of_denoiser(new: &NewPackage, into: &Path) -> Result<(StagedPackage, Manifest), RuntimeError> {
    let like = find_package(&new.like)?;
    let (model, mut manifest) = adapted_denoiser(new, &like)?;
    let staged = StagedPackage::copied(&like, into, &manifest.name, |role| role != Role::Denoiser)?;
    if let Some(entry) = manifest.files.get_mut(&Role::Denoiser) {
        match model {
            Some(model) => staged.put_model(&model, entry)?,
            None => staged.put(&new.source, &entry.path)?,
        }
    }
    Ok((staged, manifest))
}

/// A denoiser as it goes into a package, `None` where it is the file as it is, and what that package says.
fn adapted_denoiser(
    new: &NewPackage,
    like: &Package,
) -> Result<(Option<Model>, Manifest), RuntimeError> {
    let name = new.name.clone().ok_or_else(|| RuntimeError::Request {
        field: "name",
        message: "a denoiser's package needs one".to_owned(),
    })?;
    let mut manifest = like.manifest().clone();
    manifest.limits.clear();
    let has_data = !data_files(&new.source)?.is_empty();
    let model = read(&new.source)?;
    let adapted = adapt::denoiser(&new.source, model.clone(), &mut manifest)?;
    manifest.name = name;
    manifest.version = "0.1.0".to_owned();
    manifest.licence = "not said".to_owned();
    manifest.data = "not said".to_owned();
    manifest.metrics.clear();
    manifest.lineage = None;
    manifest.files.insert(Role::Denoiser, adapted.entry);
    Ok((adapted.model.or(has_data.then_some(model)), manifest))
}

fn read(path: &Path) -> Result<Model, RuntimeError> {
    Model::read(path).map_err(not_read(path))
}

fn data_files(path: &Path) -> Result<Vec<PathBuf>, RuntimeError> {
    Model::data_files(path).map_err(not_read(path))
}

fn not_read(path: &Path) -> impl FnOnce(onnx_grad::Error) -> RuntimeError {
    let path = path.to_owned();
    move |source| RuntimeError::Read {
        path,
        source: Box::new(source),
    }
}
