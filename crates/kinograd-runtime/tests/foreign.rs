//! Exported models as people have them: data in other files, functions, names that are taken.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};

use common::engines;
use kinograd_runtime::{ModelSource, OnnxNetwork, ScoreNetwork, SessionOptions, Tensor};
use ndarray::{Array1, Array2, ArrayD, IxDyn};
use onnx_grad::{Joint, Model, Request, Seed, differentiate};

fn data(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/foreign");
    folder.join(name)
}

fn joint(model: &Model, output: &str, input: &str) -> Joint {
    let request = Request {
        outputs: vec![Seed::new(output)],
        inputs: vec![input.to_owned()],
        ..Request::default()
    };
    differentiate(model, &request)
        .unwrap()
        .into_joint()
        .unwrap()
}

fn check(joint: &Joint, inputs: &[(&str, &Tensor)], expected: &[f32]) {
    let bytes = joint.model.to_bytes().unwrap();
    for engine in engines() {
        let source = ModelSource::memory("gradient", bytes.clone());
        let mut session = engine.load(&source, &SessionOptions::default()).unwrap();
        let name = joint.gradients[0].tensor.name.as_str();
        let got = session.run(inputs, &[name]).unwrap().remove(0);
        for (got, expected) in got.to_f32().unwrap().iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5, "{got} {expected}");
        }
    }
}

#[test]
fn functions_without_node_names_have_gradients_that_load() {
    let model = Model::read(data("swish_function.onnx")).unwrap();
    let joint = joint(&model, "y", "x");
    let mut names: Vec<_> = joint
        .model
        .proto()
        .graph
        .as_ref()
        .unwrap()
        .node
        .iter()
        .collect();
    let count = names.len();
    names.sort_by(|a, b| a.name.cmp(&b.name));
    names.dedup_by(|a, b| a.name == b.name);
    assert_eq!(names.len(), count);
    let x = Tensor::from(Array2::from_shape_vec((1, 4), vec![-1.0, 0.0, 1.0, 2.0]).unwrap());
    let ones = Tensor::from(Array2::<f32>::ones((1, 4)));
    let inputs = [("x", &x), ("y_cotangent", &ones)];
    check(&joint, &inputs, &[0.07233, 0.5, 0.92767, 1.09078]);
}

#[test]
fn second_derivatives_get_free_names() {
    let first = joint(&Model::read(data("x_sin_x.onnx")).unwrap(), "y", "x");
    let second = joint(&first.model, "x_gradient", "x");
    assert_eq!(second.gradients[0].tensor.name, "x_gradient_2");
    let one = Tensor::from(Array1::<f32>::ones(1));
    let inputs = ["x", "y_cotangent", "x_gradient_cotangent"].map(|name| (name, &one));
    check(&second, &inputs, &[2.0 * 1.0_f32.cos() - 1.0_f32.sin()]);
    let taken = Model::read(data("has_input_named_y_cotangent.onnx")).unwrap();
    let joint = joint(&taken, "y", "x");
    assert_eq!(joint.cotangents[0].name, "y_cotangent_2");
}

#[test]
fn rewards_keep_their_data_in_other_files() {
    let x = ArrayD::from_shape_fn(IxDyn(&[2, 3, 22, 3]), |at| {
        (at[0] * 5 + at[1] * 3 + at[2] * 2 + at[3]) as f32
    });
    for engine in engines() {
        let options = SessionOptions::default();
        let mut scores = ["reward.onnx", "reward_inline.onnx"].map(|name| {
            let mut network = ScoreNetwork::open(&engine, &data(name), 263, &options).unwrap();
            network.value_and_grad(&x).unwrap()
        });
        // Minus the mean height of joint 20.
        scores[0]
            .0
            .iter_mut()
            .enumerate()
            .for_each(|(clip, value)| {
                let expected = -((clip * 5 + 3 + 40 + 1) as f64);
                assert!((*value - expected).abs() < 1e-4, "{value} {expected}");
            });
        assert_eq!(scores[0], scores[1]);
    }
}

#[cfg(unix)]
#[test]
fn a_hub_cache_is_followed_and_other_links_are_not() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let place = |store: &str| {
        let (store, files) = (
            folder.path().join(store),
            folder.path().join(store).join("../files"),
        );
        let snapshot = files.join(store.file_name().unwrap());
        std::fs::create_dir_all(&store).unwrap();
        std::fs::create_dir_all(&snapshot).unwrap();
        for (own, name) in [("aaaa", "model.onnx"), ("bbbb", "model.onnx_data")] {
            std::fs::copy(data(name), store.join(own)).unwrap();
            symlink(store.join(own), snapshot.join(name)).unwrap();
        }
        snapshot.join("model.onnx")
    };
    let hub = place("blobs");
    let inline = Model::read(data("model.onnx")).unwrap();
    assert_eq!(Model::read(&hub).unwrap(), inline);
    assert_eq!(Model::data_files(&hub).unwrap().len(), 1);
    let x = Array2::from_shape_fn((1, 8), |(_, i)| i as f32 * 0.1).into_dyn();
    for engine in engines() {
        let options = SessionOptions::default();
        let mut network = OnnxNetwork::of_file(engine, &hub, options).unwrap();
        assert_eq!(network.linearize(&x).unwrap().0.shape(), [1, 8]);
    }
    let elsewhere = Model::read(place("elsewhere")).unwrap_err().to_string();
    assert!(
        elsewhere.contains("leaves the folder of the model"),
        "{elsewhere}"
    );
    assert!(elsewhere.contains("cp -L"), "{elsewhere}");
    // A link of the store to what lies beside the store.
    let secret = folder.path().join("secret");
    std::fs::copy(data("model.onnx_data"), &secret).unwrap();
    let link = hub.with_file_name("model.onnx_data");
    std::fs::remove_file(&link).unwrap();
    symlink(&secret, &link).unwrap();
    let error = Model::read(&hub).unwrap_err().to_string();
    assert!(error.contains("leaves the folder of the model"), "{error}");
}
