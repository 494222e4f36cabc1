//! Networks of users as they are published: other numbers at the edges, a fixed batch, hints of how they
//! see pictures.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{FLOAT, FLOAT16, Graph, engines, int_attribute, ints_attribute, noise};
use kinograd_runtime::{Engine, OnnxNetwork, RuntimeError, SessionOptions};
use ndarray::{ArrayD, Axis};
use std::sync::Arc;

const UINT8: i32 = 2;
const FLOAT64: i32 = 11;

fn open(
    engine: &Arc<dyn Engine>,
    folder: &tempfile::TempDir,
    graph: Graph,
) -> Result<OnnxNetwork, RuntimeError> {
    let path = folder.path().join("own.onnx");
    std::fs::write(&path, graph.bytes()).unwrap();
    OnnxNetwork::of_file(engine.clone(), &path, SessionOptions::default())
}

/// The sum of squares of all but the batch, through `steps` before it.
fn squares(element: i32, dims: &[&str], inside: i32, steps: &[(&str, i64)]) -> Graph {
    let mut graph = Graph::new()
        .input("image", element, dims)
        .ints("axes", &[3], &[1, 2, 3]);
    let mut last = "image".to_owned();
    for (index, (op, to)) in steps.iter().enumerate() {
        let next = format!("{op}{index}");
        let attribute = match *op {
            "Cast" => int_attribute("to", *to),
            _ => ints_attribute("perm", &[0, 3, 1, 2]),
        };
        graph = graph.node_with(op, &[&last], &[&next], vec![attribute]);
        last = next;
    }
    graph
        .node("Mul", &[&last, &last], &["squares"])
        .node_with(
            "ReduceSum",
            &["squares", "axes"],
            &["score"],
            vec![int_attribute("keepdims", 0)],
        )
        .output("score", inside, &[dims[0]])
}

fn pictures(shape: &[usize]) -> ArrayD<f32> {
    // Quarters are exact with 16 bits.
    let values = noise(shape.iter().product(), 5);
    let values = values.iter().map(|x| (x * 8.0).round() / 4.0).collect();
    ArrayD::from_shape_vec(shape.to_vec(), values).unwrap()
}

