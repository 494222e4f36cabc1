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
    ClassifierFree, Ddim, Denoiser, DifferentiableDenoiser, DiffusionError, Layout, Model,
    NoiseLevel, Progress, PullBack, SeededNoise, Spacing, sample_from,
};
use kinograd_runtime::{
    ClipBatch, Engine, ImageCondition, OnnxDenoiser, OnnxNetwork, Package, PictureBatch, Role,
    RuntimeError, SessionOptions, TextEncoder,
};
use kinograd_testkit::{Golden, Tolerance, assert_close};
use ndarray::{Array2, ArrayD, Axis, Slice, concatenate, stack};

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
            OnnxDenoiser::open(
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
        let mut denoiser = OnnxDenoiser::open(engine, &family("tiny-flow"), options).unwrap();
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
        let mut denoiser = OnnxDenoiser::open(engine, &package, options).unwrap();
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
        OnnxDenoiser::open(engine.clone(), &family(name), options).unwrap()
    };
    let class = |class| ImageCondition { class, text: None };
    let text = |shape| ImageCondition {
        class: None,
        text: Some(Array2::zeros(shape).into()),
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
        let error = open(name)
            .set_batch(PictureBatch::of(condition))
            .unwrap_err();
        let message = error.to_string();
        assert!(message.contains(part), "{message} lacks {part}");
    }
    let clips = ClipBatch {
        condition: Array2::zeros((1, 8)),
        blend_weights: None,
        lengths: vec![40],
        guidance_scale: 1.0,
    };
    let error = open("tiny-class").set_batch(clips).unwrap_err().to_string();
    assert!(error.contains("the model makes pictures"), "{error}");
    let endless = PictureBatch::guided(class(Some(1)), class(Some(3)), f64::NAN);
    let error = open("tiny-class").set_batch(endless).unwrap_err();
    assert!(
        error.to_string().contains("guidance_scale = NaN"),
        "{error}"
    );
    let error = open("tiny-class")
        .denoise(&ArrayD::zeros(vec![1, 3, 16, 16]), LEVEL)
        .unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("set before the first step"), "{source}");
}

/// The second witness is `ClassifierFree`, which stacks the batch outside the denoiser.
#[test]
fn classifier_free_guidance_combines_the_conditions() {
    struct Both(OnnxDenoiser, [ImageCondition; 2]);
    impl Both {
        /// Runs each half of the batch under its own condition.
        fn each<T>(
            &mut self,
            x: &ArrayD<f32>,
            mut run: impl FnMut(&mut OnnxDenoiser, usize, ArrayD<f32>) -> T,
        ) -> Vec<T> {
            let half = x.shape()[0] / 2;
            let halves = x.axis_chunks_iter(Axis(0), half).enumerate();
            halves
                .map(|(part, rows)| {
                    let condition = self.1[part].clone();
                    self.0.set_batch(PictureBatch::of(condition)).unwrap();
                    run(&mut self.0, part, rows.to_owned())
                })
                .collect()
        }
    }
    fn joined(parts: &[ArrayD<f32>]) -> ArrayD<f32> {
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views).unwrap()
    }
    impl Denoiser for Both {
        fn denoise(
            &mut self,
            x_t: &ArrayD<f32>,
            level: NoiseLevel,
        ) -> Result<ArrayD<f32>, DiffusionError> {
            Ok(joined(&self.each(x_t, |inner, _, rows| {
                inner.denoise(&rows, level).unwrap()
            })))
        }
    }
    impl DifferentiableDenoiser for Both {
        fn linearize<'a>(
            &'a mut self,
            x_t: &ArrayD<f32>,
            level: NoiseLevel,
        ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError> {
            let (x0, x_t) = (self.denoise(x_t, level)?, x_t.clone());
            let pull_back = move |cotangent: &ArrayD<f32>| {
                let half = cotangent.shape()[0] / 2;
                Ok(joined(&self.each(&x_t, |inner, part, rows| {
                    let rows_of = Slice::from(part * half..(part + 1) * half);
                    let v = cotangent.slice_axis(Axis(0), rows_of).to_owned();
                    let (_, mut pull_back) = inner.linearize(&rows, level).unwrap();
                    pull_back(&v).unwrap()
                })))
            };
            Ok((x0, Box::new(pull_back)))
        }
    }
    let class = |class| ImageCondition {
        class: Some(class),
        text: None,
    };
    for engine in engines() {
        let open = || {
            let options = SessionOptions::default();
            OnnxDenoiser::open(engine.clone(), &family("tiny-class"), options).unwrap()
        };
        let ramp = |phase: f32| {
            ArrayD::from_shape_fn(vec![2, 3, 16, 16], |i| {
                (phase + i[0] as f32 + 0.3 * i[1] as f32 + 0.1 * i[2] as f32 - 0.2 * i[3] as f32)
                    .sin()
            })
        };
        let (x, v) = (ramp(0.0), ramp(1.0));
        let outside = Both(open(), [class(1), class(3)]);
        let mut outside = ClassifierFree::new(outside, 2.5).unwrap();
        let (expected_x0, mut expected) = outside.linearize(&x, LEVEL).unwrap();
        let mut inside = open();
        inside
            .set_batch(PictureBatch::guided(class(1), class(3), 2.5))
            .unwrap();
        let (x0, mut pull_back) = inside.linearize(&x, LEVEL).unwrap();
        let near = Tolerance::Within {
            absolute: 1e-5,
            relative: 1e-5,
        };
        assert_close(&x0.mapv(f64::from), &expected_x0.mapv(f64::from), near);
        let (got, expected) = (pull_back(&v).unwrap(), expected(&v).unwrap());
        assert_close(&got.mapv(f64::from), &expected.mapv(f64::from), near);
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
        OnnxDenoiser::open(engine.clone(), &package("tiny-64"), options.clone()).unwrap();
    for shape in [vec![1, 3, 16, 8], vec![3, 16, 16], vec![0, 3, 16, 16]] {
        let error = denoiser.denoise(&ArrayD::zeros(shape), LEVEL).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("[batch, 3, 16, 16]"), "{source}");
    }
    let none = OnnxDenoiser::open(engine, &package("tiny-seg"), options);
    assert!(none.err().unwrap().to_string().contains("denoiser"));
}
