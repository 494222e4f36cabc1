//! [ReduceMax](https://onnx.ai/onnx/operators/onnx__ReduceMax.html) and
//! [ReduceMin](https://onnx.ai/onnx/operators/onnx__ReduceMin.html): dy goes to the elements that
//! equal y, in equal parts where several do (as `torch.amax` does).
//!
//! Opsets 13 to 24 (defined in 13, 18, 20).

use super::infer;
use super::op::{Cost, Op};
use super::reduce_sum::kept;
use crate::Result;
use crate::rules::grad::Grad;

pub(super) const OPS: &[Op] = &[
    Op::new("ReduceMax", infer::reduction, rule, Cost::Middle),
    Op::new("ReduceMin", infer::reduction, rule, Cost::Middle),
];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, y) = (g.dy()?, g.x(0)?, g.y(0)?);
    let (axes, dy) = kept(g, dy)?;
    let (_, y) = kept(g, y)?;
    let equal = g.emit("Equal", &[x, y], Vec::new());
    let data_type = g.data_type(dy);
    let mask = g.cast(equal, data_type);
    let winners = g.reduce("ReduceSum", mask, &axes, true);
    let share = g.div(dy, winners);
    let part = g.mul(mask, share);
    g.give(0, part)
}
