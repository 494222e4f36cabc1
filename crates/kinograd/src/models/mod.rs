//! Checking model packages, and making one of a denoiser of one's own.

mod images;
mod motion;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kinograd_diffusion::{NoiseSource, SeededNoise};
use kinograd_runtime::{
    EngineOptions, FileEntry, Manifest, OpenEngine, Package, Role, TensorSummary, find_package,
    inspect, open_engine, user_models, write_package,
};
use ndarray::{ArrayD, IxDyn};
use serde::Serialize;

use crate::Error;

/// Half width of the central difference, in units of the noise.
const DIFFERENCE: f32 = 1e-2;
/// Largest difference between gradient and central difference that passes, relative.
const GRADIENT_TOLERANCE: f64 = 2e-2;

/// What a check of a package found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// The package.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The engine that ran it.
    pub engine: String,
    /// Files whose hashes are right.
    pub files: usize,
    /// Root mean square of x̂0 of pure noise, normalised units.
    pub output_rms: f64,
    /// Why there is no gradient, if there is none.
    pub no_gradient: Option<String>,
    /// ⟨v, J u⟩ by central difference and ⟨Jᵀv, u⟩ by the gradient, for random u and v.
    pub directional_derivatives: Option<[f64; 2]>,
    /// Their difference, relative to ‖Jᵀv‖ (its deviation over random u).
    pub gradient_error: Option<f64>,
}

impl CheckReport {
    fn new(package: &Package, engine: &OpenEngine, x0: &ArrayD<f32>) -> Self {
        let report = &engine.report;
        Self {
            name: package.manifest().name.clone(),
            folder: package.folder().to_path_buf(),
            engine: format!("{} {} ({})", report.engine, report.version, report.provider),
            files: package.manifest().files.len(),
            output_rms: (dot(x0, x0) / x0.len() as f64).sqrt(),
            no_gradient: None,
            directional_derivatives: None,
            gradient_error: None,
        }
    }

    /// Compares `Jᵀv` with the difference of the outputs at x + [`DIFFERENCE`] u and x −
    /// [`DIFFERENCE`] u; of several networks the worst is kept.
    fn compare(
        &mut self,
        pulled: &ArrayD<f32>,
        u: &ArrayD<f32>,
        v: &ArrayD<f32>,
        outputs: &ArrayD<f32>,
    ) {
        let by_difference = dot(v, outputs) / (2.0 * f64::from(DIFFERENCE));
        let by_gradient = dot(pulled, u);
        let scale = dot(pulled, pulled).sqrt().max(f64::MIN_POSITIVE);
        let error = (by_difference - by_gradient).abs() / scale;
        let is_worse = |worst: f64| error.is_nan() || error > worst;
        if self.gradient_error.is_none_or(is_worse) {
            self.gradient_error = Some(error);
            self.directional_derivatives = Some([by_difference, by_gradient]);
        }
    }

    /// Whether the gradient agrees with the central difference.
    #[must_use]
    pub fn gradient_is_right(&self) -> bool {
        self.gradient_error
            .is_some_and(|error| error <= GRADIENT_TOLERANCE)
    }
}

/// Checks the hashes of a package's files, encodes a prompt, runs every network that a gradient is
/// pulled through once and compares that gradient with a central difference.
///
/// # Errors
/// [`Error::Runtime`] for a missing file, a wrong hash or a graph that does not run.
pub fn check(model: &str, options: &EngineOptions) -> Result<CheckReport, Error> {
    check_package(&find_package(model)?, options)
}

fn check_package(package: &Package, options: &EngineOptions) -> Result<CheckReport, Error> {
    package.check()?;
    let engine = open_engine(options)?;
    if package.manifest().image.is_some() {
        return images::check(package, &engine);
    }
    motion::check(package, &engine)
}

fn noises(shape: &[usize]) -> Result<[ArrayD<f32>; 3], Error> {
    let mut source = SeededNoise::new(vec![0]);
    let mut draws = [(); 3].map(|()| ArrayD::zeros(IxDyn(shape)));
    for draw in &mut draws {
        source.fill(draw)?;
    }
    Ok(draws)
}

fn moved(x: &ArrayD<f32>, direction: &ArrayD<f32>, by: f32) -> ArrayD<f32> {
    x + &direction.mapv(|value| by * value)
}

fn dot(a: &ArrayD<f32>, b: &ArrayD<f32>) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

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
/// [`Error::Request`] if the name is taken or an input cannot be told; otherwise as [`check`].
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
    report.folder = staged.publish()?;
    Ok(report)
}

