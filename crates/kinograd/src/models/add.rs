//! A package of a denoiser of one's own.

use std::path::{Path, PathBuf};

use kinograd_runtime::{
    EngineOptions, FileEntry, Manifest, Package, Role, TensorSummary, find_package, inspect,
    write_package,
};

use super::check::check_package;
use super::images;
use super::ports::{find, renamed};
use super::report::CheckReport;
use super::staged::{StagedPackage, packages_folder};
use crate::Error;

/// A package to make of a denoiser, or to take over whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPackage {
    /// The denoiser, ONNX, or the folder of a package.
    pub source: PathBuf,
    /// The package's name and folder; a package that is taken over may keep its own.
    pub name: Option<String>,
    /// Of a denoiser: the package whose other files it shares.
    pub like: String,
    /// Folder of packages to write to; the user's own if `None`.
    pub into: Option<PathBuf>,
}

/// Makes a package: finds out which of the graph's inputs is which by names and shapes, copies
/// the files, runs the networks once and checks their gradients. The package's folder is whole or
/// not there.
///
/// # Errors
/// [`Error::Request`] if the name is taken, an input cannot be told or a gradient is wrong; otherwise as
/// [`check`](super::check).
pub fn add(new: &NewPackage, options: &EngineOptions) -> Result<CheckReport, Error> {
    let into = packages_folder(new.into.as_deref())?;
    let (staged, manifest) = if new.source.is_dir() {
        let whole = Package::open(&new.source)?;
        let mut manifest = whole.manifest().clone();
        manifest.name = new.name.clone().unwrap_or(manifest.name);
        let staged = StagedPackage::copied(&whole, &into, &manifest.name, |_| true)?;
        (staged, manifest)
    } else {
        let name = new.name.clone().ok_or_else(|| Error::Request {
            field: "name",
            message: "a denoiser's package needs one".to_owned(),
        })?;
        let like = find_package(&new.like)?;
        let mut manifest = like.manifest().clone();
        let entry = denoiser_entry(&new.source, &mut manifest)?;
        let staged = StagedPackage::copied(&like, &into, &name, |role| role != Role::Denoiser)?;
        staged.put(&new.source, &entry.path)?;
        manifest.name = name;
        manifest.version = "0.1.0".to_owned();
        manifest.licence = "not said".to_owned();
        manifest.data = "not said".to_owned();
        manifest.limits.clear();
        manifest.metrics.clear();
        manifest.lineage = None;
        manifest.files.insert(Role::Denoiser, entry);
        (staged, manifest)
    };
    let package = write_package(staged.path(), manifest)?;
    let mut report = check_package(&package, options)?;
    if report.no_gradient.is_none() && !report.gradient_is_right() {
        let off = report.gradient_error.unwrap_or(f64::NAN);
        return Err(Error::Request {
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

/// Tells the graph's inputs apart: by the contract's names, else by rank and width.
fn denoiser_entry(onnx: &Path, manifest: &mut Manifest) -> Result<FileEntry, Error> {
    let summary = inspect(onnx)?;
    if manifest.image.is_some() {
        return images::denoiser_entry(onnx, &summary, manifest);
    }
    let features = manifest.motion()?.features.to_string();
    let dims = manifest.text()?.dims.to_string();
    let rank = |tensor: &TensorSummary| tensor.shape.as_ref().map(Vec::len);
    let width = |tensor: &TensorSummary| tensor.shape.as_ref().and_then(|s| s.last().cloned());
    let is_x = |t: &TensorSummary| rank(t) == Some(3) && width(t).as_ref() == Some(&features);
    let is_condition = |t: &TensorSummary| rank(t) == Some(2) && width(t).as_ref() == Some(&dims);
    let is_mask = |t: &TensorSummary| rank(t) == Some(2) && width(t).as_ref() != Some(&dims);
    let is_time = |t: &TensorSummary| rank(t) == Some(1);
    let inputs = [
        ("x_t", find(&summary.inputs, "x_t", is_x)),
        ("timestep", find(&summary.inputs, "timestep", is_time)),
        (
            "condition",
            find(&summary.inputs, "condition", is_condition),
        ),
        ("frame_mask", find(&summary.inputs, "frame_mask", is_mask)),
    ];
    let outputs = [("x0", find(&summary.outputs, "x0", is_x))];
    Ok(FileEntry {
        path: "denoiser.onnx".to_owned(),
        inputs: renamed(onnx, &inputs, &summary.inputs)?,
        outputs: renamed(onnx, &outputs, &summary.outputs)?,
        ..FileEntry::default()
    })
}
