//! Image networks as packages hold them: against PyTorch, on every engine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod common;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use common::engines;
use kinograd_diffusion::{
    Ddim, Denoiser, DifferentiableDenoiser, Layout, Model, NoiseLevel, Progress, SeededNoise,
    Spacing, sample_from,
};
use kinograd_runtime::{
    Engine, ImageCondition, ImageDenoiser, OnnxNetwork, Package, Role, RuntimeError,
    SessionOptions, TextEncoder,
};
use kinograd_testkit::{Golden, Tolerance, assert_close};
use ndarray::{Array2, ArrayD, Axis, Slice, stack};

const TOLERANCE: Tolerance = Tolerance::Within {
    absolute: 2e-4,
    relative: 2e-4,
};
const LEVEL: NoiseLevel = NoiseLevel {
    timestep: 400.0,
    alpha_bar: 0.6,
};

fn package(name: &str) -> Package {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/image_package");
    Package::open(root.join(name)).unwrap()
}

fn golden() -> Golden {
    Golden::new("image_package")
}

fn assert_same(got: &ArrayD<f32>, name: &str) {
    assert_close(&got.mapv(f64::from), &golden().f64(name), TOLERANCE);
}

fn network(engine: &Arc<dyn Engine>, name: &str, role: Role, output: &str) -> OnnxNetwork {
    let options = SessionOptions::default();
    OnnxNetwork::of_package(
        engine.clone(),
        &package(name),
        role,
        "image",
        output,
        options,
    )
    .unwrap()
}

#[test]
fn the_denoiser_and_its_pull_back_follow_torch() {
    for engine in engines() {
        let (x, v) = (golden().f32("x"), golden().f32("v"));
        let open = || {
            ImageDenoiser::open(
                engine.clone(),
                &package("tiny-64"),
                SessionOptions::default(),
            )
        };
        let mut denoiser = open().unwrap();
        assert_same(&denoiser.denoise(&x, LEVEL).unwrap(), "x0");
        let mut differentiable = open().unwrap();
        let (x0, mut pull_back) = differentiable.linearize(&x, LEVEL).unwrap();
        assert_same(&x0, "x0");
        assert_same(&pull_back(&v).unwrap(), "x0_vjp");
    }
}

/// A package of `tests/golden/image_families`.
fn family(name: &str) -> Package {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/image_families");
    Package::open(root.join(name)).unwrap()
}

fn assert_family(got: &ArrayD<f32>, name: &str) {
    let expected = Golden::new("image_families").f64(name);
    assert_close(&got.mapv(f64::from), &expected, TOLERANCE);
}

#[test]
fn a_flow_is_an_x0_predictor_of_variance_preserving_samples() {
    let golden = Golden::new("image_families");
    let sigma = 0.4_f64;
    let signal = (1.0 - sigma).powi(2);
    let level = NoiseLevel {
        timestep: f64::NAN, // a flow's time is σ
        alpha_bar: signal / (signal + sigma.powi(2)),
    };
    for engine in engines() {
        let options = SessionOptions::default();
        let mut denoiser = ImageDenoiser::open(engine, &family("tiny-flow"), options).unwrap();
        let (x0, mut pull_back) = denoiser
            .linearize(&golden.f32("flow_sample"), level)
            .unwrap();
        assert_family(&x0, "flow_x0");
        assert_family(&pull_back(&golden.f32("flow_v")).unwrap(), "flow_vjp");
    }
}

/// DDIM on the variance-preserving sample is Euler's method on the flow, as diffusers has it.
#[test]
fn a_flow_walks_as_its_scheduler_does() {
    let golden = Golden::new("image_families");
    let package = family("tiny-flow");
    let schedule = package.manifest().schedule.unwrap().levels().unwrap();
    let steps = schedule.steps(Spacing::Trailing, 4).unwrap();
    for engine in engines() {
        let options = SessionOptions::default();
        let mut denoiser = ImageDenoiser::open(engine, &package, options).unwrap();
        let mut path = Vec::new();
        let x_t = golden.f32("flow_x_t");
        let layout = Layout::full(x_t.shape()).unwrap();
        sample_from(
            x_t,
            &mut Model::forward_only(&mut denoiser),
            &mut Ddim::default(),
            &steps,
            &layout,
            &mut SeededNoise::new(vec![0, 1]),
            None,
            &mut |progress: &Progress<'_>| {
                path.push(progress.x0.clone());
                ControlFlow::Continue(())
            },
        )
        .unwrap();
        let views: Vec<_> = path.iter().map(|x0| x0.view()).collect();
        assert_family(&stack(Axis(0), &views).unwrap(), "flow_plain");
    }
}

