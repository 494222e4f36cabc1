//! `<u, J v> = <Jᵀ u, v>` on random graphs, J v by central differences.

use std::collections::BTreeMap;
use std::sync::Arc;

use kinograd_runtime::Engine;
use ndarray::{ArrayD, IxDyn};
use onnx_grad::proto::{ModelProto, NodeProto};
use onnx_grad::{Mode, Model};

#[path = "../../../onnx-grad/tests/common/files.rs"]
mod files;

use files::{attribute, ints, model, node};

use crate::common::engines;
use crate::{Data, gradients, relative_difference, run};

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn array(&mut self, shape: &[usize]) -> ArrayD<f32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || self.below(2001) as f32 / 1000.0 - 1.0)
    }
}

const ROWS: usize = 4;

/// A graph of smooth ops on 4 × 4 matrices, every intermediate of which may be read again.
fn graph(random: &mut Random, steps: usize) -> ModelProto {
    let mut names = vec!["x".to_owned()];
    let mut nodes: Vec<NodeProto> = Vec::new();
    for step in 0..steps {
        let mut pick = || names[names.len() - 1 - random.below(names.len().min(4))].clone();
        let (a, b) = (pick(), pick());
        let out = format!("v{step}");
        let mut add =
            |op: &str, inputs: &[&str], output: &str| nodes.push(node(op, inputs, output));
        let mid = format!("m{step}");
        match random.below(16) {
            0 => add("Add", &[&a, &b], &out),
            1 => add("Sub", &[&a, &b], &out),
            2 => add("Mul", &[&a, &b], &out),
            3 | 4 => {
                add("MatMul", &[&a, &b], &mid);
                add("Tanh", &[&mid], &out);
            }
            5 => add("Sigmoid", &[&a], &out),
            6 => add("Softmax", &[&a], &out),
            7 => add("Transpose", &[&a], &out),
            8 => {
                add("Reshape", &[&a, "halves"], &mid);
                let (half, whole) = (format!("s{step}"), format!("w{step}"));
                nodes.push(node("ReduceSum", &[&mid, "axis"], &half));
                nodes.push(node("Concat", &[&half, &half], &whole));
                nodes
                    .last_mut()
                    .unwrap()
                    .attribute
                    .push(attribute("axis", 1));
                let square = format!("q{step}");
                nodes.push(node("Reshape", &[&whole, "square"], &square));
                nodes.push(node("Mul", &[&square, &b], &out));
            }
            9 => add("Gelu", &[&a], &out),
            10 => {
                add("Slice", &[&a, "one", "end", "axis"], &mid);
                add("Slice", &[&a, "zero", "one", "axis"], &format!("s{step}"));
                add("Concat", &[&mid, &format!("s{step}")], &out);
                nodes
                    .last_mut()
                    .unwrap()
                    .attribute
                    .push(attribute("axis", 0));
            }
            11 => {
                add("ReduceMean", &[&a, "axis"], &mid);
                add("Sub", &[&b, &mid], &out);
            }
            12 => {
                add("Gather", &[&a, "rows"], &out);
            }
            13 => {
                add("Erf", &[&a], &mid);
                add("Neg", &[&mid], &out);
            }
            14 => {
                add("Mul", &[&a, &a], &mid);
                add("Softplus", &[&mid], &out);
            }
            _ => {
                add("Einsum", &[&a, &b], &mid);
                nodes
                    .last_mut()
                    .unwrap()
                    .attribute
                    .push(onnx_grad::proto::AttributeProto {
                        name: "equation".into(),
                        r#type: Some(3),
                        s: Some("ij,kj->ki".into()),
                        ..Default::default()
                    });
                let sines = format!("s{step}");
                nodes.push(node("Sin", &[&mid], &sines));
                nodes.push(node("Add", &[&sines, &a], &out));
            }
        }
        names.push(out);
    }
    // x enters once more, so that a path always exists.
    nodes.push(node("Add", &[&names[names.len() - 1], "x"], "y"));
    let rows = i64::try_from(ROWS).unwrap();
    model(
        nodes,
        &[rows, rows],
        vec![
            ints("halves", &[2, 2, rows]),
            ints("square", &[rows, rows]),
            ints("axis", &[0]),
            ints("one", &[1]),
            ints("zero", &[0]),
            ints("end", &[i64::MAX]),
            ints("rows", &[0, 2, 2, 3]),
        ],
    )
}

fn forward(engine: &Arc<dyn Engine>, model: &Model, x: &ArrayD<f32>) -> ArrayD<f32> {
    let feeds = BTreeMap::from([("x".to_owned(), x.clone().into())]);
    let mut results = run(engine, model, &feeds).unwrap();
    results.remove("y").unwrap().into_f32().unwrap()
}

fn inner(a: &ArrayD<f32>, b: &ArrayD<f32>) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum()
}

#[test]
fn pull_backs_are_adjoint_to_differences() {
    for engine in engines() {
        let mut random = Random(7);
        for round in 0..40 {
            let steps = 1 + random.below(12);
            let model = Model::from_proto(graph(&mut random, steps));
            let shape = [ROWS, ROWS];
            let (x, u, v) = (
                random.array(&shape),
                random.array(&shape),
                random.array(&shape),
            );
            let step = 1e-2f32;
            let ahead = forward(&engine, &model, &(&x + &(&v * step)));
            let behind = forward(&engine, &model, &(&x - &(&v * step)));
            let jv = (ahead - behind) / (2.0 * step);
            let inputs = BTreeMap::from([("x".to_owned(), Data::Float(x))]);
            let cotangents = BTreeMap::from([("y".to_owned(), u.clone())]);
            let pull = |mode| {
                let wanted = ["x".to_owned()];
                let mut found =
                    gradients(&engine, &model, mode, &inputs, &cotangents, &wanted).unwrap();
                found.remove("x").unwrap()
            };
            let (joint, split) = (pull(Mode::Joint), pull(Mode::Split));
            let (left, right) = (inner(&u, &jv), inner(&joint, &v));
            let scale = (inner(&joint, &joint) * inner(&v, &v)).sqrt().max(1.0);
            let name = engine.name();
            assert!(
                (left - right).abs() < 5e-3 * scale,
                "{name}, graph {round}: {left} against {right}"
            );
            let apart = relative_difference(&split, &joint);
            assert!(
                apart < 1e-5,
                "{name}, graph {round}: the two modes differ by {apart}"
            );
        }
    }
}
