//! [Softmax](https://onnx.ai/onnx/operators/onnx__Softmax.html): dx = y (dy − Σ dy y).
//! [LogSoftmax](https://onnx.ai/onnx/operators/onnx__LogSoftmax.html): dx = dy − exp(y) Σ dy.

use super::{Cost, Op, infer};
use crate::Result;
use crate::build::to_i64;
use crate::grad::Grad;
use crate::graph::V;

pub(super) const OPS: &[Op] = &[
    Op::new("Softmax", infer::same, softmax, Cost::Heavy),
    Op::new("LogSoftmax", infer::same, log_softmax, Cost::Heavy),
];

fn softmax(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let rank = g.rank_or(y)?;
    let axis = to_i64(g.axis("axis", -1, rank)?);
    let sum = attended_sum(g, dy, y, axis + 1 == to_i64(rank));
    let y = without_nan(g, y);
    let gradient = if let Some(sum) = sum {
        let apart = g.sub(dy, sum);
        g.mul(y, apart)
    } else {
        let product = g.mul(dy, y);
        let sum = g.reduce("ReduceSum", product, &[axis], true);
        let lost = g.mul(y, sum);
        g.sub(product, lost)
    };
    g.give(0, gradient)
}

/// Σ dy y of attention's probabilities: with o = y v and dy = do vᵀ it is Σ do o, which is over the
/// size of a head instead of the length (Dao et al. 2022, appendix B.4).
fn attended_sum(g: &mut Grad, dy: V, y: V, last: bool) -> Option<V> {
    let back = g
        .producer(dy)
        .filter(|node| node.derived && node.is("MatMul"))?;
    let output_cotangent = back.input(0)?;
    let mut readers = g
        .nodes
        .iter()
        .filter(|node| !node.derived && node.inputs.contains(&Some(y)));
    let reader = readers.next().filter(|_| readers.next().is_none())?;
    if !last || !reader.is("MatMul") || reader.input(0) != Some(y) {
        return None;
    }
    let output = reader.output(0)?;
    let (dims, probabilities) = (g.shape(output)?, g.shape(y)?);
    let smaller = dims.len() >= 2
        && dims.len() == probabilities.len()
        && g.shape(output_cotangent).as_ref() == Some(&dims)
        && g.shape(dy) == Some(probabilities);
    if !smaller {
        return None;
    }
    let product = g.mul(output_cotangent, output);
    Some(g.reduce("ReduceSum", product, &[to_i64(dims.len()) - 1], true))
}

/// A model that replaces the NaN of fully masked rows further on has to get 0 there, not NaN · 0.
fn without_nan(g: &mut Grad, y: V) -> V {
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
