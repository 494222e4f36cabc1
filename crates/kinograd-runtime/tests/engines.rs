//! Both engines run the same graphs to the same values.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking"
)]

mod common;

use common::{FLOAT, Graph, INT64, engines, max_difference, noise};
use half::f16;
use kinograd_runtime::{
    Engine, GraphOptimization, ModelSource, RuntimeError, SessionOptions, Tensor,
};
use ndarray::{Array2, Array3, ArrayD, Axis};

/// y = tanh(x W), with the product kept as `hidden`; any batch and any number of frames.
fn layer() -> (Vec<u8>, Array2<f32>) {
    let weights = noise(12, 7);
    let bytes = Graph::new()
        .input("x", FLOAT, &["batch", "frames", "3"])
        .half_weights("w", &[3, 4], &weights)
        .node("MatMul", &["x", "w"], &["hidden"])
        .node("Tanh", &["hidden"], &["y"])
        .output("y", FLOAT, &["batch", "frames", "4"])
        .output("hidden", FLOAT, &["batch", "frames", "4"])
        .bytes();
    let rounded = weights.iter().map(|&w| f16::from_f32(w).to_f32()).collect();
    (bytes, Array2::from_shape_vec((3, 4), rounded).unwrap())
}

fn product(x: &Array3<f32>, weights: &Array2<f32>) -> ArrayD<f32> {
    let rows: Vec<_> = x.outer_iter().map(|clip| clip.dot(weights)).collect();
    let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
    ndarray::stack(Axis(0), &views).unwrap().into_dyn()
}

#[test]
fn a_graph_runs_at_any_batch_and_length() {
    let (bytes, weights) = layer();
    let model = ModelSource::memory("layer", bytes);
    for engine in engines() {
        let mut session = engine.load(&model, &SessionOptions::default()).unwrap();
        assert_eq!(session.inputs(), ["x"]);
        assert_eq!(session.outputs(), ["y", "hidden"]);
        // More shapes than the built-in engine keeps plans, and one that comes back.
        for (seed, (batch, frames)) in [(1, 8), (2, 8), (2, 12), (3, 4), (1, 40), (2, 8)]
            .into_iter()
            .enumerate()
        {
            let x = noise(batch * frames * 3, seed as u32);
            let x = Array3::from_shape_vec((batch, frames, 3), x).unwrap();
            let expected = product(&x, &weights).mapv(f32::tanh);
            let outputs = session.run(&[("x", &Tensor::from(x))], &["y"]).unwrap();
            assert_eq!(outputs.len(), 1);
            let y = outputs[0].to_f32().unwrap().into_owned();
            let difference = max_difference(&y, &expected);
            assert!(difference < 1e-6, "{}: {difference}", engine.name());
        }
    }
}

#[test]
fn an_activation_passes_from_one_session_to_the_next() {
    let (bytes, weights) = layer();
    let tail = Graph::new()
        .input("hidden", FLOAT, &["batch", "frames", "4"])
        .input("row", INT64, &["1"])
        .node("Gather", &["hidden", "row"], &["picked"])
        .output("picked", FLOAT, &["1", "frames", "4"])
        .bytes();
    for engine in engines() {
        let options = SessionOptions {
            device_outputs: vec!["hidden".into()],
            ..SessionOptions::default()
        };
        let mut first = engine
            .load(&ModelSource::memory("layer", bytes.clone()), &options)
            .unwrap();
        let mut second = engine
            .load(
                &ModelSource::memory("tail", tail.clone()),
                &SessionOptions::default(),
            )
            .unwrap();
        let x = Array3::from_shape_vec((2, 4, 3), noise(24, 3)).unwrap();
        let expected = product(&x, &weights)
            .index_axis_move(Axis(0), 1)
            .insert_axis(Axis(0));
        let outputs = first
            .run(&[("x", &Tensor::from(x))], &["hidden", "y"])
            .unwrap();
        assert_eq!(outputs[0].shape(), [2, 4, 4]);
        let row = Tensor::from(ndarray::arr1(&[1_i64]));
        let picked = second
            .run(&[("row", &row), ("hidden", &outputs[0])], &["picked"])
            .unwrap();
        let picked = picked[0].to_f32().unwrap().into_owned();
        assert!(
            max_difference(&picked, &expected) < 1e-6,
            "{}",
            engine.name()
        );
    }
}

