//! [HardSigmoid](https://onnx.ai/onnx/operators/onnx__HardSigmoid.html):
//! y = clamp(α x + β, 0, 1). dx = α dy where 0 < y < 1, 0 elsewhere.
//! [HardSwish](https://onnx.ai/onnx/operators/onnx__HardSwish.html): y = x clamp(x/6 + ½, 0, 1).
//! dx = dy (s + x/6 where 0 < s < 1), s the clamp.
//!
//! Opsets: HardSigmoid 13 to 24 (defined in 6, 22); HardSwish 14 to 24 (defined in 14, 22).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::graph::V;

pub(super) const OPS: &[Op] = &[
    Op::new("HardSigmoid", infer::same, hard_sigmoid, Cost::Light),
    Op::new("HardSwish", infer::same, hard_swish, Cost::Light),
];

/// Where 0 < s < 1.
fn inside(g: &mut Grad, s: V) -> V {
    let (zero, one) = (g.scalar(0.0, s), g.scalar(1.0, s));
    let above = g.emit("Greater", &[s, zero], Vec::new());
    let below = g.emit("Less", &[s, one], Vec::new());
    g.emit("And", &[above, below], Vec::new())
}

fn hard_sigmoid(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let alpha = f64::from(g.node.float("alpha", 0.2));
    let inside = inside(g, y);
    let scaled = g.scale(dy, alpha);
    let zero = g.scalar(0.0, y);
    let part = g.select(inside, scaled, zero);
    g.give(0, part)
}

fn hard_swish(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let sixth = g.scale(x, 1.0 / 6.0);
    let shifted = g.shift(sixth, 0.5);
    let (zero, one) = (g.scalar(0.0, x), g.scalar(1.0, x));
    let clamped = g.emit("Clip", &[shifted, zero, one], Vec::new());
    let inside = inside(g, clamped);
    let extra = g.select(inside, sixth, zero);
    let slope = g.add(clamped, extra);
    g.give_product(0, dy, slope)
}
