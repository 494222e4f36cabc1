//! [GroupNormalization](https://onnx.ai/onnx/operators/onnx__GroupNormalization.html) and
//! [InstanceNormalization](https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html): each
//! group of channels (each channel) of each sample is normalised to x̂; y = x̂ γ + β.
//!
//! With h = dy γ: dx = r (h − mean h − x̂ mean(h x̂)), means within the group.

use super::batch_normalization::per_channel;
use super::layer_normalization::normal_gradient;
use super::{Cost, Op, infer};
use crate::Result;
use crate::build::to_i64;
use crate::dim::Dim;
use crate::grad::Grad;
use crate::graph::V;

pub(super) const OPS: &[Op] = &[
    Op::new("GroupNormalization", infer::same, group, Cost::Middle),
    Op::new("InstanceNormalization", infer::same, instance, Cost::Middle),
];

/// x̂ and r over the given axes.
fn normalize(g: &mut Grad, x: V, axes: &[i64]) -> (V, V) {
    let epsilon = f64::from(g.node.float("epsilon", 1e-5));
    let mean = g.reduce("ReduceMean", x, axes, true);
    let centred = g.sub(x, mean);
    let square = g.mul(centred, centred);
    let variance = g.reduce("ReduceMean", square, axes, true);
    let shifted = g.shift(variance, epsilon);
    let root = g.unary("Sqrt", shifted);
    let inverse = g.unary("Reciprocal", root);
    (g.mul(centred, inverse), inverse)
}

fn instance(g: &mut Grad) -> Result<()> {
    let (dy, x, scale) = (g.dy()?, g.x(0)?, g.x(1)?);
    let rank = g.rank_or(x)?;
    let axes: Vec<i64> = (2..to_i64(rank)).collect();
    let (normal, inverse) = normalize(g, x, &axes);
    if g.wants(0) {
        let scale = per_channel(g, scale, rank);
        let h = g.mul(dy, scale);
        let gradient = normal_gradient(g, h, normal, inverse, &axes);
        g.give(0, gradient)?;
    }
    give_affine(g, dy, normal, rank)
}

fn group(g: &mut Grad) -> Result<()> {
    let (dy, x, scale) = (g.dy()?, g.x(0)?, g.x(1)?);
    let dims = g.shape_or(x)?;
    let groups = Dim::known(g.node.int("num_groups", 1));
    let elements = g.symbols.product(&dims[1..]);
    let per_group = g.symbols.exact_div(&elements, &groups);
    let grouped = [dims[0].clone(), groups.clone(), per_group];
    let flat = g.reshape(x, &grouped, None);
    let (normal, inverse) = normalize(g, flat, &[2]);
    if g.wants(0) {
        // Until opset 20 one scale per group, then one per channel.
        let h = if g.opset < 21 {
            let dy = g.reshape(dy, &grouped, None);
            let scale = g.unsqueeze(scale, &[1]);
            g.mul(dy, scale)
        } else {
            let scale = per_channel(g, scale, dims.len());
            let h = g.mul(dy, scale);
            g.reshape(h, &grouped, None)
        };
        let gradient = normal_gradient(g, h, normal, inverse, &[2]);
        let back = g.reshape(gradient, &dims, Some(x));
        g.give(0, back)?;
    }
    if g.opset < 21 {
        let dy = g.reshape(dy, &grouped, None);
        give_affine(g, dy, normal, grouped.len())?;
    } else if g.wants(1) || g.wants(2) {
        let normal = g.reshape(normal, &dims, Some(x));
        give_affine(g, dy, normal, dims.len())?;
    }
    Ok(())
}

/// dγ = Σ dy x̂ and dβ = Σ dy over all axes but the channels.
fn give_affine(g: &mut Grad, dy: V, normal: V, rank: usize) -> Result<()> {
    let axes: Vec<i64> = (0..to_i64(rank)).filter(|&axis| axis != 1).collect();
    if g.wants(1) {
        let product = g.mul(dy, normal);
        let sum = g.reduce("ReduceSum", product, &axes, false);
        g.give(1, sum)?;
    }
    if g.wants(2) {
        let sum = g.reduce("ReduceSum", dy, &axes, false);
        g.give(2, sum)?;
    }
    Ok(())
}
