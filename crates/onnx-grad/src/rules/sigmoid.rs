//! [Sigmoid](https://onnx.ai/onnx/operators/onnx__Sigmoid.html): dx = dy y (1 − y).
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Sigmoid", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let square = g.mul(y, y);
    let slope = g.sub(y, square);
    g.give_product(0, dy, slope)
}