#[test]
fn rewriting_a_graph_changes_nothing() {
    let (bytes, _) = layer();
    let model = ModelSource::memory("layer", bytes);
    let x = Tensor::from(Array3::from_shape_vec((2, 8, 3), noise(48, 5)).unwrap());
    for engine in engines() {
        let run = |optimization, cache_dir| {
            let options = SessionOptions {
                optimization,
                cache_dir,
                ..Default::default()
            };
            let mut session = engine.load(&model, &options).unwrap();
            session
                .run(&[("x", &x)], &["y"])
                .unwrap()
                .remove(0)
                .into_f32()
                .unwrap()
        };
        let plain = run(GraphOptimization::None, None);
        for level in [
            GraphOptimization::Basic,
            GraphOptimization::Extended,
            GraphOptimization::All,
        ] {
            assert!(
                max_difference(&plain, &run(level, None)) < 1e-6,
                "{}",
                engine.name()
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let cache = || Some(folder.path().to_owned());
        let saving = run(GraphOptimization::Extended, cache());
        assert_eq!(
            saving,
            run(GraphOptimization::Extended, cache()),
            "{}",
            engine.name()
        );
        assert!(max_difference(&plain, &saving) < 1e-6, "{}", engine.name());
    }
}

#[test]
fn a_damaged_saved_graph_is_rebuilt() {
    let (bytes, _) = layer();
    let model = ModelSource::memory("layer", bytes);
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let options = SessionOptions {
            cache_dir: Some(folder.path().to_owned()),
            ..SessionOptions::default()
        };
        engine.load(&model, &options).unwrap();
        let graphs = folder.path().join("graphs");
        let saved: Vec<_> = std::fs::read_dir(&graphs)
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        let saved: Vec<_> = saved
            .into_iter()
            .filter(|path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "ort"))
            .collect();
        assert_eq!(saved.len(), usize::from(engine.name() == "ONNX Runtime"));
        for path in &saved {
            let whole = std::fs::read(path).unwrap();
            std::fs::write(path, &whole[..whole.len() / 2]).unwrap();
            engine.load(&model, &options).unwrap();
            assert_eq!(std::fs::read(path).unwrap().len(), whole.len());
        }
    }
}

#[test]
fn bad_calls_are_refused_by_name() {
    let (bytes, _) = layer();
    let model = ModelSource::memory("layer", bytes);
    for engine in engines() {
        let mut session = engine.load(&model, &SessionOptions::default()).unwrap();
        let x = Tensor::from(Array3::<f32>::zeros((1, 4, 3)));
        let error = session.run(&[("x_t", &x)], &["y"]).unwrap_err().to_string();
        assert_eq!(error, "model layer has no input `x_t`; it has x");
        let error = session.run(&[("x", &x)], &["z"]).unwrap_err().to_string();
        assert_eq!(error, "model layer has no output `z`; it has y, hidden");
        assert!(matches!(
            session.run(&[], &["y"]),
            Err(RuntimeError::Run { .. })
        ));
        let narrow = Tensor::from(Array3::<f32>::zeros((1, 4, 2)));
        assert!(session.run(&[("x", &narrow)], &["y"]).is_err());
        let ints = Tensor::from(Array3::<i64>::zeros((1, 4, 3)));
        assert!(session.run(&[("x", &ints)], &["y"]).is_err());
        // And it still runs.
        assert!(session.run(&[("x", &x)], &["y"]).is_ok());
    }
}

#[test]
fn bad_models_are_refused() {
    let (bytes, _) = layer();
    let dangling = Graph::new()
        .input("x", FLOAT, &["3"])
        .node("Tanh", &["x"], &["y"])
        .output("nowhere", FLOAT, &["3"])
        .bytes();
    for engine in engines() {
        for broken in [
            &b""[..],
            b"not a model",
            &bytes[..bytes.len() / 2],
            &bytes[..30],
            &dangling,
        ] {
            let model = ModelSource::memory("broken", broken.to_vec());
            let Err(error) = engine.load(&model, &SessionOptions::default()) else {
                panic!("{} took {} bytes", engine.name(), broken.len());
            };
            assert!(error.to_string().contains("model broken"), "{error}");
        }
    }
}

#[cfg(feature = "tract")]
#[test]
fn the_built_in_engine_names_the_op_it_lacks() {
    let bytes = Graph::new()
        .input("x", FLOAT, &["3"])
        .node("Tanh", &["x"], &["h"])
        .node("Mystery", &["h"], &["y"])
        .output("y", FLOAT, &["3"])
        .bytes();
    let model = ModelSource::memory("norm", bytes);
    let Err(error) = kinograd_runtime::BuiltIn::new(1).load(&model, &SessionOptions::default())
    else {
        panic!("it loaded");
    };
    let RuntimeError::UnsupportedOp { node, op, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((node.as_str(), op.as_str()), ("y/Mystery", "Mystery"));
}
