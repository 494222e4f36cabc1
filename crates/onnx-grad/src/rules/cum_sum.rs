//! [CumSum](https://onnx.ai/onnx/operators/onnx__CumSum.html): dx = the cumulative sum of dy in the
//! other direction.
//!
//! Opsets 13 to 24 (defined in 11, 14).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::graph::attribute::attr_int;

pub(super) const OPS: &[Op] = &[Op::new("CumSum", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, axis) = (g.dy()?, g.x(1)?);
    let attributes = vec![
        attr_int("exclusive", g.node.int("exclusive", 0)),
        attr_int("reverse", 1 - g.node.int("reverse", 0)),
    ];
    let back = g.emit("CumSum", &[dy, axis], attributes);
    g.give(0, back)
}
