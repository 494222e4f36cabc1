//! [Exp](https://onnx.ai/onnx/operators/onnx__Exp.html): y = eˣ. dx = dy y.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Exp", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    g.give_product(0, dy, y)
}
