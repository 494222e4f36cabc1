//! [Softmax](https://onnx.ai/onnx/operators/onnx__Softmax.html): dx = y (dy − Σ dy y).
//! [LogSoftmax](https://onnx.ai/onnx/operators/onnx__LogSoftmax.html): dx = dy − exp(y) Σ dy.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::graph::V;

pub(super) const OPS: &[Op] = &[
    Op::new("Softmax", infer::same, softmax, Cost::Heavy),
    Op::new("LogSoftmax", infer::same, log_softmax, Cost::Heavy),
];

fn softmax(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let rank = g.rank_or(y)?;
    let axis = to_i64(g.axis("axis", -1, rank)?);
    let y = without_nan(g, y);
    let product = g.mul(dy, y);
    let sum = g.reduce("ReduceSum", product, &[axis], true);
    let lost = g.mul(y, sum);
    let gradient = g.sub(product, lost);
    g.give(0, gradient)
}

/// A model that replaces the NaN of fully masked rows further on has to get 0 there, not NaN · 0.
pub(crate) fn without_nan(g: &mut Grad, y: V) -> V {
    let mut same = vec![y];
    let mut replaced = false;
    for node in g.nodes.iter().filter(|node| !node.derived) {
        let reads = |at: usize| node.input(at).is_some_and(|v| same.contains(&v));
        replaced |= node.is("IsNaN") && reads(0) || node.is("Where") && (reads(1) || reads(2));
        if (node.is("Cast") || node.is("Identity")) && reads(0) {
            same.extend(node.output(0));
        }
    }
    if !replaced {
        return y;
    }
    let (test, zero) = (g.unary("IsNaN", y), g.scalar(0.0, y));
    g.select(test, zero, y)
}

fn log_softmax(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let rank = g.rank_or(y)?;
    let axis = to_i64(g.axis("axis", -1, rank)?);
    let sum = g.reduce("ReduceSum", dy, &[axis], true);
    let probability = g.unary("Exp", y);
    let lost = g.mul(probability, sum);
    let gradient = g.sub(dy, lost);
    g.give(0, gradient)
}
