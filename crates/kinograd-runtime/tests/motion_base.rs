//! The package of this repository: both engines agree, and gradients are gradients.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking"
)]

mod common;

use std::path::Path;

use common::{engines, max_difference, noise};
use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, NoiseLevel};
use kinograd_runtime::{
    ClipBatch, MotionEmbedding, OnnxDenoiser, Package, SessionOptions, TextBatch, TextEncoder,
};
use ndarray::ArrayD;

const LEVEL: NoiseLevel = NoiseLevel {
    timestep: 400.0,
    alpha_bar: 0.6,
};
const LENGTHS: [usize; 2] = [24, 21];

fn package() -> Option<Package> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/motion-base");
    if folder.join("model.json").is_file() {
        return Some(Package::open(folder).unwrap());
    }
    eprintln!("SKIPPED: no {}", folder.display());
    None
}

fn clips(package: &Package, seed: u32) -> ArrayD<f32> {
    let features = package.manifest().motion().unwrap().features;
    let shape = vec![LENGTHS.len(), LENGTHS[0], features];
    ArrayD::from_shape_vec(shape.clone(), noise(shape.iter().product(), seed)).unwrap()
}

fn dot(a: &ArrayD<f32>, b: &ArrayD<f32>) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

/// Central difference of `f` at `x` along `direction`.
fn slope(x: &ArrayD<f32>, direction: &ArrayD<f32>, mut f: impl FnMut(&ArrayD<f32>) -> f64) -> f64 {
    let h = 1e-2;
    let forward = f(&(x + &(direction * h)));
    let backward = f(&(x - &(direction * h)));
    (forward - backward) / f64::from(2.0 * h)
}

fn close(a: f64, b: f64, what: &str) {
    let scale = a.abs().max(b.abs()).max(1e-3);
    assert!((a - b).abs() < 0.02 * scale, "{what}: {a} and {b}");
}

#[test]
fn both_engines_agree_and_their_gradients_are_slopes() {
    let Some(package) = package() else { return };
    package.check().unwrap();
    let options = SessionOptions::default();
    let (x, v) = (clips(&package, 1), clips(&package, 2));
    let mut reference: Option<(TextBatch, ArrayD<f32>, ArrayD<f32>)> = None;
    for engine in engines() {
        let mut encoder = TextEncoder::open(&engine, &package, &options).unwrap();
        let texts = encoder
            .encode(&["a person walks forward", "a person jumps"])
            .unwrap();
        for row in texts.embedding.rows() {
            close(f64::from(row.dot(&row)), 1.0, "length of a text embedding");
        }
        let mut denoiser = OnnxDenoiser::open(engine.clone(), &package, options.clone()).unwrap();
        denoiser
            .set_batch(ClipBatch {
                condition: texts.condition.clone(),
                blend_weights: None,
                lengths: LENGTHS.to_vec(),
                guidance_scale: 1.5,
            })
            .unwrap();
        let (x0, mut pull_back) = denoiser.linearize(&x, LEVEL).unwrap();
        let gradient = pull_back(&v).unwrap();
        drop(pull_back);
        let u = clips(&package, 3);
        let along = slope(&x, &u, |x| dot(&denoiser.denoise(x, LEVEL).unwrap(), &v));
        close(dot(&gradient, &u), along, engine.name());
        if let Some((other, other_x0, other_gradient)) = &reference {
            let text = max_difference(
                &other.condition.clone().into_dyn(),
                &texts.condition.clone().into_dyn(),
            );
            let largest = other_gradient.iter().fold(0.0_f32, |m, g| m.max(g.abs()));
            assert!(text < 1e-4, "conditions differ by {text}");
            assert!(max_difference(other_x0, &x0) < 1e-3);
            assert!(max_difference(other_gradient, &gradient) < 1e-3 * largest.max(1.0));
        }
        reference = Some((texts, x0, gradient));
    }
}

#[test]
fn the_text_loss_has_the_gradient_of_its_value() {
    let Some(package) = package() else { return };
    let options = SessionOptions::default();
    let (x, u) = (clips(&package, 4), clips(&package, 5));
    for engine in engines() {
        let mut encoder = TextEncoder::open(&engine, &package, &options).unwrap();
        let texts = encoder
            .encode(&["a person walks forward", "a person jumps"])
            .unwrap();
        let mut embedding =
            MotionEmbedding::open(engine.clone(), &package, options.clone()).unwrap();
        let text = texts.embedding.view();
        let mut loss = |x: &ArrayD<f32>| {
            embedding
                .cosine_distance_and_grad(x, &LENGTHS, text)
                .unwrap()
        };
        let (values, gradient) = loss(&x);
        assert!(
            values.iter().all(|value| (0.0..=2.0).contains(value)),
            "{values:?}"
        );
        let along = slope(&x, &u, |x| loss(x).0.iter().sum());
        close(dot(&gradient, &u), along, engine.name());
    }
}

#[test]
fn what_ends_a_prompt_and_its_case_change_nothing() {
    let Some(package) = package() else { return };
    let options = SessionOptions::default();
    for engine in engines() {
        let mut encoder = TextEncoder::open(&engine, &package, &options).unwrap();
        let texts = encoder
            .encode(&[
                "a person walks forward",
                "A person WALKS forward.",
                "a person walks forward ?!",
                "a person walks backwards",
            ])
            .unwrap();
        let plain = texts.condition.row(0);
        assert_eq!(texts.condition.row(1), plain, "{}", engine.name());
        assert_eq!(texts.condition.row(2), plain, "{}", engine.name());
        assert_ne!(texts.condition.row(3), plain, "{}", engine.name());
    }
}
