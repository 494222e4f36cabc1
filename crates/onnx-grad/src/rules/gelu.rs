//! [Gelu](https://onnx.ai/onnx/operators/onnx__Gelu.html): y = x Φ(x), or with
//! `approximate="tanh"` y = x/2 (1 + tanh u), u = √(2/π) (x + 0.044715 x³).
//!
//! Exact: with t = x/√2, dx = dy ½ (1 + erf t + 2/√π t exp(−t²)).
//! Tanh: with w = tanh u, dx = dy ½ (1 + w + x (1 − w²) √(2/π) (1 + 3·0.044715 x²)).
//!
//! Opsets 20 to 24 (defined in 20).

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, FRAC_2_SQRT_PI};

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::graph::{Graph, V};

pub(super) const OPS: &[Op] = &[Op::new("Gelu", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let slope = if g.node.string("approximate", "none") == "tanh" {
        twice_tanh_slope(g, x)
    } else {
        twice_slope(g, x)
    };
    let half = g.scale(dy, 0.5);
    g.give_product(0, half, slope)
}

/// 2 d(x Φ(x))/dx.
pub(super) fn twice_slope(g: &mut Graph, x: V) -> V {
    let t = g.scale(x, FRAC_1_SQRT_2);
    let erf = g.unary("Erf", t);
    let square = g.mul(t, t);
    let negated = g.neg(square);
    let bell = g.unary("Exp", negated);
    let density = g.mul(t, bell);
    let density = g.scale(density, FRAC_2_SQRT_PI);
    let sum = g.add(erf, density);
    g.shift(sum, 1.0)
}

fn twice_tanh_slope(g: &mut Graph, x: V) -> V {
    let root = FRAC_2_PI.sqrt();
    let square = g.mul(x, x);
    let cubic = g.scale(square, 0.044_715 * root);
    let factor = g.shift(cubic, root);
    let u = g.mul(x, factor);
    let w = g.unary("Tanh", u);
    let inner = g.scale(square, 3.0 * 0.044_715 * root);
    let inner = g.shift(inner, root);
    let inner = g.mul(x, inner);
    let w_square = g.mul(w, w);
    let lost = g.mul(inner, w_square);
    let gained = g.sub(inner, lost);
    let sum = g.add(w, gained);
    g.shift(sum, 1.0)
}