#[test]
fn a_denoiser_is_told_what_it_takes() {
    let engine = engines().remove(0);
    let open = |name: &str| {
        let options = SessionOptions::default();
        ImageDenoiser::open(engine.clone(), &family(name), options).unwrap()
    };
    let class = |class| ImageCondition { class, text: None };
    let text = |shape| ImageCondition {
        class: None,
        text: Some(Array2::zeros(shape)),
    };
    for (name, condition, part) in [
        (
            "tiny-flow",
            class(Some(0)),
            "class = 0: the model takes none",
        ),
        ("tiny-class", class(None), "one of the model's 3 classes"),
        ("tiny-class", class(Some(4)), "the model has classes 0 to 2"),
        ("tiny-class", text((6, 8)), "one of the model's 3 classes"),
        ("tiny-latent", class(None), "the model takes a text"),
        ("tiny-latent", text((5, 8)), "condition: expected [6, 8]"),
    ] {
        let error = open(name).set_conditions(vec![condition]).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(part), "{message} lacks {part}");
    }
    // The null class is one more; a batch of three has no two equal parts.
    let mut denoiser = open("tiny-class");
    denoiser
        .set_conditions(vec![class(Some(1)), class(Some(3))])
        .unwrap();
    assert!(
        denoiser
            .denoise(&ArrayD::zeros(vec![2, 3, 16, 16]), LEVEL)
            .is_ok()
    );
    for shape in [vec![3, 3, 16, 16], vec![2, 4, 16, 16]] {
        assert!(denoiser.denoise(&ArrayD::zeros(shape), LEVEL).is_err());
    }
}

#[test]
fn towers_and_masks_follow_torch() {
    for engine in engines() {
        let x = golden().f32("x");
        let mut clip = network(&engine, "tiny-clip", Role::ImageEmbedding, "embedding");
        assert_same(&clip.run(&x).unwrap(), "embedding");
        let options = SessionOptions::default();
        let mut text = TextEncoder::open(&engine, &package("tiny-clip"), &options).unwrap();
        let row = text.encode(&["A red heart"]).unwrap().embedding;
        assert_same(&row.clone().into_dyn(), "text");
        let (embedding, mut pull_back) = clip.linearize(&x).unwrap();
        let cotangent = row.mapv(|v| -v).broadcast((2, 12)).unwrap().to_owned();
        assert_same(&pull_back(&cotangent.into_dyn()).unwrap(), "text_grad");
        assert_same(&embedding, "embedding");
        let mut judge = network(&engine, "tiny-judge", Role::ImageEmbedding, "embedding");
        assert_same(&judge.run(&x).unwrap(), "judge_embedding");
        let mut mask = network(&engine, "tiny-seg", Role::Segmentation, "logits");
        assert_same(&mask.run(&x).unwrap(), "logits");
        let (_, mut pull_back) = mask.linearize(&x).unwrap();
        let v = golden()
            .f32("v")
            .slice_axis(Axis(1), Slice::from(..1))
            .to_owned();
        assert_same(&pull_back(&v).unwrap(), "logits_vjp");
    }
}

#[test]
fn a_network_of_ones_own_is_a_file_with_one_input() {
    let engine = engines().remove(0);
    let open = |file: &str| {
        let path = package("tiny-64").folder().join("..").join(file);
        OnnxNetwork::of_file(engine.clone(), &path, SessionOptions::default())
    };
    let mut mask = open("tiny-seg/segmentation.onnx").unwrap();
    assert_same(&mask.run(&golden().f32("x")).unwrap(), "logits");
    let refused = |result: Result<OnnxNetwork, RuntimeError>, part: &str| {
        let message = result.err().unwrap().to_string();
        assert!(message.contains(part), "{message} lacks {part}");
    };
    refused(open("tiny-64/denoiser.onnx"), "2 inputs");
    refused(open("tiny-64/model.json"), "model.json");
    refused(open("none.onnx"), "none.onnx");
}

#[test]
fn what_does_not_fit_is_refused() {
    let engine = engines().remove(0);
    let options = SessionOptions::default();
    let mut denoiser =
        ImageDenoiser::open(engine.clone(), &package("tiny-64"), options.clone()).unwrap();
    for shape in [vec![1, 3, 16, 8], vec![3, 16, 16], vec![0, 3, 16, 16]] {
        let error = denoiser.denoise(&ArrayD::zeros(shape), LEVEL).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("[batch, 3, 16, 16]"), "{source}");
    }
    // No denoiser, and no image size at all.
    let none = ImageDenoiser::open(engine.clone(), &package("tiny-seg"), options.clone());
    assert!(none.err().unwrap().to_string().contains("denoiser"));
    let motion = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/motion-base");
    let motion = ImageDenoiser::open(engine, &Package::open(motion).unwrap(), options);
    assert!(
        motion
            .err()
            .unwrap()
            .to_string()
            .contains("`image` is missing")
    );
}
