//! The denoiser of a package against its closed form, on both engines.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking"
)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::package::{DIMS, FEATURES, Model, clips, manifest, write};
use common::{engines, max_difference, noise};
use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, NoiseLevel};
use kinograd_runtime::{
    ClipBatch, Engine, Manifest, OnnxDenoiser, Package, PictureBatch, Prediction, ScheduleKind,
    SessionOptions, TimeInput,
};
use ndarray::{Array2, Array3, ArrayD, Axis, s};

const LEVEL: NoiseLevel = NoiseLevel {
    timestep: 321.5,
    alpha_bar: 0.64,
};
const TOLERANCE: f32 = 2e-6;

fn conditions(batch: usize) -> Array2<f32> {
    Array2::from_shape_vec((batch, DIMS), noise(batch * DIMS, 41)).unwrap()
}

fn denoiser(engine: &Arc<dyn Engine>, package: &Package, cache: Option<&Path>) -> OnnxDenoiser {
    let options = SessionOptions {
        cache_dir: cache.map(Path::to_owned),
        ..SessionOptions::default()
    };
    OnnxDenoiser::open(engine.clone(), package, options).unwrap()
}

/// Predictions, and what the network is told of the time.
const FAMILIES: [(Prediction, TimeInput); 6] = [
    (Prediction::X0, TimeInput::Discrete),
    (Prediction::X0, TimeInput::Continuous),
    (Prediction::Epsilon, TimeInput::Discrete),
    (Prediction::V, TimeInput::Discrete),
    (Prediction::Flow, TimeInput::Discrete),
    (Prediction::Flow, TimeInput::Continuous),
];

fn manifest_of((prediction, time): (Prediction, TimeInput)) -> Manifest {
    let mut manifest = manifest();
    manifest.prediction = prediction;
    let schedule = manifest.schedule.as_mut().unwrap();
    schedule.time = time;
    if prediction == Prediction::Flow {
        schedule.kind = ScheduleKind::Flow;
    }
    manifest
}

/// x̂0 and Jᵀv by hand: clip by clip, without padding or masks.
fn by_hand(
    (prediction, time): (Prediction, TimeInput),
    x: &ArrayD<f32>,
    v: &ArrayD<f32>,
    batch: &ClipBatch,
) -> (ArrayD<f32>, ArrayD<f32>) {
    let model = Model::new();
    let (signal, noise) = (
        LEVEL.alpha_bar.sqrt() as f32,
        (1.0 - LEVEL.alpha_bar).sqrt() as f32,
    );
    // A flow's sample is (1 − σ) x0 + σ noise, with σ / (1 − σ) as noise / signal.
    let sigma = noise / (signal + noise);
    let (input, skip, scale) = match prediction {
        Prediction::X0 => (1.0, 0.0, 1.0),
        Prediction::Epsilon => (1.0, 1.0 / signal, -noise / signal),
        Prediction::V => (1.0, signal, -noise),
        Prediction::Flow => (1.0 / (signal + noise), 1.0 / (signal + noise), -sigma),
    };
    let discrete = match prediction {
        Prediction::Flow => f64::from(sigma) * 1000.0,
        _ => LEVEL.timestep,
    };
    let time = match time {
        TimeInput::Discrete => discrete,
        TimeInput::Continuous => discrete / 1000.0,
    };
    let mut x0 = Array3::zeros((x.shape()[0], x.shape()[1], x.shape()[2]));
    let mut pulled = x0.clone();
    let s = batch.guidance_scale as f32;
    for (sample, &length) in batch.lengths.iter().enumerate() {
        let cut = |a: &ArrayD<f32>| -> Array2<f32> {
            a.index_axis(Axis(0), sample)
                .slice(s![..length, ..])
                .to_owned()
        };
        let (x, v) = (cut(x), cut(v));
        let seen = &x * input;
        let without = model.output(&seen, &model.null_condition, time);
        let mut guided = &without * (1.0 - s);
        let mut gradient = model.pulled(&without, &v) * (1.0 - s);
        for part in 0..batch.condition.nrows() / batch.lengths.len() {
            let condition = batch.condition.row(part * batch.lengths.len() + sample);
            let with = model.output(&seen, &condition.to_owned(), time);
            let share = Array2::from_shape_fn((length, 1), |(frame, _)| {
                let blend_weights = batch.blend_weights.as_ref();
                s * blend_weights.map_or(1.0, |blend_weights| blend_weights[[part, frame]] as f32)
            });
            guided += &(&with * &share);
            gradient += &model.pulled(&with, &(&v * &share));
        }
        x0.slice_mut(s![sample, ..length, ..])
            .assign(&(&x * skip + &guided * scale));
        pulled
            .slice_mut(s![sample, ..length, ..])
            .assign(&(&v * skip + &gradient * (input * scale)));
    }
    (x0.into_dyn(), pulled.into_dyn())
}

