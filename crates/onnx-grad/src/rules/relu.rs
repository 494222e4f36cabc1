//! [Relu](https://onnx.ai/onnx/operators/onnx__Relu.html): dx = dy where x > 0, 0 elsewhere.
//!
//! Opsets 13 to 24 (defined in 13, 14).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Relu", infer::same, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let zero = g.scalar(0.0, y);
    let positive = g.emit("Greater", &[y, zero], Vec::new());
    let part = g.select(positive, dy, zero);
    g.give(0, part)
}
