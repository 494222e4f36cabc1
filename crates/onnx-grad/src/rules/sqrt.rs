//! [Sqrt](https://onnx.ai/onnx/operators/onnx__Sqrt.html): y = √x. dx = dy / (2 y).
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Sqrt", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let half = g.scale(dy, 0.5);
    g.give_quotient(0, half, y)
}
