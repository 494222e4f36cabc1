//! Piecewise activations: [LeakyRelu](https://onnx.ai/onnx/operators/onnx__LeakyRelu.html),
//! [PRelu](https://onnx.ai/onnx/operators/onnx__PRelu.html),
//! [ThresholdedRelu](https://onnx.ai/onnx/operators/onnx__ThresholdedRelu.html),
//! [Elu](https://onnx.ai/onnx/operators/onnx__Elu.html),
//! [Selu](https://onnx.ai/onnx/operators/onnx__Selu.html),
//! [Celu](https://onnx.ai/onnx/operators/onnx__Celu.html): dx = dy on the linear side, dy times the
//! slope of the other side there.
//!
//! Opsets: LeakyRelu 13 to 24 (defined in 6, 16); PRelu 13 to 24 (defined in 9, 16);
//! ThresholdedRelu 13 to 24 (defined in 10, 22); Elu, Selu 13 to 24 (defined in 6, 22); Celu 13 to
//! 24 (defined in 12).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::graph::V;

pub(super) const OPS: &[Op] = &[
    Op::new("LeakyRelu", infer::same, leaky_relu, Cost::Light),
    Op::new("PRelu", infer::same, prelu, Cost::Light),
    Op::new(
        "ThresholdedRelu",
        infer::same,
        thresholded_relu,
        Cost::Light,
    ),
    Op::new("Elu", infer::same, elu, Cost::Middle),
    Op::new("Selu", infer::same, selu, Cost::Middle),
    Op::new("Celu", infer::same, celu, Cost::Middle),
];

fn above(g: &mut Grad, x: V, threshold: f64) -> V {
    let threshold = g.scalar(threshold, x);
    g.emit("Greater", &[x, threshold], Vec::new())
}

/// dy where x > 0, `other` elsewhere.
fn sides(g: &mut Grad, right: V, left: V) -> Result<()> {
    let x = g.x(0)?;
    let positive = above(g, x, 0.0);
    let gradient = g.select(positive, right, left);
    g.give(0, gradient)
}

fn leaky_relu(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    let alpha = f64::from(g.node.float("alpha", 0.01));
    let left = g.scale(dy, alpha);
    sides(g, dy, left)
}

fn prelu(g: &mut Grad) -> Result<()> {
    let (dy, x, slope) = (g.dy()?, g.x(0)?, g.x(1)?);
    if g.wants(0) {
        let left = g.mul(dy, slope);
        sides(g, dy, left)?;
    }
    if g.wants(1) {
        let positive = above(g, x, 0.0);
        let product = g.mul(dy, x);
        let zero = g.scalar(0.0, x);
        let part = g.select(positive, zero, product);
        g.give(1, part)?;
    }
    Ok(())
}

fn thresholded_relu(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let alpha = f64::from(g.node.float("alpha", 1.0));
    let active = above(g, x, alpha);
    let zero = g.scalar(0.0, dy);
    let part = g.select(active, dy, zero);
    g.give(0, part)
}

fn elu(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let alpha = f64::from(g.node.float("alpha", 1.0));
    let slope = g.shift(y, alpha);
    let left = g.mul(dy, slope);
    sides(g, dy, left)
}

fn selu(g: &mut Grad) -> Result<()> {
    let (dy, y) = (g.dy()?, g.y(0)?);
    let alpha = f64::from(g.node.float("alpha", 1.673_263_2));
    let gamma = f64::from(g.node.float("gamma", 1.050_701));
    let slope = g.shift(y, alpha * gamma);
    let left = g.mul(dy, slope);
    let right = g.scale(dy, gamma);
    sides(g, right, left)
}

fn celu(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let alpha = f64::from(g.node.float("alpha", 1.0));
    let ratio = g.scale(x, 1.0 / alpha);
    let slope = g.unary("Exp", ratio);
    let left = g.mul(dy, slope);
    sides(g, dy, left)
}