/// Shares that differ from frame to frame; `None` for a single part.
fn blend_weights(parts: usize, lengths: &[usize]) -> Option<Array2<f64>> {
    let frames = lengths.iter().copied().max().unwrap();
    let raw = Array2::from_shape_fn((parts, frames), |(part, frame)| {
        1.0 + ((part * 3 + frame) as f64).sin().abs()
    });
    let sums = raw.sum_axis(Axis(0));
    (parts > 1).then(|| raw / sums)
}

#[test]
fn denoising_matches_the_closed_form() {
    let folder = tempfile::tempdir().unwrap();
    for family in FAMILIES {
        let package = write(folder.path(), manifest_of(family));
        for engine in engines() {
            let mut denoiser = denoiser(&engine, &package, None);
            for (lengths, frames, guidance_scale, parts) in [
                (vec![8], 8, 1.5, 1),
                (vec![8], 8, 1.0, 1),
                (vec![8], 8, 1.0, 3),
                (vec![5, 11], 11, 2.5, 1),
                (vec![5, 11], 12, 2.5, 2),
                (vec![1, 7, 3], 9, 0.0, 1),
            ] {
                let batch = lengths.len();
                let batch = ClipBatch {
                    condition: conditions(batch * parts),
                    blend_weights: blend_weights(parts, &lengths),
                    lengths,
                    guidance_scale,
                };
                let x = clips(batch.lengths.len(), frames, 51);
                let (expected, _) = by_hand(family, &x, &x, &batch);
                denoiser.set_batch(batch.clone()).unwrap();
                let x0 = denoiser.denoise(&x, LEVEL).unwrap();
                let difference = max_difference(&x0, &expected);
                assert!(
                    difference < TOLERANCE,
                    "{} {family:?} {batch:?}: {difference}",
                    engine.name()
                );
            }
        }
    }
}

