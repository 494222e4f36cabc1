//! [Pow](https://onnx.ai/onnx/operators/onnx__Pow.html): y = aᵇ. da = dy b aᵇ⁻¹, db = dy y ln a.
//!
//! Opsets 13 to 24 (defined in 13, 15).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Pow", infer::broadcast, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, a, b) = (g.dy()?, g.x(0)?, g.x(1)?);
    if g.wants(0) {
        let slope = match g.scalar_value(b) {
            Some(exponent) => constant_power(g, exponent)?,
            None => {
                let data_type = g.data_type(a);
                let b = g.cast(b, data_type);
                let lower = g.shift(b, -1.0);
                let power = g.emit("Pow", &[a, lower], Vec::new());
                g.mul(power, b)
            }
        };
        g.give_product(0, dy, slope)?;
    }
    if g.wants(1) {
        // ln a only where a > 0; elsewhere y is 0 or the exponent has no derivative.
        let y = g.y(0)?;
        let zero = g.scalar(0.0, a);
        let one = g.scalar(1.0, a);
        let positive = g.emit("Greater", &[a, zero], Vec::new());
        let safe = g.select(positive, a, one);
        let log = g.unary("Log", safe);
        let slope = g.mul(y, log);
        g.give_product(1, dy, slope)?;
    }
    Ok(())
}

/// d(aᵇ)/da for a known b, with the cheap cases spelt out.
fn constant_power(g: &mut Grad, exponent: f64) -> Result<crate::graph::V> {
    let a = g.x(0)?;
    Ok(if exponent == 1.0 {
        g.scalar(1.0, a)
    } else if exponent == 2.0 {
        g.scale(a, 2.0)
    } else if exponent == 3.0 {
        let square = g.mul(a, a);
        g.scale(square, 3.0)
    } else if exponent == 0.5 {
        let y = g.y(0)?;
        let half = g.scalar(0.5, a);
        g.div(half, y)
    } else {
        let lower = g.scalar(exponent - 1.0, a);
        let power = g.emit("Pow", &[a, lower], Vec::new());
        g.scale(power, exponent)
    })
}
