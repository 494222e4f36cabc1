//! Checks of image packages, and denoisers that become one.

use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, NoiseLevel};
use kinograd_files::error_chain;
use kinograd_runtime::{
    ImageCondition, ImageDecoder, OnnxDenoiser, OnnxNetwork, OpenEngine, Package, PictureBatch,
    Role, RuntimeError, SessionOptions, TextEncoder,
};
use ndarray::ArrayD;

use super::report::{CheckReport, moved, noises};

/// Runs every network of an image, embedding or segmentation package once and compares the
/// gradients of those that guidance pulls back through.
pub(super) fn check(package: &Package, engine: &OpenEngine) -> Result<CheckReport, RuntimeError> {
    let manifest = package.manifest();
    let options = SessionOptions::default();
    let picture = batch_of(manifest.image()?.size());
    let mut found: Option<CheckReport> = None;
    if package.has(Role::Denoiser) {
        found = Some(check_denoiser(package, engine, &options)?);
    }
    if let Some(decoder) = ImageDecoder::open(engine.engine.clone(), package, options.clone())? {
        let x = noises(&batch_of(manifest.sample_size()?))?;
        let mut decoder = decoder;
        let decoded = decoder.decode(&x[0])?;
        let into = found.get_or_insert_with(|| CheckReport::new(package, engine, &decoded));
        let run = |x: &ArrayD<f32>, v: Option<&ArrayD<f32>>| match v {
            None => Ok(decoder.decode(x)?),
            Some(v) => Ok(decoder.linearize(x)?.1(v)?),
        };
        compare(into, run, &x, &decoded)?;
    }
    for (role, output) in [
        (Role::ImageEmbedding, "embedding"),
        (Role::Segmentation, "logits"),
    ] {
        if !package.has(role) {
            continue;
        }
        let (shared, options) = (engine.engine.clone(), options.clone());
        let mut network = OnnxNetwork::of_package(shared, package, role, "image", output, options)?;
        let x = noises(&picture)?;
        let embedded = network.run(&x[0])?;
        let into = found.get_or_insert_with(|| CheckReport::new(package, engine, &embedded));
        let run = |x: &ArrayD<f32>, v: Option<&ArrayD<f32>>| match v {
            None => Ok(network.run(x)?),
            Some(v) => Ok(network.linearize(x)?.1(v)?),
        };
        compare(into, run, &x, &embedded)?;
    }
    if package.has(Role::TextEncoder) && !manifest.takes_text() {
        TextEncoder::open(&engine.engine, package, &options)?.encode(&["a picture"])?;
    }
    found.ok_or_else(|| RuntimeError::Request {
        field: "model",
        message: format!("{} has no network of images", manifest.name),
    })
}

fn batch_of([channels, height, width]: [usize; 3]) -> [usize; 4] {
    [1, channels, height, width]
}

fn check_denoiser(
    package: &Package,
    engine: &OpenEngine,
    options: &SessionOptions,
) -> Result<CheckReport, RuntimeError> {
    let manifest = package.manifest();
    let mut denoiser = OnnxDenoiser::open(engine.engine.clone(), package, options.clone())?;
    let text = if manifest.takes_text() {
        let mut encoder = TextEncoder::open(&engine.engine, &package.text_package()?, options)?;
        Some(encoder.image_text("a picture")?)
    } else {
        None
    };
    denoiser.set_batch(PictureBatch::of(ImageCondition {
        class: manifest.classes.as_ref().map(|_| 0),
        text,
    }))?;
    let schedule = manifest.noise_schedule()?;
    let level = schedule.level((schedule.train_steps() / 2) as f64)?;
    let x = noises(&batch_of(manifest.sample_size()?))?;
    // One copy of the weights for both; why there is no gradient is found out below.
    let _ = denoiser.prepare(true);
    let x0 = denoiser.denoise(&x[0], level)?;
    let mut found = CheckReport::new(package, engine, &x0);
    let run = |x: &ArrayD<f32>, v: Option<&ArrayD<f32>>| at(&mut denoiser, x, v, level);
    compare(&mut found, run, &x, &x0)?;
    Ok(found)
}

fn at(
    denoiser: &mut OnnxDenoiser,
    x: &ArrayD<f32>,
    v: Option<&ArrayD<f32>>,
    level: NoiseLevel,
) -> Result<ArrayD<f32>, RuntimeError> {
    match v {
        None => Ok(denoiser.denoise(x, level)?),
        Some(v) => Ok(denoiser.linearize(x, level)?.1(v)?),
    }
}

/// `run(x, None)` is the output at x, `run(x, Some(v))` is Jᵀv there; `[x, u, _]` are noise.
fn compare(
    found: &mut CheckReport,
    mut run: impl FnMut(&ArrayD<f32>, Option<&ArrayD<f32>>) -> Result<ArrayD<f32>, RuntimeError>,
    [x, u, _]: &[ArrayD<f32>; 3],
    output: &ArrayD<f32>,
) -> Result<(), RuntimeError> {
    let [_, _, v] = noises(output.shape())?;
    match run(x, Some(&v)) {
        Ok(pulled) => {
            let step = found.difference();
            let ahead = run(&moved(x, u, step), None)?;
            let behind = run(&moved(x, u, -step), None)?;
            found.compare(&pulled, u, &v, &(&ahead - &behind));
        }
        Err(error) => found.no_gradient = Some(error_chain(&error)),
    }
    Ok(())
}
