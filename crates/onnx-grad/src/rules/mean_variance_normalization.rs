//! [MeanVarianceNormalization](https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html):
//! y = (x − mean) / (σ + 10⁻⁹), σ the standard deviation over the axes.
//! dx = (dy − mean dy − y mean(dy y)) / σ.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::layer_normalization::normal_gradient;
use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;

pub(super) const OPS: &[Op] = &[Op::new(
    "MeanVarianceNormalization",
    infer::same,
    rule,
    Cost::Middle,
)];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let rank = g.rank_or(x)?;
    let axes = g
        .node
        .ints("axes")
        .map_or_else(|| vec![0, 2, 3], <[i64]>::to_vec);
    let axes: Vec<i64> = axes
        .into_iter()
        .map(|axis| g.axis_value(axis, rank).map(to_i64))
        .collect::<Result<_>>()?;
    let mean = g.reduce("ReduceMean", x, &axes, true);
    let centred = g.sub(x, mean);
    let square = g.mul(centred, centred);
    let variance = g.reduce("ReduceMean", square, &axes, true);
    let root = g.unary("Sqrt", variance);
    let shifted = g.shift(root, 1e-9);
    let inverse = g.unary("Reciprocal", shifted);
    let normal = g.mul(centred, inverse);
    let back = normal_gradient(g, dy, normal, inverse, &axes);
    g.give(0, back)
}
