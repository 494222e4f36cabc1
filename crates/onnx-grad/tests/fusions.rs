//! Gradients of several nodes at once are taken where they hold, and only there.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may; the lint only sees functions marked as tests"
)]

#[path = "common/files.rs"]
mod files;

use files::{ints, model, node};
use onnx_grad::proto::{ModelProto, NodeProto};
use onnx_grad::{Model, Request, Seed, differentiate};

/// The nodes of the joint graph.
fn derived(proto: ModelProto) -> Vec<NodeProto> {
    let request = Request {
        outputs: vec![Seed::new("y")],
        inputs: vec!["x".into()],
        ..Request::default()
    };
    let gradient = differentiate(&Model::from_proto(proto), &request).unwrap();
    let joint = gradient.into_joint().unwrap();
    joint.model.proto().graph.as_ref().unwrap().node.clone()
}

fn has(nodes: &[NodeProto], op: &str, inputs: &[&str]) -> bool {
    let mut of_op = nodes.iter().filter(|node| node.op_type == op);
    of_op.any(|node| node.input == inputs)
}

/// o = softmax(x xᵀ) x, and `tail` behind it.
fn attention(tail: Vec<NodeProto>) -> Vec<NodeProto> {
    let mut nodes = vec![
        node("Transpose", &["x"], "xt"),
        node("MatMul", &["x", "xt"], "scores"),
        node("Softmax", &["scores"], "p"),
        node("MatMul", &["p", "x"], "o"),
    ];
    nodes.extend(tail);
    derived(model(nodes, &[6, 2], vec![]))
}

#[test]
fn attention_sums_over_the_size_of_a_head() {
    // Σ do o, with y = o.
    let alone = attention(vec![node("Identity", &["o"], "y")]);
    assert!(has(&alone, "Mul", &["y_cotangent", "o"]));
    // The probabilities have another reader, so that do vᵀ is not all of their cotangent.
    let tail = vec![
        node("MatMul", &["p", "p"], "pp"),
        node("MatMul", &["pp", "o"], "y"),
    ];
    let shared = attention(tail);
    let over_o = |node: &NodeProto| node.op_type == "Mul" && node.input[1] == "o";
    assert!(!shared.iter().any(over_o));
}

/// y = x[..at] x[from..], a product of two parts of x.
fn product_of_parts(at: i64, from: i64) -> Vec<NodeProto> {
    let slices = vec![
        node("Slice", &["x", "zero", "at", "axis"], "a"),
        node("Slice", &["x", "from", "end", "axis"], "b"),
        node("MatMul", &["a", "b"], "y"),
    ];
    let bounds = vec![
        ints("zero", &[0]),
        ints("at", &[at]),
        ints("from", &[from]),
        ints("end", &[6]),
        ints("axis", &[0]),
    ];
    derived(model(slices, &[6, 3], bounds))
}

#[test]
fn parts_side_by_side_are_joined() {
    let count = |nodes: &[NodeProto], op: &str| nodes.iter().filter(|n| n.op_type == op).count();
    let joined = product_of_parts(3, 3);
    assert_eq!((count(&joined, "Concat"), count(&joined, "Pad")), (1, 0));
    // One row belongs to both parts.
    let overlapping = product_of_parts(4, 3);
    assert_eq!(
        (count(&overlapping, "Concat"), count(&overlapping, "Pad")),
        (0, 2)
    );
}
