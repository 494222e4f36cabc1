//! [BatchNormalization](https://onnx.ai/onnx/operators/onnx__BatchNormalization.html) at inference:
//! y = (x − mean) γ/√(var + ε) + β per channel. dx = dy γ/√(var + ε);
//! dmean = −Σ dx, dvar = −½ Σ dx (x − mean) / (var + ε).
//!
//! Opsets 13 to 24 (defined in 9, 14, 15).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::graph::V;

pub(super) const OPS: &[Op] =
    &[Op::new("BatchNormalization", infer::same, rule, Cost::Middle).limits("inference only")];

/// Appends axes of length 1 so that a vector over channels fits `[batch, channels, ...]`.
pub(super) fn per_channel(g: &mut Grad, vector: V, rank: usize) -> V {
    let axes: Vec<i64> = (1..to_i64(rank) - 1).collect();
    g.unsqueeze(vector, &axes)
}

fn rule(g: &mut Grad) -> Result<()> {
    if g.node.int("training_mode", 0) != 0 {
        return Err(g.error("it runs in training mode: export the model for inference"));
    }
    let (dy, x) = (g.dy()?, g.x(0)?);
    let (scale, mean, variance) = (g.x(1)?, g.x(3)?, g.x(4)?);
    let rank = g.rank_or(x)?;
    let epsilon = f64::from(g.node.float("epsilon", 1e-5));
    let shifted = g.shift(variance, epsilon);
    let root = g.unary("Sqrt", shifted);
    if g.wants(0) {
        let factor = g.div(scale, root);
        let factor = per_channel(g, factor, rank);
        g.give_product(0, dy, factor)?;
    }
    let axes: Vec<i64> = (0..to_i64(rank)).filter(|&axis| axis != 1).collect();
    if g.wants(1) {
        let (mean, root) = (per_channel(g, mean, rank), per_channel(g, root, rank));
        let centred = g.sub(x, mean);
        let normal = g.div(centred, root);
        let product = g.mul(dy, normal);
        g.give_sum(1, product, &axes)?;
    }
    if g.wants(2) {
        g.give_sum(2, dy, &axes)?;
    }
    if !g.wants(3) && !g.wants(4) {
        return Ok(());
    }
    let factor = g.div(scale, root);
    let factor = per_channel(g, factor, rank);
    let slope = g.mul(dy, factor);
    if g.wants(3) {
        let sum = g.reduce("ReduceSum", slope, &axes, false);
        let sum = g.neg(sum);
        g.give(3, sum)?;
    }
    if g.wants(4) {
        let mean = per_channel(g, mean, rank);
        let centred = g.sub(x, mean);
        let product = g.mul(slope, centred);
        let sum = g.reduce("ReduceSum", product, &axes, false);
        let ratio = g.div(sum, shifted);
        let half = g.scale(ratio, -0.5);
        g.give(4, half)?;
    }
    Ok(())
}
