//! [Gemm](https://onnx.ai/onnx/operators/onnx__Gemm.html): Y = α A′ B′ + β C, A′ = A or Aᵀ.
//! dA′ = α dY B′ᵀ, dB′ = α A′ᵀ dY, dC = β dY summed over broadcast axes.
//!
//! Opsets 13 to 24 (defined in 13).

use super::op::{Cost, Grad, Op, Result};
use crate::graph::attribute::{attr_float, attr_int};
use crate::graph::{Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[Op::new("Gemm", shape, rule, Cost::Heavy)];

pub(super) fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (a, b) = (n.input(0)?, n.input(1)?);
    let rows = g
        .shape(a)?
        .get(usize::from(n.int("transA", 0) != 0))?
        .clone();
    let columns = g
        .shape(b)?
        .get(usize::from(n.int("transB", 0) == 0))?
        .clone();
    Some(vec![Info::new(g.data_type(a), Some(vec![rows, columns]))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, a, b) = (g.dy()?, g.x(0)?, g.x(1)?);
    let (trans_a, trans_b) = (g.node.int("transA", 0) != 0, g.node.int("transB", 0) != 0);
    let alpha = g.node.float("alpha", 1.0);
    if g.wants(0) {
        let product = if trans_a {
            gemm(g, b, trans_b, dy, true, alpha)
        } else {
            gemm(g, dy, false, b, !trans_b, alpha)
        };
        let shape = g.shape(a);
        g.value_mut(product).shape = shape;
        g.give(0, product)?;
    }
    if g.wants(1) {
        let product = if trans_b {
            gemm(g, dy, true, a, trans_a, alpha)
        } else {
            gemm(g, a, !trans_a, dy, false, alpha)
        };
        let shape = g.shape(b);
        g.value_mut(product).shape = shape;
        g.give(1, product)?;
    }
    if g.wants(2) {
        let beta = f64::from(g.node.float("beta", 1.0));
        let scaled = g.scale(dy, beta);
        g.give(2, scaled)?;
    }
    Ok(())
}

fn gemm(g: &mut Graph, a: V, trans_a: bool, b: V, trans_b: bool, alpha: f32) -> V {
    let attributes = vec![
        attr_float("alpha", alpha),
        attr_int("transA", i64::from(trans_a)),
        attr_int("transB", i64::from(trans_b)),
    ];
    g.emit("Gemm", &[a, b], attributes)
}
