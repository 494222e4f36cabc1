//! [Clip](https://onnx.ai/onnx/operators/onnx__Clip.html): y = min(max(x, lo), hi). dx = dy where
//! lo ≤ x ≤ hi, 0 elsewhere; lo takes the sum of dy below it, hi the sum above.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Clip", infer::same, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let zero = g.scalar(0.0, dy);
    for (input, op) in [(1, "Less"), (2, "Greater")] {
        if g.wants(input) {
            let bound = g.x(input)?;
            let mut outside = g.emit(op, &[x, bound], Vec::new());
            // Where the bounds cross, the upper one is what is left.
            if input == 1
                && let Some(upper) = g.node.input(2)
            {
                let least = g.emit("LessOrEqual", &[bound, upper], Vec::new());
                outside = g.emit("And", &[outside, least], Vec::new());
            } else if input == 2
                && let Some(lower) = g.node.input(1)
            {
                let crossed = g.emit("Greater", &[lower, bound], Vec::new());
                outside = g.emit("Or", &[outside, crossed], Vec::new());
            }
            let part = g.select(outside, dy, zero);
            g.give(input, part)?;
        }
    }
    if !g.wants(0) {
        return Ok(());
    }
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
    let part = g.select(inside, dy, zero);
    g.give(0, part)
}