/// The folder that new packages go to: the one that is named, or the user's own.
pub(crate) fn packages_folder(into: Option<&Path>) -> Result<PathBuf, Error> {
    match into {
        Some(folder) => Ok(folder.to_owned()),
        None => user_models().ok_or_else(|| Error::Request {
            field: "into",
            message: "the user has no data folder; name a folder".to_owned(),
        }),
    }
}

/// A package's folder under a hidden name, which is renamed when it is whole and else removed.
pub(crate) struct StagedPackage {
    staging: tempfile::TempDir,
    folder: PathBuf,
}

impl StagedPackage {
    /// Copies the files of some roles of `like` for a package of this name.
    pub(crate) fn copied(
        like: &Package,
        into: &Path,
        name: &str,
        wanted: impl Fn(Role) -> bool,
    ) -> Result<Self, Error> {
        let folder = new_folder(into, name)?;
        let fail = write_failed(&folder);
        std::fs::create_dir_all(into).map_err(&fail)?;
        let staging = tempfile::Builder::new()
            .prefix(".kinograd-")
            .tempdir_in(into)
            .map_err(&fail)?;
        let staged = Self { staging, folder };
        for (role, file) in &like.manifest().files {
            if wanted(*role) {
                staged.put(&like.file(*role)?, &file.path)?;
            }
        }
        Ok(staged)
    }

    pub(crate) fn path(&self) -> &Path {
        self.staging.path()
    }

    /// Copies a file to a place in the package.
    fn put(&self, from: &Path, to: &str) -> Result<(), Error> {
        let to = self.path().join(to);
        let fail = write_failed(&self.folder);
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).map_err(&fail)?;
        }
        std::fs::copy(from, &to).map_err(&fail)?;
        Ok(())
    }

    /// Writes `model.json` and gives the folder its name.
    pub(crate) fn finish(self, manifest: Manifest) -> Result<PathBuf, Error> {
        write_package(self.path(), manifest)?.check()?;
        self.publish()
    }

    fn publish(self) -> Result<PathBuf, Error> {
        std::fs::rename(self.staging.keep(), &self.folder).map_err(write_failed(&self.folder))?;
        Ok(self.folder)
    }
}

/// Whether a package of this name can be made in `into`, or among the user's own.
///
/// # Errors
/// [`Error::Request`] if the name is no plain word or taken.
pub fn check_new_name(name: &str, into: Option<&Path>) -> Result<(), Error> {
    new_folder(&packages_folder(into)?, name).map(|_| ())
}

/// Where a package of this name goes, if nothing is there yet.
pub(crate) fn new_folder(into: &Path, name: &str) -> Result<PathBuf, Error> {
    let refuse = |message: String| {
        Err(Error::Request {
            field: "name",
            message,
        })
    };
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':']) {
        return refuse(format!("`{name}` must be a plain word"));
    }
    let folder = into.join(name);
    if folder.exists() {
        return refuse(format!("{} is there already", folder.display()));
    }
    Ok(folder)
}

fn write_failed(folder: &Path) -> impl Fn(std::io::Error) -> Error + use<> {
    let path = folder.to_owned();
    move |source| Error::Write {
        path: path.clone(),
        source: Box::new(source),
    }
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

/// The tensor of this name, else the only one that fits.
fn find(
    tensors: &[TensorSummary],
    name: &str,
    fits: impl Fn(&TensorSummary) -> bool,
) -> Option<String> {
    if tensors.iter().any(|tensor| tensor.name == name) {
        return Some(name.to_owned());
    }
    let mut fitting = tensors.iter().filter(|tensor| fits(tensor));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only.name.clone()),
        _ => None,
    }
}

fn renamed(
    onnx: &Path,
    found: &[(&str, Option<String>)],
    tensors: &[TensorSummary],
) -> Result<BTreeMap<String, String>, Error> {
    let mut names = BTreeMap::new();
    for (canonical, own) in found {
        let own = own.as_ref().ok_or_else(|| Error::Request {
            field: "model",
            message: format!(
                "{}: cannot emit which tensor is `{canonical}` among {}; name it so when you export",
                onnx.display(),
                tensors
                    .iter()
                    .map(|t| format!("`{}` {:?}", t.name, t.shape.as_deref().unwrap_or_default()))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        })?;
        if own != canonical {
            names.insert((*canonical).to_owned(), own.clone());
        }
    }
    Ok(names)
}
