//! Users' networks that score clips, against closed forms.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;

use common::{FLOAT, Graph, engines, int_attribute, noise};
use kinograd_runtime::{RuntimeError, ScoreInput, ScoreNetwork, SessionOptions};
use ndarray::{ArrayD, IxDyn};

fn file(folder: &tempfile::TempDir, graph: Graph) -> PathBuf {
    let path = folder.path().join("score.onnx");
    std::fs::write(&path, graph.bytes()).unwrap();
    path
}

/// Σ over all but the batch of `input²`, `[batch]`.
fn squares(input: &[&str], rank: i64, output: &[&str]) -> Graph {
    let axes: Vec<i64> = (1..rank).collect();
    Graph::new()
        .input("clip", FLOAT, input)
        .ints("axes", &[rank - 1], &axes)
        .node("Mul", &["clip", "clip"], &["squares"])
        .node_with(
            "ReduceSum",
            &["squares", "axes"],
            &["score"],
            vec![int_attribute("keepdims", 0)],
        )
        .output("score", FLOAT, output)
}

fn clips(shape: &[usize]) -> ArrayD<f32> {
    let values = noise(shape.iter().product(), 5);
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
}

#[test]
fn scores_and_gradients_are_those_of_the_network() {
    let folder = tempfile::tempdir().unwrap();
    for (input, shape, kind) in [
        (
            ["batch", "frames", "22", "3"].as_slice(),
            [3, 5, 22, 3].as_slice(),
            ScoreInput::Joints,
        ),
        (&["1", "5", "22", "3"], &[3, 5, 22, 3], ScoreInput::Joints),
        (&["batch", "frames", "6"], &[3, 5, 6], ScoreInput::Features),
    ] {
        let rank = input.len() as i64;
        let path = file(&folder, squares(input, rank, &["batch"]));
        for engine in engines() {
            let options = SessionOptions::default();
            let mut network = ScoreNetwork::open(&engine, &path, 6, &options).unwrap();
            assert_eq!(network.input(), kind);
            let x = clips(shape);
            let (values, gradient) = network.value_and_grad(&x).unwrap();
            for (clip, value) in x.outer_iter().zip(&values) {
                let expected: f32 = clip.iter().map(|x| x * x).sum();
                assert!((f64::from(expected) - value).abs() < 1e-3 * f64::from(expected));
            }
            let off = (&gradient - &x.mapv(|x| 2.0 * x)).mapv(f32::abs);
            assert!(off.iter().all(|&off| off < 1e-5), "{input:?}");
        }
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engines().remove(0);
    let open = |graph: Graph| -> Result<ScoreNetwork, RuntimeError> {
        ScoreNetwork::open(
            &engine,
            &file(&folder, graph),
            6,
            &SessionOptions::default(),
        )
    };
    let joints = ["batch", "frames", "22", "3"];
    for (graph, parts) in [
        (
            squares(&["batch", "frames", "21", "3"], 4, &["batch"]),
            [
                "inputs",
                "joints [batch, frames, 22, 3]",
                "`clip` float32 [batch, frames, 21, 3]",
            ],
        ),
        (
            squares(&joints, 4, &["batch", "7"]),
            [
                "outputs",
                "one number per clip",
                "`score` float32 [batch, 7]",
            ],
        ),
        (
            squares(&joints, 4, &["batch"]).input("style", FLOAT, &["batch", "2"]),
            [
                "inputs beside `clip`",
                "frame_mask",
                "`style` float32 [batch, 2]",
            ],
        ),
    ] {
        let error = open(graph).err().unwrap().to_string();
        for part in parts {
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }
    let fixed = open(squares(&["batch", "8", "22", "3"], 4, &["batch"])).unwrap();
    let error = fixed.check_frames(5).unwrap_err().to_string();
    for part in ["frames of input `clip`", "expected 8", "a clip of 5"] {
        assert!(error.contains(part), "{error}");
    }
    let nowhere = ScoreNetwork::open(
        &engine,
        &folder.path().join("none.onnx"),
        6,
        &SessionOptions::default(),
    );
    assert!(nowhere.err().unwrap().to_string().contains("none.onnx"));
    // The scores of all frames, although the file says one per clip.
    let all = Graph::new()
        .input("clip", FLOAT, &["batch", "frames", "6"])
        .ints("axes", &[1], &[2])
        .node_with(
            "ReduceSum",
            &["clip", "axes"],
            &["score"],
            vec![int_attribute("keepdims", 0)],
        )
        .output("score", FLOAT, &["batch", "n"]);
    let mut all = open(all).unwrap();
    let error = all.value_and_grad(&clips(&[2, 5, 6])).unwrap_err();
    assert!(
        error.to_string().contains("one number per clip, [2]"),
        "{error}"
    );
}
