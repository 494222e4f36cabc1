//! [Neg](https://onnx.ai/onnx/operators/onnx__Neg.html): y = −x. dx = −dy.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Neg", infer::same, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    let negated = g.neg(dy);
    g.give(0, negated)
}
