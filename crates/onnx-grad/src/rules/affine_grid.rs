//! [AffineGrid](https://onnx.ai/onnx/operators/onnx__AffineGrid.html): each point of the grid is
//! θ (p, 1), p the place of an output element. dθ = Σ dy (p, 1)ᵀ; the places are the grid of the
//! identity.
//!
//! Opsets 20 to 24 (defined in 20).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node};
use crate::tensor;

pub(super) const OPS: &[Op] = &[Op::new("AffineGrid", shape, rule, Cost::Middle)];

/// Spatial axes: θ is `[batch, axes, axes + 1]`.
fn axes_of(g: &Graph, n: &Node) -> Option<usize> {
    let axes = g.shape(n.input(0)?)?.get(1)?.as_known()?;
    usize::try_from(axes).ok().filter(|n| (2..=3).contains(n))
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let theta = n.input(0)?;
    let axes = axes_of(g, n)?;
    let batch = g.shape(theta)?.first()?.clone();
    let size = g.content(n.input(1)?);
    let mut dims = vec![batch];
    for at in 0..axes {
        let length = size.as_ref().and_then(|s| s.get(at + 2).cloned());
        dims.push(length.unwrap_or_else(|| g.symbols.fresh()));
    }
    dims.push(Dim::known(to_i64(axes)));
    Some(vec![Info::new(g.data_type(theta), Some(dims))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, theta, size) = (g.dy()?, g.x(0)?, g.x(1)?);
    let node = g.node.clone();
    let axes =
        axes_of(g, &node).ok_or_else(|| g.error("the shape of its matrices is not known"))?;
    let (dims, to) = (g.shape_or(theta)?, g.shape_or(dy)?);
    let data_type = g.data_type(theta);
    let mut values = vec![0.0; axes * (axes + 1)];
    for at in 0..axes {
        values[at * (axes + 2)] = 1.0;
    }
    let count = to_i64(axes);
    let eye = g.constant(tensor::floats(&values, &[1, count, count + 1], data_type));
    let (one, start, end) = (g.ints(&[1]), g.ints(&[1]), g.ints(&[i64::MAX]));
    let rest = g.emit("Slice", &[size, start, end], Vec::new());
    let single = g.concat(&[one, rest], 0);
    let align = attr_int("align_corners", node.int("align_corners", 0));
    let places = g.emit("AffineGrid", &[eye, single], vec![align]);
    let points = g.symbols.product(&to[1..=axes]);
    let mut lone = to.clone();
    lone[0] = Dim::known(1);
    g.value_mut(places).shape = Some(lone);
    let last = Dim::known(count);
    let places = g.reshape(places, &[points.clone(), last.clone()], None);
    // The column of ones takes the sum.
    let cotangent = g.reshape(dy, &[to[0].clone(), points, last], None);
    let rows = g.swap_last(cotangent);
    let slope = g.matmul(rows, places);
    let offset = g.reduce("ReduceSum", rows, &[2], true);
    let back = g.concat(&[slope, offset], 2);
    g.value_mut(back).shape = Some(dims);
    g.give(0, back)
}
