//! [Mul](https://onnx.ai/onnx/operators/onnx__Mul.html): y = a b. da = dy b, db = dy a.
//! x σ(x), which is how exporters write SiLU, is taken as one function.
//!
//! Opsets 13 to 24 (defined in 13, 14).

use super::op::{Cost, Grad, Op, Result};
use super::{infer, swish};
use crate::graph::{Graph, V};

pub(super) const OPS: &[Op] = &[Op::new("Mul", infer::broadcast, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, a, b) = (g.dy()?, g.x(0)?, g.x(1)?);
    if a == b {
        if g.wants(0) {
            let product = g.mul(dy, a);
            let twice = g.scale(product, 2.0);
            g.give(0, twice)?;
        }
        return Ok(());
    }
    for (input, x, s) in [(0, a, b), (1, b, a)] {
        if g.wants(input) && is_sigmoid_of(g, s, x) {
            let slope = swish::slope(g, x, s);
            let product = g.mul(dy, slope);
            return g.give(input, product);
        }
    }
    for (input, other) in [(0, b), (1, a)] {
        if g.wants(input) {
            let product = match g.scalar_value(other) {
                // Masked for good: no gradient flows.
                Some(0.0) => continue,
                Some(factor) if g.rank(other) == Some(0) => g.scale(dy, factor),
                _ => g.mul(dy, other),
            };
            g.give(input, product)?;
        }
    }
    Ok(())
}

fn is_sigmoid_of(g: &Graph, s: V, x: V) -> bool {
    g.producer(s)
        .is_some_and(|node| node.is("Sigmoid") && node.input(0) == Some(x))
}
