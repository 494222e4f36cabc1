//! [ReverseSequence](https://onnx.ai/onnx/operators/onnx__ReverseSequence.html) undoes itself.
//!
//! Opsets 13 to 24 (defined in 10).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("ReverseSequence", infer::same, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, lengths) = (g.dy()?, g.x(1)?);
    let attributes = g.node.attributes.clone();
    let back = g.emit("ReverseSequence", &[dy, lengths], attributes);
    g.give(0, back)
}
