//! [Erf](https://onnx.ai/onnx/operators/onnx__Erf.html): dx = dy · 2/√π · exp(−x²).
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Erf", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let square = g.mul(x, x);
    let negated = g.neg(square);
    let bell = g.unary("Exp", negated);
    let product = g.mul(dy, bell);
    let scaled = g.scale(product, std::f64::consts::FRAC_2_SQRT_PI);
    g.give(0, scaled)
}
