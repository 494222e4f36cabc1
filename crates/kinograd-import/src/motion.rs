//! Checks of motion packages.

use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, NoiseLevel};
use kinograd_files::error_chain;
use kinograd_runtime::{
    ClipBatch, MotionEmbedding, OnnxDenoiser, OpenEngine, Package, Role, RuntimeError,
    SessionOptions, TextEncoder,
};
use ndarray::{Array2, ArrayD};

use super::report::{CheckReport, middle, moved, noises};

/// Frames of the clip that a check runs; no multiple of a patch, so that padding is checked too.
const FRAMES: usize = 42;

/// Frames of a clip that the package makes, [`FRAMES`] if it can.
pub(super) fn frames_of(package: &Package) -> Result<usize, RuntimeError> {
    let clips = package.manifest().motion()?;
    Ok(FRAMES.clamp(clips.min_frames, clips.max_frames))
}

/// Encodes a prompt, runs denoiser and motion embedding once, and compares their gradients.
pub(super) fn check(package: &Package, engine: &OpenEngine) -> Result<CheckReport, RuntimeError> {
    let manifest = package.manifest();
    let session = SessionOptions::default();
    let mut text = TextEncoder::open(&engine.engine, package, &session)?;
    let prompt = manifest.known_prompts.first();
    let prompt = prompt.map_or("a person walks", String::as_str);
    let text = text.encode(&[prompt])?;
    let frames = frames_of(package)?;
    let clips = noises(&[1, frames, manifest.motion()?.features])?;
    let mut found = None;
    if package.has(Role::Denoiser) {
        let mut denoiser = OnnxDenoiser::open(engine.engine.clone(), package, session.clone())?;
        denoiser.set_batch(ClipBatch {
            condition: text.condition,
            blend_weights: None,
            lengths: vec![frames],
            guidance_scale: 1.0,
        })?;
        let level = middle(package);
        found = Some(check_denoiser(&mut denoiser, level, &clips, |x0| {
            CheckReport::new(package, engine, x0)
        })?);
    }
    if package.has(Role::MotionEmbedding) {
        let mut embedding = MotionEmbedding::open(engine.engine.clone(), package, session)?;
        let embedded = embedding.embed(&clips[0], &[frames])?;
        let into =
            found.get_or_insert_with(|| CheckReport::new(package, engine, &embedded.into_dyn()));
        check_embedding(&mut embedding, &clips, &text.embedding, into)?;
    }
    found.ok_or_else(|| RuntimeError::Request {
        field: "model",
        message: format!("{} has no network of motion", manifest.name),
    })
}

fn check_denoiser(
    denoiser: &mut OnnxDenoiser,
    level: NoiseLevel,
    [x, u, v]: &[ArrayD<f32>; 3],
    report: impl FnOnce(&ArrayD<f32>) -> CheckReport,
) -> Result<CheckReport, RuntimeError> {
    let mut found = report(&denoiser.denoise(x, level)?);
    let gradient = |denoiser: &mut OnnxDenoiser| -> Result<ArrayD<f32>, RuntimeError> {
        let (_, mut pull_back) = denoiser.linearize(x, level)?;
        Ok(pull_back(v)?)
    };
    match gradient(denoiser) {
        Ok(pulled) => {
            let step = found.difference();
            let ahead = denoiser.denoise(&moved(x, u, step), level)?;
            let behind = denoiser.denoise(&moved(x, u, -step), level)?;
            found.compare(&pulled, u, v, &(&ahead - &behind));
        }
        Err(error) => found.no_gradient = Some(error_chain(&error)),
    }
    Ok(found)
}

/// The cotangent is the text's embedding: what steers is the cosine with it.
fn check_embedding(
    embedding: &mut MotionEmbedding,
    [x, u, _]: &[ArrayD<f32>; 3],
    text: &Array2<f32>,
    found: &mut CheckReport,
) -> Result<(), RuntimeError> {
    let lengths = [x.shape().get(1).copied().unwrap_or(FRAMES)];
    match embedding.cosine_distance_and_grad(x, &lengths, text.view()) {
        Ok((_, gradient)) => {
            let step = found.difference();
            let ahead = embedding.embed(&moved(x, u, step), &lengths)?;
            let behind = embedding.embed(&moved(x, u, -step), &lengths)?;
            let pulled = gradient.mapv(|value| -value);
            let v = text.clone().into_dyn();
            found.compare(&pulled, u, &v, &(&ahead - &behind).into_dyn());
        }
        Err(error) => found.no_gradient = Some(error_chain(&error)),
    }
    Ok(())
}
