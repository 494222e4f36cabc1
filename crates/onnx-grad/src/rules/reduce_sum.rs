//! [ReduceSum](https://onnx.ai/onnx/operators/onnx__ReduceSum.html): dx = dy, broadcast.
//! [ReduceMean](https://onnx.ai/onnx/operators/onnx__ReduceMean.html): dx = dy / n, broadcast.
//! [ReduceSumSquare](https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html): dx = 2 x dy.
//! [ReduceL2](https://onnx.ai/onnx/operators/onnx__ReduceL2.html): dx = x dy / y, 0 where y is 0.
//! [ReduceL1](https://onnx.ai/onnx/operators/onnx__ReduceL1.html): dx = sign(x) dy.
//! [ReduceLogSumExp](https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html): dx = exp(x − y) dy.
//! [ReduceProd](https://onnx.ai/onnx/operators/onnx__ReduceProd.html): dx = dy times the product
//! of the other elements: y / x, and where one element is 0, the product of the rest for that one.
//! [ReduceLogSum](https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html): dx = dy / exp(y).
//!
//! Opsets: ReduceSum 13 to 24 (defined in 13); ReduceMean, ReduceSumSquare, ReduceL2, ReduceL1,
//! ReduceLogSumExp, ReduceProd, ReduceLogSum 13 to 24 (defined in 13, 18).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::graph::V;

pub(super) const OPS: &[Op] = &[
    Op::new("ReduceSum", infer::reduction, sum, Cost::Middle),
    Op::new("ReduceMean", infer::reduction, mean, Cost::Middle),
    Op::new(
        "ReduceSumSquare",
        infer::reduction,
        sum_square,
        Cost::Middle,
    ),
    Op::new("ReduceL2", infer::reduction, l2, Cost::Middle),
    Op::new("ReduceL1", infer::reduction, l1, Cost::Middle),
    Op::new(
        "ReduceLogSumExp",
        infer::reduction,
        log_sum_exp,
        Cost::Middle,
    ),
    Op::new("ReduceProd", infer::reduction, prod, Cost::Middle),
    Op::new("ReduceLogSum", infer::reduction, log_sum, Cost::Middle),
];

/// The reduced axes, and a value shaped like the output with those axes kept at length 1.
pub(super) fn kept(g: &mut Grad, v: V) -> Result<(Vec<i64>, V)> {
    let x = g.x(0)?;
    let rank = g.rank_or(x)?;
    let axes = g.reduced_axes(rank)?;
    if g.node.int("keepdims", 1) != 0 {
        return Ok((axes, v));
    }
    let v = g.unsqueeze(v, &axes);
    Ok((axes, v))
}

fn sum(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    let (_, dy) = kept(g, dy)?;
    g.give(0, dy)
}

fn mean(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let (axes, dy) = kept(g, dy)?;
    let Some(count) = g.count(x, &axes, dy) else {
        return Err(g.error("the number of averaged elements cannot be computed"));
    };
    let share = match g.scalar_value(count) {
        Some(n) if n != 0.0 => g.scale(dy, 1.0 / n),
        _ => g.div(dy, count),
    };
    g.give(0, share)
}

fn sum_square(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let (_, dy) = kept(g, dy)?;
    let twice = g.scale(dy, 2.0);
    g.give_product(0, x, twice)
}

fn l2(g: &mut Grad) -> Result<()> {
    let (dy, x, y) = (g.dy()?, g.x(0)?, g.y(0)?);
    let (_, dy) = kept(g, dy)?;
    let (_, y) = kept(g, y)?;
    let (_, safe) = g.ones_for_zeros(y);
    let ratio = g.div(dy, safe);
    g.give_product(0, x, ratio)
}

fn l1(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let (_, dy) = kept(g, dy)?;
    let sign = g.unary("Sign", x);
    g.give_product(0, sign, dy)
}

fn log_sum_exp(g: &mut Grad) -> Result<()> {
    let (dy, x, y) = (g.dy()?, g.x(0)?, g.y(0)?);
    let (_, dy) = kept(g, dy)?;
    let (_, y) = kept(g, y)?;
    let difference = g.sub(x, y);
    let share = g.unary("Exp", difference);
    g.give_product(0, share, dy)
}

fn log_sum(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let (_, dy) = kept(g, dy)?;
    let (_, y) = kept(g, y)?;
    let total = g.unary("Exp", y);
    g.give_quotient(0, dy, total)
}

fn prod(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let (axes, dy) = kept(g, dy)?;
    let (is_zero, safe) = g.ones_for_zeros(x);
    let (zero, one) = (g.scalar(0.0, x), g.scalar(1.0, x));
    let rest = g.reduce("ReduceProd", safe, &axes, true);
    let data_type = g.data_type(x);
    let mask = g.cast(is_zero, data_type);
    let zeros = g.reduce("ReduceSum", mask, &axes, true);
    // Without zeros every element takes a share; one zero takes all; two leave nothing.
    let none = g.emit("Equal", &[zeros, zero], Vec::new());
    let single = g.emit("Equal", &[zeros, one], Vec::new());
    let product = g.mul(dy, rest);
    let for_others = g.select(none, product, zero);
    let for_zero = g.select(single, product, zero);
    let quotient = g.div(for_others, safe);
    let share = g.select(is_zero, for_zero, quotient);
    g.give(0, share)
}
