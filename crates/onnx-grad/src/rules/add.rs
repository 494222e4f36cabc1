//! [Add](https://onnx.ai/onnx/operators/onnx__Add.html): y = a + b. da = dy, db = dy, summed over
//! broadcast axes. [Sum](https://onnx.ai/onnx/operators/onnx__Sum.html): the same for any number.
//!
//! Opsets: Add 13 to 24 (defined in 13, 14); Sum 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[
    Op::new("Add", infer::broadcast, rule, Cost::Light),
    Op::new("Sum", infer::broadcast, rule, Cost::Light),
];

fn rule(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    for input in 0..g.node.inputs.len() {
        if g.wants(input) {
            g.give(input, dy)?;
        }
    }
    Ok(())
}
