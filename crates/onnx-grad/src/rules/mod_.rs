//! [Mod](https://onnx.ai/onnx/operators/onnx__Mod.html): y = a − b q with q = ⌊a/b⌋, or truncated
//! with `fmod`. da = dy; db = −dy q.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Mod", infer::broadcast, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, a, b, y) = (g.dy()?, g.x(0)?, g.x(1)?, g.y(0)?);
    if g.wants(0) {
        g.give(0, dy)?;
    }
    if g.wants(1) {
        let whole = g.sub(y, a);
        let quotient = g.div(whole, b);
        let negative_quotient = g.unary("Round", quotient);
        g.give_product(1, dy, negative_quotient)?;
    }
    Ok(())
}
