//! [LpNormalization](https://onnx.ai/onnx/operators/onnx__LpNormalization.html): y = x / n, n the
//! p-norm along one axis. With a = Σ dy y: p = 2: dx = (dy − a y) / n; p = 1: dx = (dy − a sign x) / n.
//!
//! Opsets 13 to 24 (defined in 1, 22).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;

pub(super) const OPS: &[Op] = &[Op::new("LpNormalization", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, y) = (g.dy()?, g.x(0)?, g.y(0)?);
    let rank = g.rank_or(x)?;
    let axis = to_i64(g.axis("axis", -1, rank)?);
    let (norm, direction) = match g.node.int("p", 2) {
        2 => (g.reduce("ReduceL2", x, &[axis], true), y),
        1 => (g.reduce("ReduceL1", x, &[axis], true), g.unary("Sign", x)),
        p => return Err(g.error(format!("p = {p}; 1 or 2 was expected"))),
    };
    let product = g.mul(dy, y);
    let along = g.reduce("ReduceSum", product, &[axis], true);
    let lost = g.mul(direction, along);
    let rest = g.sub(dy, lost);
    g.give_quotient(0, rest, norm)
}
