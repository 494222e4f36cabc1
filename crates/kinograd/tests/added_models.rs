//! Denoisers as exporters write them become packages, or are refused before anything is written.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use kinograd::models::{NewPackage, add};
use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, NoiseLevel};
use kinograd_runtime::{
    ClipBatch, EngineChoice, EngineOptions, OnnxDenoiser, Package, Role, SessionOptions,
    open_engine,
};
use ndarray::{Array2, ArrayD, IxDyn};

const FEATURES: usize = 263;
const TIME: f32 = 500.0;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn new(source: PathBuf, into: &Path) -> NewPackage {
    let like = here("../../models/motion-base");
    NewPackage {
        source,
        name: Some("own".to_owned()),
        like: like.to_string_lossy().into_owned(),
        size: None,
        into: Some(into.to_owned()),
        preset: None,
        dry_run: false,
    }
}

fn options() -> EngineOptions {
    EngineOptions {
        engine: EngineChoice::BuiltIn,
        threads: 1,
        ..EngineOptions::default()
    }
}

fn weight(feature: usize) -> f32 {
    feature as f32 / 262.0 - 0.5
}

/// Three clips, of which one is shorter where the network reads a mask.
fn check_values(package: &Package, frames: usize, short: usize, tolerance: f32) {
    let engine = open_engine(&options()).unwrap().engine;
    let session = SessionOptions::default();
    let mut denoiser = OnnxDenoiser::open(engine, package, session).unwrap();
    let condition = Array2::from_shape_fn((3, 256), |(clip, _)| clip as f32 * 0.2);
    let lengths = vec![frames, short, frames];
    let batch = ClipBatch {
        condition,
        blend_weights: None,
        lengths: lengths.clone(),
        guidance_scale: 1.0,
    };
    denoiser.set_batch(batch).unwrap();
    let x = ArrayD::from_shape_fn(IxDyn(&[3, frames, FEATURES]), |at| {
        ((at[0] * 7 + at[1] * 3 + at[2]) as f32 * 0.1).sin()
    });
    let level = NoiseLevel {
        timestep: f64::from(TIME),
        alpha_bar: 0.5,
    };
    let x0 = denoiser.denoise(&x, level).unwrap();
    let (_, mut pull_back) = denoiser.linearize(&x, level).unwrap();
    let pulled = pull_back(&ArrayD::ones(x.raw_dim())).unwrap();
    for (at, &x) in x.indexed_iter() {
        let is_real = at[1] < lengths[at[0]];
        let w = weight(at[2]);
        let y = (w * x + at[0] as f32 * 0.2 + 0.001 * TIME).tanh();
        let expected = if is_real {
            [y, (1.0 - y * y) * w]
        } else {
            [0.0; 2]
        };
        let got = [x0[at.clone()], pulled[at.clone()]];
        for (got, expected) in got.into_iter().zip(expected) {
            assert!(
                (got - expected).abs() < tolerance,
                "{at:?}: {got} {expected}"
            );
        }
    }
}

#[test]
fn exports_of_every_kind_become_packages() {
    for (name, frames, short, tolerance) in [
        ("external", 30, 22, 1e-5),
        ("int64", 30, 22, 1e-5),
        ("int32_scalar", 30, 22, 1e-5),
        ("half", 30, 22, 5e-3),
        ("double", 30, 22, 1e-5),
        ("one_time", 30, 22, 1e-5),
        ("batch_of_1", 30, 22, 1e-5),
        ("batch_of_2", 30, 22, 1e-5),
        ("length_60", 50, 22, 1e-5),
        ("length_60_without_mask", 60, 60, 1e-5),
        ("mdm", 30, 30, 1e-5),
        ("mdm_196_of_1", 190, 40, 1e-5),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let source = here(&format!("tests/data/denoisers/{name}.onnx"));
        let report = add(&new(source, folder.path()), &options()).unwrap();
        assert!(report.gradient_is_right(), "{name}: {report:?}");
        let package = Package::open(&report.folder).unwrap();
        assert!(package.has(Role::Denoiser));
        check_values(&package, frames, short, tolerance);
        let clips = package.manifest().motion().unwrap();
        let lengths = (clips.min_frames, clips.max_frames);
        let expected = match name {
            "length_60" => (20, 60),
            "length_60_without_mask" => (60, 60),
            "mdm_196_of_1" => (20, 196),
            _ => (20, 200),
        };
        assert_eq!(lengths, expected, "{name}");
    }
}

#[test]
fn what_cannot_be_taken_is_named_and_nothing_is_added() {
    for (name, words) in [
        ("refused_inside", "the network does not run for one sample"),
        (
            "refused_extra",
            "input `y_lengths` (int32 [b]) is none that a denoiser is given",
        ),
        (
            "refused_length_10",
            "input `x_t` (float32 [b, 10, 263]): expected 20 to 200 frames",
        ),
        (
            "refused_batches",
            "`timestep` (float32 [3]) has a batch of 3",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let source = here(&format!("tests/data/denoisers/{name}.onnx"));
        let error = add(&new(source, folder.path()), &options())
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{name}: {error}");
        assert!(error.contains("nothing was added"), "{name}: {error}");
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{name}"
        );
    }
}
