//! [Log](https://onnx.ai/onnx/operators/onnx__Log.html): y = ln x. dx = dy / x.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Log", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    g.give_quotient(0, dy, x)
}
