//! [Tanh](https://onnx.ai/onnx/operators/onnx__Tanh.html): dx = dy (1 − y²) = dy − dy y².
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Tanh", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let square = g.mul(y, y);
    let one = g.scalar(1.0, y);
    let slope = g.sub(one, square);
    g.give_product(0, dy, slope)
}
