//! [Div](https://onnx.ai/onnx/operators/onnx__Div.html): y = a / b. da = dy / b, db = −dy y / b.
//!
//! Opsets 13 to 24 (defined in 13, 14).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Div", infer::broadcast, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, b) = (g.dy()?, g.x(1)?);
    if g.wants(0) {
        let quotient = match g.scalar_value(b) {
            Some(divisor) if g.rank(b) == Some(0) && divisor != 0.0 => g.scale(dy, 1.0 / divisor),
            _ => g.div(dy, b),
        };
        g.give(0, quotient)?;
    }
    if g.wants(1) {
        let y = g.y(0)?;
        let product = g.mul(dy, y);
        let product = g.unbroadcast(product, b).unwrap_or(product);
        let quotient = g.div(product, b);
        let negated = g.neg(quotient);
        g.give(1, negated)?;
    }
    Ok(())
}
