//! [GlobalAveragePool](https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html): the mean over
//! all axes but batch and channels. dx = dy / n, broadcast.
//! [GlobalMaxPool](https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html): dy goes to the elements
//! that equal y, in equal parts where several do.
//! [GlobalLpPool](https://onnx.ai/onnx/operators/onnx__GlobalLpPool.html): y = (Σ |x|ᵖ)^(1/p);
//! dx = sign(x) |x|ᵖ⁻¹ y^(1−p) dy.
//!
//! Opsets: GlobalAveragePool, GlobalMaxPool 13 to 24 (defined in 1, 22); GlobalLpPool 13 to 24
//! (defined in 2, 22).

use super::average_pool::{norm_share, norm_slope};
use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::graph::{Dim, Graph, Info, Node};

pub(super) const OPS: &[Op] = &[
    Op::new("GlobalAveragePool", shape, average, Cost::Middle),
    Op::new("GlobalMaxPool", shape, max, Cost::Middle),
    Op::new("GlobalLpPool", shape, norm, Cost::Middle),
];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let mut dims = g.shape(x)?;
    dims.get_mut(2..)?.fill(Dim::known(1));
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn average(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let axes: Vec<i64> = (2..to_i64(g.rank_or(x)?)).collect();
    let Some(count) = g.count(x, &axes, dy) else {
        return Err(g.error("the number of averaged elements cannot be computed"));
    };
    g.give_quotient(0, dy, count)
}

fn max(g: &mut Grad) -> Result<()> {
    let (dy, x, y) = (g.dy()?, g.x(0)?, g.y(0)?);
    let axes: Vec<i64> = (2..to_i64(g.rank_or(x)?)).collect();
    g.give_to_equal(dy, y, &axes)
}

fn norm(g: &mut Grad) -> Result<()> {
    let (dy, x, y) = (g.dy()?, g.x(0)?, g.y(0)?);
    let (p, share) = norm_share(g, dy, y);
    let slope = norm_slope(g, x, p);
    g.give_product(0, slope, share)
}
