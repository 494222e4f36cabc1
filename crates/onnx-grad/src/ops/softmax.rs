//! [Softmax](https://onnx.ai/onnx/operators/onnx__Softmax.html): dx = y (dy − Σ dy y).
//! [LogSoftmax](https://onnx.ai/onnx/operators/onnx__LogSoftmax.html): dx = dy − exp(y) Σ dy.

use super::{Cost, Op, infer};
use crate::Result;
use crate::build::to_i64;
use crate::grad::Grad;

pub(super) const OPS: &[Op] = &[
    Op::new("Softmax", infer::same, softmax, Cost::Heavy),
    Op::new("LogSoftmax", infer::same, log_softmax, Cost::Heavy),
];

fn softmax(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let rank = g.rank_or(y)?;
    let axis = to_i64(g.axis("axis", -1, rank)?);
    let product = g.mul(dy, y);
    let sum = g.reduce("ReduceSum", product, &[axis], true);
    let lost = g.mul(y, sum);
    let gradient = g.sub(product, lost);
    g.give(0, gradient)
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
