//! [Max](https://onnx.ai/onnx/operators/onnx__Max.html) and
//! [Min](https://onnx.ai/onnx/operators/onnx__Min.html) of any number of inputs: dy goes to the
//! inputs that equal y, in equal parts where several do (as `torch.maximum` does).
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[
    Op::new("Max", infer::broadcast, rule, Cost::Light),
    Op::new("Min", infer::broadcast, rule, Cost::Light),
];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let count = g.node.inputs.len();
    if count == 1 {
        return g.give(0, dy);
    }
    let mut masks = Vec::with_capacity(count);
    for input in 0..count {
        let x = g.x(input)?;
        masks.push(g.equality(x, y, dy));
    }
    let winners = masks.iter().copied().reduce(|a, b| g.add(a, b));
    let winners = winners.ok_or_else(|| g.error("it has no inputs"))?;
    let share = g.div(dy, winners);
    for (input, mask) in masks.into_iter().enumerate() {
        if g.wants(input) {
            g.give_product(input, share, mask)?;
        }
    }
    Ok(())
}
