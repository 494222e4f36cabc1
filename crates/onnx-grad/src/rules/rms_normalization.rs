//! [RMSNormalization](https://onnx.ai/onnx/operators/onnx__RMSNormalization.html):
//! x̂ = x r, r = 1/√(mean x² + ε) over the axes from `axis` on; y = x̂ γ.
//! With h = dy γ: dx = r (h − x̂ mean(h x̂)); dγ = Σ dy x̂.
//!
//! Opsets 23 to 24 (defined in 23).

use super::infer;
use super::layer_normalization::inverse_root;
use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;

pub(super) const OPS: &[Op] = &[Op::new("RMSNormalization", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, scale) = (g.dy()?, g.x(0)?, g.x(1)?);
    let rank = g.rank_or(x)?;
    let axis = g.axis("axis", -1, rank)?;
    let axes: Vec<i64> = (axis..rank).map(to_i64).collect();
    let epsilon = f64::from(g.node.float("epsilon", 1e-5));
    let inverse = inverse_root(g, x, &axes, epsilon);
    let normal = g.mul(x, inverse);
    if g.wants(1) {
        g.give_product(1, dy, normal)?;
    }
    if g.wants(0) {
        let h = g.mul(dy, scale);
        let product = g.mul(h, normal);
        let slope = g.reduce("ReduceMean", product, &axes, true);
        let along = g.mul(normal, slope);
        let rest = g.sub(h, along);
        g.give_product(0, rest, inverse)?;
    }
    Ok(())
}
