//! [Abs](https://onnx.ai/onnx/operators/onnx__Abs.html): y = |x|. dx = dy sign x, 0 at 0.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Abs", infer::same, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let sign = g.unary("Sign", x);
    g.give_product(0, dy, sign)
}
