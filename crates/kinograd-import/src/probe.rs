//! Whether a new package makes all that it says, before it is added.

use std::path::Path;

use kinograd_diffusion::Denoiser;
use kinograd_runtime::{
    ClipBatch, EngineOptions, OnnxDenoiser, Package, Role, RuntimeError, SessionOptions,
    open_engine,
};
use ndarray::{Array2, Axis, concatenate};

use super::check::check_package;
use super::motion::frames_of;
use super::report::{CheckReport, middle, noises};

/// Checks a new package, and that its denoiser makes clips of all lengths that it says, two in a batch:
/// exports are often fixed to the shapes of their example inside, which their inputs do not tell.
pub(super) fn check_new(
    package: &Package,
    options: &EngineOptions,
    source: &Path,
) -> Result<CheckReport, RuntimeError> {
    let report = check_package(package, options);
    let report = report.map_err(|error| not_run(source, error, "one sample"))?;
    let manifest = package.manifest();
    if source.is_dir() || manifest.representation.is_none() || !package.has(Role::Denoiser) {
        return Ok(report);
    }
    let clips = manifest.motion()?;
    let usual = frames_of(package)?;
    for frames in [usual, clips.min_frames, clips.max_frames] {
        run(package, options, frames).map_err(|error| {
            let what = format!("two clips of {frames} frames");
            not_run(source, error, &what)
        })?;
    }
    Ok(report)
}

/// Runs two clips of this many frames.
fn run(package: &Package, options: &EngineOptions, frames: usize) -> Result<(), RuntimeError> {
    let manifest = package.manifest();
    let engine = open_engine(options)?.engine;
    let mut denoiser = OnnxDenoiser::open(engine, package, SessionOptions::default())?;
    denoiser.set_batch(ClipBatch {
        condition: Array2::zeros((2, manifest.text()?.dims)),
        blend_weights: None,
        lengths: vec![frames; 2],
        guidance_scale: 1.0,
    })?;
    let [one, other, _] = noises(&[1, frames, manifest.motion()?.features])?;
    let x = concatenate![Axis(0), one, other];
    denoiser.denoise(&x, middle(package))?;
    Ok(())
}

/// What an engine says is about its own insides; what it was given says more.
fn not_run(source: &Path, error: RuntimeError, what: &str) -> RuntimeError {
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        let is_engine = matches!(
            error.downcast_ref::<RuntimeError>(),
            Some(
                RuntimeError::Run { .. } | RuntimeError::Load { .. } | RuntimeError::Tensor { .. }
            )
        );
        if is_engine {
            tracing::debug!("{error}");
            return RuntimeError::Request {
                field: "model",
                message: format!(
                    "{}: the network does not run for {what}, though its inputs allow it: its inside may \
                     be fixed to the shapes of the example that it was exported with; export it with \
                     free axes (dynamic_axes or dynamic_shapes), or state at its inputs what is fixed; \
                     nothing was added (-v shows what the engine says)",
                    source.display()
                ),
            };
        }
        cause = error.source();
    }
    error
}
