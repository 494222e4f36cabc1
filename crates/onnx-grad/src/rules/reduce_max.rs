//! [ReduceMax](https://onnx.ai/onnx/operators/onnx__ReduceMax.html) and
//! [ReduceMin](https://onnx.ai/onnx/operators/onnx__ReduceMin.html): dy goes to the elements that
//! equal y, in equal parts where several do (as `torch.amax` does).
//!
//! Opsets 13 to 24 (defined in 13, 18, 20).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use super::reduce_sum::kept;

pub(super) const OPS: &[Op] = &[
    Op::new("ReduceMax", infer::reduction, rule, Cost::Middle),
    Op::new("ReduceMin", infer::reduction, rule, Cost::Middle),
];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let (axes, dy) = kept(g, dy)?;
    let (_, y) = kept(g, y)?;
    g.give_to_equal(dy, y, &axes)
}
