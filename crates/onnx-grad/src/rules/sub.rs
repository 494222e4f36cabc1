//! [Sub](https://onnx.ai/onnx/operators/onnx__Sub.html): y = a − b. da = dy, db = −dy.
//!
//! Opsets 13 to 24 (defined in 13, 14).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[Op::new("Sub", infer::broadcast, rule, Cost::Light)];

fn rule(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    if g.wants(0) {
        g.give(0, dy)?;
    }
    if g.wants(1) {
        // Summing first leaves less to negate.
        let b = g.x(1)?;
        let dy = g.unbroadcast(dy, b).unwrap_or(dy);
        let negated = g.neg(dy);
        g.give(1, negated)?;
    }
    Ok(())
}
