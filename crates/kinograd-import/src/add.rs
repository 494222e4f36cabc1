//! A package of a denoiser of one's own.

use std::path::{Path, PathBuf};

use kinograd_runtime::{
    Engine, EngineOptions, Manifest, Package, RepresentationKind, Role, RuntimeError, find_package,
    open_engine, write_package,
};
use onnx_grad::Model;

use super::diffusers::PipelinePackage;
use super::mask::settled;
use super::mdm::{self, MdmParts};
use super::report::CheckReport;
use super::staged::{Made, StagedPackage, packages_folder};
use super::unguided::check_guidable;
use super::{diffusers, probe};

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
    /// A family of published models whose contract and parts take the place of `like`.
    pub preset: Option<Preset>,
    /// Only make and check the package: nothing is added.
    pub dry_run: bool,
}

/// A family of published models.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// Human Motion Diffusion Model (Tevet et al. 2023).
    Mdm(MdmParts),
    /// Guided Motion Diffusion (Karunratanakul et al. 2023): the same with the root by its place, without
    /// emphasis projection.
    Gmd(MdmParts),
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
    let engine = open_engine(options)?.engine;
    let Made {
        staged,
        manifest,
        adapted,
    } = match &new.preset {
        Some(preset) => of_preset(new, preset, &into, engine.as_ref())?,
        None if diffusers::is_pipeline(&new.source) => diffusers::staged(pipeline(new)?, &into)?,
        None if new.source.is_dir() => whole_package(new, &into)?,
        None => of_denoiser(new, &into, engine.as_ref())?,
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
    report.adapted = adapted;
    report.folder = staged.target();
    if !new.dry_run {
        staged.publish()?;
    }
    Ok(report)
}

fn name_of(new: &NewPackage) -> Result<String, RuntimeError> {
    new.name.clone().ok_or_else(|| RuntimeError::Request {
        field: "name",
        message: "a denoiser's package needs one".to_owned(),
    })
}

fn of_preset(
    new: &NewPackage,
    preset: &Preset,
    into: &Path,
    engine: &dyn Engine,
) -> Result<Made, RuntimeError> {
    let name = name_of(new)?;
    check_guidable(&new.source, &read(&new.source)?)?;
    let (parts, root) = match preset {
        Preset::Mdm(parts) => (parts, RepresentationKind::HumanMl3d),
        Preset::Gmd(parts) => (parts, RepresentationKind::HumanMl3dAbsoluteRoot),
    };
    mdm::staged(&new.source, &name, parts, root, into, engine)
}

/// What `model.json` of a pipeline's package would say, without hashes; nothing is written or run. `None`
/// for what is no pipeline.
///
/// # Errors
/// As [`add`], but for what shows only when the networks run.
pub fn planned(new: &NewPackage) -> Result<Option<Manifest>, RuntimeError> {
    if !diffusers::is_pipeline(&new.source) {
        return Ok(None);
    }
    Ok(Some(pipeline(new)?.manifest))
}

fn pipeline(new: &NewPackage) -> Result<PipelinePackage, RuntimeError> {
    diffusers::read(&new.source, new.name.as_deref(), new.size)
}

/// A package that is taken over; data files that it does not list are put inside its graphs.
fn whole_package(new: &NewPackage, into: &Path) -> Result<Made, RuntimeError> {
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
    Ok(Made {
        staged,
        manifest,
        adapted: Vec::new(),
    })
}

/// A package of a denoiser and what else that of `like` has.
fn of_denoiser(new: &NewPackage, into: &Path, engine: &dyn Engine) -> Result<Made, RuntimeError> {
    let name = name_of(new)?;
    let like = find_package(&new.like)?;
    let mut manifest = like.manifest().clone();
    manifest.limits.clear();
    let has_data = !data_files(&new.source)?.is_empty();
    let mut model = read(&new.source)?;
    if manifest.image.is_none() {
        check_guidable(&new.source, &model)?;
    }
    let adapted = settled(engine, &new.source, &model, &mut manifest)?;
    let mut entry = adapted.entry;
    let staged = StagedPackage::copied(&like, into, &name, |role| role != Role::Denoiser)?;
    let is_adapted = adapted.model.is_some();
    if let Some(adapted) = adapted.model {
        model = adapted;
    }
    if is_adapted || has_data {
        staged.put_model(&model, &mut entry)?;
    } else {
        staged.put(&new.source, &entry.path)?;
    }
    manifest.name = name;
    manifest.version = "0.1.0".to_owned();
    manifest.licence = "not said".to_owned();
    manifest.data = "not said".to_owned();
    manifest.metrics.clear();
    manifest.lineage = None;
    manifest.files.insert(Role::Denoiser, entry);
    Ok(Made {
        staged,
        manifest,
        adapted: adapted.notes,
    })
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
