//! [Reciprocal](https://onnx.ai/onnx/operators/onnx__Reciprocal.html): y = 1/x. dx = −dy y².
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Reciprocal", infer::same, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let square = g.mul(y, y);
    let product = g.mul(dy, square);
    let negated = g.neg(product);
    g.give(0, negated)
}
