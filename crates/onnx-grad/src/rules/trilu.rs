//! [Trilu](https://onnx.ai/onnx/operators/onnx__Trilu.html): dx = the same triangle of dy.
//!
//! Opsets 14 to 24 (defined in 14).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Trilu", infer::same, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    let (attributes, offset) = (g.node.attributes.clone(), g.node.input(1));
    let part = g.emit_optional("Trilu", &[Some(dy), offset], attributes);
    g.give(0, part)
}
