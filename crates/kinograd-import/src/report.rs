//! What a check of a package finds.

use std::path::PathBuf;

use kinograd_diffusion::{NoiseLevel, NoiseSource, SeededNoise};
use kinograd_runtime::{OpenEngine, Package, RuntimeError};
use ndarray::{ArrayD, IxDyn};
use serde::Serialize;

use super::precision::Precision;

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
    /// Of a denoiser that is added: what becomes of which of its tensors, in words.
    pub adapted: Vec<String>,
    /// The coarsest numbers that a network computes with.
    #[serde(skip)]
    precision: Precision,
}

impl CheckReport {
    pub(super) fn new(package: &Package, engine: &OpenEngine, x0: &ArrayD<f32>) -> Self {
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
            adapted: Vec::new(),
            precision: Precision::of_package(package),
        }
    }

    /// Half width of the central difference, in units of the noise.
    pub(super) fn difference(&self) -> f32 {
        self.precision.difference()
    }

    /// Compares `Jᵀv` with the difference of the outputs at x + δu and x − δu, δ being
    /// [`CheckReport::difference`]; of several networks the worst is kept.
    pub(super) fn compare(
        &mut self,
        pulled: &ArrayD<f32>,
        u: &ArrayD<f32>,
        v: &ArrayD<f32>,
        outputs: &ArrayD<f32>,
    ) {
        let by_difference = dot(v, outputs) / (2.0 * f64::from(self.difference()));
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
        let tolerance = self.precision.tolerance();
        self.gradient_error.is_some_and(|error| error <= tolerance)
    }
}

/// The noise level in the middle of a training's steps, with as much noise as signal.
pub(super) fn middle(package: &Package) -> NoiseLevel {
    let schedule = package.manifest().schedule;
    NoiseLevel {
        timestep: schedule.map_or(500.0, |schedule| (schedule.train_steps / 2) as f64),
        alpha_bar: 0.5,
    }
}

pub(super) fn noises(shape: &[usize]) -> Result<[ArrayD<f32>; 3], RuntimeError> {
    let mut source = SeededNoise::new(vec![0]);
    let mut draws = [(); 3].map(|()| ArrayD::zeros(IxDyn(shape)));
    for draw in &mut draws {
        source.fill(draw)?;
    }
    Ok(draws)
}

pub(super) fn moved(x: &ArrayD<f32>, direction: &ArrayD<f32>, by: f32) -> ArrayD<f32> {
    x + &direction.mapv(|value| by * value)
}

fn dot(a: &ArrayD<f32>, b: &ArrayD<f32>) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}
