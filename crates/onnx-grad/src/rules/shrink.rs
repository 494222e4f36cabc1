//! [Shrink](https://onnx.ai/onnx/operators/onnx__Shrink.html): dx = dy where |x| > λ, 0 elsewhere.
//!
//! Opsets 13 to 24 (defined in 9).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Shrink", infer::same, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let lambda = f64::from(g.node.float("lambd", 0.5));
    let size = g.unary("Abs", x);
    let bound = g.scalar(lambda, x);
    let outside = g.emit("Greater", &[size, bound], Vec::new());
    let zero = g.scalar(0.0, dy);
    let part = g.select(outside, dy, zero);
    g.give(0, part)
}