#[test]
fn other_numbers_and_a_fixed_batch_give_exact_gradients() {
    let cast = [("Cast", i64::from(FLOAT))];
    let moved = [("Transpose", 0), ("Cast", i64::from(FLOAT))];
    for (graph, builtin, dims) in [
        (
            squares(FLOAT, &["n", "3", "4", "2"], FLOAT, &[]),
            true,
            [5, 3, 4, 2],
        ),
        (
            squares(FLOAT, &["1", "3", "4", "2"], FLOAT, &[]),
            true,
            [5, 3, 4, 2],
        ),
        (
            squares(FLOAT, &["2", "3", "4", "2"], FLOAT, &[]),
            true,
            [5, 3, 4, 2],
        ),
        (
            squares(FLOAT, &["8", "3", "4", "2"], FLOAT, &[]),
            true,
            [5, 3, 4, 2],
        ),
        (
            squares(FLOAT16, &["n", "3", "4", "2"], FLOAT16, &[]),
            false,
            [5, 3, 4, 2],
        ),
        (
            squares(FLOAT64, &["n", "3", "4", "2"], FLOAT64, &[]),
            true,
            [5, 3, 4, 2],
        ),
        (
            squares(UINT8, &["n", "3", "4", "2"], FLOAT, &cast),
            true,
            [5, 3, 4, 2],
        ),
        (
            squares(UINT8, &["2", "4", "2", "3"], FLOAT, &moved),
            true,
            [5, 4, 2, 3],
        ),
    ]
    .map(|(graph, builtin, dims)| (graph.bytes(), builtin, dims))
    {
        for engine in engines() {
            if engine.name() != "ONNX Runtime" && !builtin {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("own.onnx");
            std::fs::write(&path, &graph).unwrap();
            let options = SessionOptions::default();
            let mut network = OnnxNetwork::of_file(engine.clone(), &path, options).unwrap();
            let x = pictures(&dims);
            let plain = network.run(&x).unwrap();
            let (value, mut pull_back) = network.linearize(&x).unwrap();
            assert_eq!(plain, value);
            assert_eq!(value.shape(), [5]);
            for (picture, value) in x.outer_iter().zip(&value) {
                let expected: f32 = picture.iter().map(|x| x * x).sum();
                assert!(
                    (expected - value).abs() < 1e-3 * expected,
                    "{expected} {value}"
                );
            }
            let weights = ArrayD::from_shape_vec(vec![5], vec![1.0, 2.0, -1.0, 0.5, 4.0]).unwrap();
            let pulled = pull_back(&weights).unwrap();
            for (row, weight) in weights.iter().enumerate() {
                let expected = x.index_axis(Axis(0), row).mapv(|x| 2.0 * weight * x);
                let off = (&pulled.index_axis(Axis(0), row) - &expected).mapv(f32::abs);
                assert!(off.iter().all(|&off| off < 1e-5));
            }
        }
    }
}

#[test]
fn what_cannot_be_taken_is_named() {
    let (engine, folder) = (engines().remove(0), tempfile::tempdir().unwrap());
    let half = squares(FLOAT, &["n", "3", "4", "2"], FLOAT, &[]);
    let rounded = Graph::new()
        .input("image", UINT8, &["n", "3", "4", "2"])
        .node("Mul", &["image", "image"], &["squares"])
        .node_with(
            "Cast",
            &["squares"],
            &["score"],
            vec![int_attribute("to", 1)],
        )
        .output("score", FLOAT, &["n", "3", "4", "2"]);
    for (graph, part) in [
        (
            half.input("style", FLOAT, &["n"]),
            "2 inputs: `image` float32 [n, 3, 4, 2], `style`",
        ),
        (rounded, "op `Mul` computes with its whole numbers"),
        (
            squares(FLOAT, &["0", "3", "4", "2"], FLOAT, &[]),
            "a batch of 1 or more",
        ),
    ] {
        let message = open(&engine, &folder, graph).err().unwrap().to_string();
        assert!(message.contains(part), "{message} lacks {part}");
    }
    // Layers that take one size, which the file does not say.
    let sized = Graph::new()
        .input("image", FLOAT, &["n", "3", "h", "w"])
        .weights("weights", &[3, 4, 2], &noise(24, 3))
        .node("Mul", &["image", "weights"], &["score"])
        .output("score", FLOAT, &["n", "3", "h", "w"]);
    let mut sized = open(&engine, &folder, sized).unwrap();
    let message = sized.run(&pictures(&[1, 3, 5, 5])).unwrap_err().to_string();
    for part in [
        "input `image` float32 [n, 3, h, w]",
        "[1, 3, 5, 5]",
        "height and width",
    ] {
        assert!(message.contains(part), "{message} lacks {part}");
    }
    assert!(sized.run(&pictures(&[1, 3, 4, 2])).is_ok());
}

#[test]
fn a_graph_says_how_it_sees_pictures() {
    let (engine, folder) = (engines().remove(0), tempfile::tempdir().unwrap());
    let begins = |op: &str, values: &[f32]| {
        let graph = Graph::new()
            .input("image", FLOAT, &["1", "224", "192", "3"])
            .weights("constant", &[values.len() as i64], values)
            .node(op, &["image", "constant"], &["score"])
            .output("score", FLOAT, &["1", "224", "192", "3"]);
        let network = open(&engine, &folder, graph).unwrap();
        let hints = network.pixels().unwrap().clone();
        assert!(hints.channels_last);
        assert_eq!(hints.shape, [Some(1), Some(224), Some(192), Some(3)]);
        hints.begins_with
    };
    for (op, values, range) in [
        ("Div", &[255.0][..], Some([0.0, 255.0])),
        ("Mul", &[1.0 / 255.0], Some([0.0, 255.0])),
        ("Div", &[127.5], Some([0.0, 255.0])),
        ("Sub", &[123.7, 116.8, 103.9], Some([0.0, 255.0])),
        ("Sub", &[0.485, 0.456, 0.406], Some([0.0, 1.0])),
        ("Mul", &[2.0], Some([0.0, 1.0])),
        ("Mul", &[0.7], None),
    ] {
        assert_eq!(begins(op, values), range, "{op} {values:?}");
    }
    let bytes = squares(UINT8, &["n", "3", "h", "w"], FLOAT, &[("Cast", 1)]);
    let hints = open(&engine, &folder, bytes)
        .unwrap()
        .pixels()
        .unwrap()
        .clone();
    assert_eq!(
        (hints.range, hints.channels_last),
        (Some([0.0, 255.0]), false)
    );
}
