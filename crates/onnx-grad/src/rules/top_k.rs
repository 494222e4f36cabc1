//! [TopK](https://onnx.ai/onnx/operators/onnx__TopK.html): dx is dy at the indices, 0 elsewhere.
//!
//! Opsets 13 to 24 (defined in 11, 24).

use super::op::{Cost, Grad, Op, Result};
use super::scatter::add_along;
use crate::axes::normalized;
use crate::data_type::DataType;
use crate::graph::{Dim, Graph, Info, Node};

pub(super) const OPS: &[Op] = &[Op::new("TopK", shape, rule, Cost::Heavy)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let mut dims = g.shape(x)?;
    let axis = normalized(n.int("axis", -1), dims.len())?;
    let count = g
        .content(n.input(1)?)
        .and_then(|content| content.first().cloned());
    let count: Dim = count.unwrap_or_else(|| g.symbols.fresh());
    dims[axis] = count;
    Some(vec![
        Info::new(g.data_type(x), Some(dims.clone())),
        Info::new(DataType::Int64, Some(dims)),
    ])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape(dy);
    let index = g.expose(1, DataType::Int64, dims);
    let axis = g.node.int("axis", -1);
    let back = add_along(g, x, index, dy, axis, true)?;
    g.give(0, back)
}
