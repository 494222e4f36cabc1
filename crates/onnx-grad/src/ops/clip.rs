//! [Clip](https://onnx.ai/onnx/operators/onnx__Clip.html): y = min(max(x, lo), hi). dx = dy where
//! lo ≤ x ≤ hi, 0 elsewhere; the bounds take no gradient.

use super::{Cost, Op, infer};
use crate::Result;
use crate::grad::Grad;

pub(super) const OPS: &[Op] =
    &[Op::new("Clip", infer::same, rule, Cost::Light).limits("no gradient for the bounds")];

fn rule(g: &mut Grad) -> Result<()> {
    if g.wants(1) || g.wants(2) {
        return Err(g.error("its bounds depend on a chosen input; only its data is differentiated"));
    }
    let (dy, x) = (g.dy()?, g.x(0)?);
    let mut inside = None;
    for (input, op) in [(1, "GreaterOrEqual"), (2, "LessOrEqual")] {
        if let Some(bound) = g.node.input(input) {
            let test = g.emit(op, &[x, bound], Vec::new());
            inside = Some(match inside {
                None => test,
                Some(other) => g.emit("And", &[other, test], Vec::new()),
            });
        }
    }
    let Some(inside) = inside else {
        return g.give(0, dy);
    };
    let zero = g.scalar(0.0, dy);
    let part = g.select(inside, dy, zero);
    g.give(0, part)
}
