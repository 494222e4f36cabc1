//! [LRN](https://onnx.ai/onnx/operators/onnx__LRN.html): y = x s^−β with s = bias + α/size · the sum
//! of x² over neighbouring channels. dx = dy s^−β − 2αβ/size x · the sum of dy y / s over the
//! channels that x is a neighbour of.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::graph::V;
use crate::tensor;

pub(super) const OPS: &[Op] =
    &[Op::new("LRN", infer::same, rule, Cost::Middle).limits("fixed number of channels")];

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape_or(x)?;
    let channels = dims.get(1).and_then(crate::graph::Dim::as_known);
    let Some(channels) = channels.filter(|n| (1..=4096).contains(n)) else {
        return Err(g.error("its number of channels has to be fixed, and at most 4096"));
    };
    let size = g.node.int("size", 1).max(1);
    let (before, after) = ((size - 1) / 2, size / 2);
    let alpha = f64::from(g.node.float("alpha", 1e-4));
    let beta = f64::from(g.node.float("beta", 0.75));
    let bias = f64::from(g.node.float("bias", 1.0));
    #[expect(clippy::cast_precision_loss, reason = "a window over channels")]
    let share = alpha / size as f64;
    let band: Vec<f64> = (0..channels)
        .flat_map(|row| (0..channels).map(move |column| (row, column)))
        .map(|(row, column)| f64::from(u8::from((row - before..=row + after).contains(&column))))
        .collect();
    let data_type = g.data_type(x);
    let band = g.constant(tensor::floats(&band, &[channels, channels], data_type));
    let tail = g.symbols.product(&dims[2..]);
    let flat = [dims[0].clone(), dims[1].clone(), tail];
    let (x_flat, dy_flat) = (g.reshape(x, &flat, None), g.reshape(dy, &flat, None));
    let square = g.mul(x_flat, x_flat);
    let sum = g.matmul(band, square);
    let scaled = g.scale(sum, share);
    let s = g.shift(scaled, bias);
    let exponent = g.scalar(-beta, s);
    let power: V = g.emit("Pow", &[s, exponent], Vec::new());
    let direct = g.mul(dy_flat, power);
    let product = g.mul(direct, x_flat);
    let ratio = g.div(product, s);
    let back = g.transpose(band, &[1, 0]);
    let spread = g.matmul(back, ratio);
    let spread = g.mul(x_flat, spread);
    let spread = g.scale(spread, 2.0 * beta * share);
    let total = g.sub(direct, spread);
    let total = g.reshape(total, &dims, Some(x));
    g.give(0, total)
}
