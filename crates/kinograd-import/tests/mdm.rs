//! Denoisers of the MDM family become packages that do what PyTorch does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, NoiseLevel};
use kinograd_import::{CheckReport, MdmParts, NewPackage, Preset, add};
use kinograd_runtime::{
    ClipBatch, EngineChoice, EngineOptions, OnnxDenoiser, Package, RuntimeError, SessionOptions,
    TextEncoder, find_library, open_engine,
};
use kinograd_testkit::{Golden, Tolerance, assert_close};
use ndarray::{Array, ArrayD, Axis, Ix2, IxDyn, Slice, s};

const FEATURES: usize = 263;
const CLOSE: Tolerance = Tolerance::Within {
    absolute: 2e-5,
    relative: 0.0,
};

fn golden(path: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/mdm");
    folder.join(path)
}

fn new(source: PathBuf, into: &Path) -> NewPackage {
    NewPackage {
        source,
        name: Some("tiny-mdm".to_owned()),
        like: String::new(),
        into: Some(into.to_owned()),
        size: None,
        preset: Some(Preset::Mdm(MdmParts {
            text: golden("clip"),
            statistics: golden("stats"),
            train_steps: None,
        })),
        dry_run: false,
    }
}

/// The built-in engine cannot load the gradients of graphs whose lengths are free.
fn engine(choice: EngineChoice) -> EngineOptions {
    EngineOptions {
        engine: choice,
        threads: 1,
        ..EngineOptions::default()
    }
}

/// ONNX Runtime, where it is there.
fn free_lengths() -> Option<EngineOptions> {
    match find_library(None) {
        Ok(_) => Some(engine(EngineChoice::OnnxRuntime)),
        Err(error) => {
            kinograd_testkit::skip("onnxruntime", error);
            None
        }
    }
}

fn added(name: &str, into: &Path, on: &EngineOptions) -> Result<CheckReport, RuntimeError> {
    add(&new(golden(&format!("{name}.onnx")), into), on)
}

/// `sin(step · index)`, 0 beyond each clip's length.
fn wave(lengths: &[usize], step: f64) -> ArrayD<f32> {
    let frames = *lengths.iter().max().unwrap();
    let shape = IxDyn(&[lengths.len(), frames, FEATURES]);
    let mut index = 0.0;
    let mut wave = Array::from_shape_simple_fn(shape, || {
        index += 1.0;
        (step * (index - 1.0)).sin() as f32
    });
    for (clip, &length) in lengths.iter().enumerate() {
        wave.slice_mut(s![clip, length.., ..]).fill(0.0);
    }
    wave
}

/// x̂0 and Jᵀv of one batch of the golden; `one` takes its longest clip alone.
fn compare(package: &Package, on: &EngineOptions, case: usize, one: bool) {
    let golden = Golden::new("mdm");
    let get = |key: &str| {
        let mut array = golden.f32(&format!("{key}_{case}"));
        if one {
            array.slice_axis_inplace(Axis(0), Slice::from(..1));
        }
        array
    };
    let lengths: &[usize] = [&[42][..], &[63, 50], &[196, 40]][case];
    let lengths = if one { &lengths[..1] } else { lengths };
    let engine = open_engine(on).unwrap().engine;
    let mut denoiser = OnnxDenoiser::open(engine, package, SessionOptions::default()).unwrap();
    let condition = get("text").into_dimensionality::<Ix2>().unwrap();
    let batch = ClipBatch {
        condition,
        blend_weights: None,
        lengths: lengths.to_vec(),
        guidance_scale: 1.0,
    };
    denoiser.set_batch(batch).unwrap();
    let level = NoiseLevel {
        timestep: 9.0 + case as f64,
        alpha_bar: 0.5,
    };
    let (x, v) = (wave(lengths, 0.37), wave(lengths, 0.73));
    let (x0, mut pull_back) = denoiser.linearize(&x, level).unwrap();
    let pulled = pull_back(&v).unwrap();
    drop(pull_back);
    let plain = denoiser.denoise(&x, level).unwrap();
    let thinned = |clips: &ArrayD<f32>| clips.slice(s![.., .., ..;13]).into_owned().into_dyn();
    for (got, key) in [(x0, "x0"), (plain, "x0"), (pulled, "pulled")] {
        assert_close(&thinned(&got), &get(key), CLOSE);
    }
}

