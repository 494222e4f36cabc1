//! [Mean](https://onnx.ai/onnx/operators/onnx__Mean.html) of n inputs: each takes dy / n.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Mean", infer::broadcast, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    let count = g.node.inputs.len();
    #[expect(clippy::cast_precision_loss, reason = "a number of inputs")]
    let share = g.scale(dy, 1.0 / count as f64);
    for input in 0..count {
        if g.wants(input) {
            g.give(input, share)?;
        }
    }
    Ok(())
}