#[test]
fn pull_backs_match_the_closed_form() {
    let folder = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    for family in FAMILIES {
        let package = write(folder.path(), manifest_of(family));
        // The second engine takes the gradient that the first one left in the cache.
        for engine in engines() {
            let mut denoiser = denoiser(&engine, &package, Some(cache.path()));
            for (lengths, frames, guidance_scale, parts) in [
                (vec![8], 8, 1.5, 1),
                (vec![8], 8, 1.0, 1),
                (vec![5, 11], 11, 2.5, 1),
                (vec![5, 11], 11, 2.5, 2),
            ] {
                let batch = lengths.len();
                let batch = ClipBatch {
                    condition: conditions(batch * parts),
                    blend_weights: blend_weights(parts, &lengths),
                    lengths,
                    guidance_scale,
                };
                let x = clips(batch.lengths.len(), frames, 51);
                denoiser.set_batch(batch.clone()).unwrap();
                let plain = denoiser.denoise(&x, LEVEL).unwrap();
                let (x0, mut pull_back) = denoiser.linearize(&x, LEVEL).unwrap();
                assert!(max_difference(&x0, &plain) < TOLERANCE);
                // One forward serves several pull-backs.
                for seed in [61, 62] {
                    let v = clips(batch.lengths.len(), frames, seed);
                    let (expected_x0, expected) = by_hand(family, &x, &v, &batch);
                    assert!(max_difference(&x0, &expected_x0) < TOLERANCE);
                    let difference = max_difference(&pull_back(&v).unwrap(), &expected);
                    assert!(
                        difference < TOLERANCE,
                        "{} {family:?} {batch:?}: {difference}",
                        engine.name()
                    );
                }
            }
        }
    }
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let package = write(folder.path(), manifest());
    for engine in engines() {
        let mut denoiser = denoiser(&engine, &package, None);
        let (condition, x) = (conditions(3), clips(3, 12, 71));
        let lengths = vec![12, 6, 9];
        denoiser
            .set_batch(ClipBatch {
                condition: condition.clone(),
                blend_weights: None,
                lengths: lengths.clone(),
                guidance_scale: 1.5,
            })
            .unwrap();
        let together = denoiser.denoise(&x, LEVEL).unwrap();
        for (sample, &frames) in lengths.iter().enumerate() {
            let rows = |a: &Array2<f32>| a.slice(s![sample..=sample, ..]).to_owned();
            denoiser
                .set_batch(ClipBatch {
                    condition: rows(&condition),
                    blend_weights: None,
                    lengths: vec![frames],
                    guidance_scale: 1.5,
                })
                .unwrap();
            let cut = |a: &ArrayD<f32>| -> ArrayD<f32> {
                a.slice(s![sample..=sample, ..frames, ..])
                    .to_owned()
                    .into_dyn()
            };
            let alone = denoiser.denoise(&cut(&x), LEVEL).unwrap();
            assert!(
                max_difference(&alone, &cut(&together)) < TOLERANCE,
                "{}",
                engine.name()
            );
        }
    }
}

#[test]
fn bad_batches_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let package = write(folder.path(), manifest());
    let engine = engines().remove(0);
    let mut denoiser = denoiser(&engine, &package, None);
    let x = clips(1, 8, 1);
    let chain = |error: &dyn std::error::Error| {
        format!(
            "{error}: {}",
            error.source().map(ToString::to_string).unwrap_or_default()
        )
    };
    let error = denoiser.denoise(&x, LEVEL).unwrap_err();
    assert!(
        chain(&error).contains("set it before the first step"),
        "{}",
        chain(&error)
    );
    let batch = |lengths: Vec<usize>, guidance_scale| ClipBatch {
        condition: conditions(1),
        blend_weights: None,
        lengths,
        guidance_scale,
    };
    for (bad, what) in [
        (
            batch(vec![0], 1.0),
            "frames = 0: the model makes 1 to 40 frames",
        ),
        (
            batch(vec![41], 1.0),
            "frames = 41: the model makes 1 to 40 frames",
        ),
        (
            batch(vec![8], f64::NAN),
            "guidance_scale = NaN: a finite number",
        ),
        (
            batch(vec![8, 8], 1.0),
            "condition: expected [2, 4], got [1, 4]",
        ),
    ] {
        assert_eq!(denoiser.set_batch(bad).unwrap_err().to_string(), what);
    }
    let pictures = denoiser.set_batch(PictureBatch::default()).unwrap_err();
    assert!(
        pictures
            .to_string()
            .contains("the model makes clips of motion")
    );
    denoiser.set_batch(batch(vec![9], 1.5)).unwrap();
    let error = denoiser.denoise(&x, LEVEL).unwrap_err();
    assert!(
        chain(&error).contains("[1, at least 9, 6]"),
        "{}",
        chain(&error)
    );
    denoiser.set_batch(batch(vec![8], 1.5)).unwrap();
    assert!(denoiser.denoise(&x, LEVEL).is_ok());
    assert_eq!(FEATURES, x.shape()[2]);
}