#[test]
fn exports_of_dynamo_and_torchscript_do_what_pytorch_does() {
    let built_in = Some(engine(EngineChoice::BuiltIn));
    for (name, on) in [
        ("torchscript", built_in),
        ("torchscript", free_lengths()),
        ("dynamo", free_lengths()),
        ("padding", free_lengths()),
    ] {
        let Some(on) = on else { continue };
        let folder = tempfile::tempdir().unwrap();
        let report = added(name, folder.path(), &on).unwrap();
        assert!(report.gradient_is_right(), "{name}: {report:?}");
        let package = Package::open(&report.folder).unwrap();
        for case in 0..3 {
            compare(&package, &on, case, false);
        }
        let manifest = package.manifest();
        assert_eq!(
            manifest.schedule.unwrap().train_steps,
            50,
            "args.json says so"
        );
        let clips = manifest.motion().unwrap();
        assert_eq!((clips.min_frames, clips.max_frames), (40, 196));
        assert!(manifest.limits.is_empty(), "{:?}", manifest.limits);
        let inverted = report
            .adapted
            .iter()
            .any(|what| what.contains("1 is padding"));
        assert_eq!(inverted, name == "padding", "{:?}", report.adapted);
    }
}

#[test]
fn observed_frames_are_left_empty() {
    let folder = tempfile::tempdir().unwrap();
    let Some(on) = free_lengths() else { return };
    let report = added("observing", folder.path(), &on).unwrap();
    let package = Package::open(&report.folder).unwrap();
    compare(&package, &on, 1, false);
    let limits = &package.manifest().limits;
    assert!(
        limits[1].contains("`obs_mask`) are left empty"),
        "{limits:?}"
    );
}

#[test]
fn a_mask_that_does_nothing_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let Some(on) = free_lengths() else { return };
    let report = added("unmasked", folder.path(), &on).unwrap();
    let package = Package::open(&report.folder).unwrap();
    let limits = &package.manifest().limits;
    assert!(
        limits[0].contains("does not keep padding out"),
        "{limits:?}"
    );
    for case in 0..3 {
        compare(&package, &on, case, true);
    }
}

#[test]
fn prompts_become_what_transformers_makes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let on = engine(EngineChoice::BuiltIn);
    let report = added("dynamo", folder.path(), &on).unwrap();
    let package = Package::open(&report.folder).unwrap();
    let engine = open_engine(&on).unwrap().engine;
    let mut text = TextEncoder::open(&engine, &package, &SessionOptions::default()).unwrap();
    let long = "the person   doesn't walk, then jumps and runs ".repeat(3);
    let got = text
        .encode(&["a person walks forward", "Jump!", &long])
        .unwrap();
    let expected = Golden::new("mdm").f32("text_embeds");
    assert_close(&got.condition.into_dyn(), &expected, CLOSE);
    for row in got.embedding.outer_iter() {
        assert!((row.dot(&row) - 1.0).abs() < 1e-5);
    }
}

#[test]
fn a_dry_run_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dry = NewPackage {
        dry_run: true,
        ..new(golden("dynamo.onnx"), folder.path())
    };
    let report = add(&dry, &engine(EngineChoice::BuiltIn)).unwrap();
    assert_eq!(report.folder, folder.path().join("tiny-mdm"));
    let time = report
        .adapted
        .iter()
        .find(|what| what.starts_with("timestep"));
    assert!(
        time.unwrap().contains("cast to int64"),
        "{:?}",
        report.adapted
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn families_that_cannot_be_guided_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, words) in [
        (
            "loop",
            "whole sampling loop: it takes `batch_size`, `njoints`, `nfeats`, `n_frames`",
        ),
        ("camdm", "this is CAMDM's denoiser"),
        ("mld", "`sample` (float32 [b, 1, 256]), as of MLD"),
        (
            "motionlcm",
            "a latent-consistency denoiser (`timestep_cond`",
        ),
        ("ardy", "this is ARDY's denoiser"),
    ] {
        let error = added(
            &format!("refused_{name}"),
            folder.path(),
            &engine(EngineChoice::BuiltIn),
        );
        let error = error.unwrap_err();
        let error = error.to_string();
        assert!(error.contains(words), "{error}");
        assert!(error.contains("nothing was added"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn what_is_missing_is_named_and_nothing_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let into = tempfile::tempdir().unwrap();
    let refused = |parts: MdmParts, words: &str| {
        let mut new = new(golden("dynamo.onnx"), into.path());
        new.preset = Some(Preset::Mdm(parts));
        let error = add(&new, &engine(EngineChoice::BuiltIn))
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(std::fs::read_dir(into.path()).unwrap().count(), 0);
    };
    let whole = MdmParts {
        text: golden("clip"),
        statistics: golden("stats"),
        train_steps: None,
    };
    let statistics = folder.path().to_owned();
    let parts = |text: PathBuf| MdmParts {
        text,
        ..whole.clone()
    };
    refused(
        MdmParts {
            statistics,
            ..whole.clone()
        },
        "has no t2m_mean.npy with t2m_std.npy, and no Mean.npy",
    );
    refused(parts(folder.path().to_owned()), "has no model.onnx");
    let alone = folder.path().join("model.onnx");
    std::fs::copy(golden("clip/model.onnx"), &alone).unwrap();
    refused(parts(alone), "neither tokenizer.json nor vocab.json");
    refused(
        parts(golden("dynamo.onnx")),
        "none that a CLIP text encoder is given",
    );
}
