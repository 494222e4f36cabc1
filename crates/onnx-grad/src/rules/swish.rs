//! [Swish](https://onnx.ai/onnx/operators/onnx__Swish.html): y = x σ(α x).
//! With s = σ(α x): dx = dy s (1 + α x (1 − s)).
//!
//! Opsets 24 to 24 (defined in 24).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::graph::{Graph, V};

pub(super) const OPS: &[Op] = &[Op::new("Swish", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let alpha = f64::from(g.node.float("alpha", 1.0));
    let scaled = g.scale(x, alpha);
    let s = g.unary("Sigmoid", scaled);
    let slope = slope(g, scaled, s);
    g.give_product(0, dy, slope)
}

/// The derivative of x σ(α x), given α x and s = σ(α x): s (1 + α x (1 − s)).
pub(super) fn slope(g: &mut Graph, scaled: V, s: V) -> V {
    let one = g.scalar(1.0, s);
    let rest = g.sub(one, s);
    let inner = g.mul(scaled, rest);
    let inner = g.shift(inner, 1.0);
    g.mul(s, inner)
}
