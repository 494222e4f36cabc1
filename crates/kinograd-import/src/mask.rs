//! What a denoiser's mask of frames means, by what it does.

use std::path::Path;

use kinograd_runtime::{Engine, Manifest, ModelSource, RuntimeError, SessionOptions, Tensor};
use ndarray::{Array1, Array2, ArrayD, Axis, Slice, concatenate, s};
use onnx_grad::Model;

use super::adapt::{self, AdaptedDenoiser, MaskMeaning};
use super::report::noises;

/// Frames that a graph of any length is run with.
const FRAMES: usize = 48;
/// Largest difference that rounding makes, relative to the output.
const ROUNDING: f64 = 1e-3;

/// The denoiser in the contract of packages, its mask as the graph reads it: what lies beyond a clip's
/// length must not change what lies within. Of a graph that no mask keeps from that, nothing is padded.
///
/// # Errors
/// As [`adapt::denoiser`].
pub(super) fn settled(
    engine: &dyn Engine,
    onnx: &Path,
    model: &Model,
    manifest: &mut Manifest,
) -> Result<AdaptedDenoiser, RuntimeError> {
    let fitted = |meaning| {
        let mut fitted = manifest.clone();
        let adapted = adapt::denoiser(onnx, model.clone(), &mut fitted, meaning)?;
        Ok::<_, RuntimeError>((adapted, fitted))
    };
    let (adapted, real) = fitted(MaskMeaning::RealIsOne)?;
    if manifest.representation.is_none() || !adapted.has_mask {
        *manifest = real;
        return Ok(adapted);
    }
    // What does not run here is refused when the whole package is checked, with what was asked of it.
    let leak = leak(engine, &adapted, model, &real).unwrap_or(0.0);
    if leak <= ROUNDING {
        *manifest = real;
        return Ok(adapted);
    }
    let (inverted, padding) = fitted(MaskMeaning::PaddingIsOne)?;
    let of_inverted = self::leak(engine, &inverted, model, &padding).unwrap_or(f64::INFINITY);
    if of_inverted <= ROUNDING.min(0.1 * leak) {
        *manifest = padding;
        return Ok(inverted);
    }
    let (adapted, ignored) = fitted(MaskMeaning::Ignored)?;
    *manifest = ignored;
    Ok(adapted)
}

/// How much x̂0 of the real frames changes with what lies beyond them, relative to x̂0.
fn leak(
    engine: &dyn Engine,
    adapted: &AdaptedDenoiser,
    model: &Model,
    manifest: &Manifest,
) -> Result<f64, RuntimeError> {
    let model = adapted.model.as_ref().unwrap_or(model);
    let bytes = model.to_bytes().map_err(|source| RuntimeError::Graph {
        path: "denoiser.onnx".into(),
        source,
    })?;
    let source = ModelSource::memory("denoiser", bytes);
    let mut session = engine.load(&source, &SessionOptions::default())?;
    let (rows, frames) = (
        adapted.entry.batch.unwrap_or(1),
        frames_of(adapted, manifest),
    );
    let real = frames / 2;
    let [one, other, _] = noises(&[rows, frames, manifest.motion()?.features])?;
    let within = |x: &ArrayD<f32>| x.slice_axis(Axis(1), Slice::from(..real)).to_owned();
    let beyond = other.slice_axis(Axis(1), Slice::from(real..));
    let moved = concatenate(Axis(1), &[within(&one).view(), beyond.view()]);
    let moved = moved.map_err(|error| RuntimeError::Tensor {
        what: "clips".into(),
        expected: "equal shapes".into(),
        got: error.to_string(),
    })?;
    let mut mask = Array2::<f32>::zeros((rows, frames));
    mask.slice_mut(s![.., ..real]).fill(1.0);
    let condition = Array2::<f32>::zeros((rows, manifest.text()?.dims));
    let mut run = |x: ArrayD<f32>| -> Result<ArrayD<f32>, RuntimeError> {
        let named = [
            ("x_t", Tensor::from(x)),
            (
                "timestep",
                Tensor::from(Array1::<f32>::from_elem(rows, 10.0)),
            ),
            ("condition", Tensor::from(condition.clone())),
            ("frame_mask", Tensor::from(mask.clone())),
        ];
        let inputs = &adapted.entry.inputs;
        let named: Vec<(&str, &Tensor)> = named
            .iter()
            .map(|(name, tensor)| (inputs.get(*name).map_or(*name, String::as_str), tensor))
            .collect();
        let x0 = adapted.entry.outputs.get("x0").map_or("x0", String::as_str);
        Ok(within(&session.run(&named, &[x0])?.remove(0).into_f32()?))
    };
    let (first, second) = (run(one)?, run(moved)?);
    let largest = |x: &ArrayD<f32>| {
        x.iter()
            .fold(0.0_f64, |most, &x| most.max(f64::from(x.abs())))
    };
    let change = largest(&(&first - &second)) / largest(&first).max(f64::MIN_POSITIVE);
    // A row without any real frame may be no number at all.
    let is_finite = first.iter().chain(&second).all(|value| value.is_finite());
    Ok(if is_finite { change } else { f64::INFINITY })
}

/// Frames that the graph runs with: its own, else a multiple of its patches.
fn frames_of(adapted: &AdaptedDenoiser, manifest: &Manifest) -> usize {
    let clips = manifest.representation.as_ref();
    let patch = adapted.entry.patch_frames;
    let patch = patch
        .or(clips.map(|clips| clips.patch_frames))
        .unwrap_or(1)
        .max(1);
    FRAMES.div_ceil(patch) * patch
}
