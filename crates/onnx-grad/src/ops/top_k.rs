//! [TopK](https://onnx.ai/onnx/operators/onnx__TopK.html): dx is dy at the indices, 0 elsewhere.

use super::scatter::add_along;
use super::{Cost, Op};
use crate::Result;
use crate::dim::Dim;
use crate::grad::{Grad, normalized};
use crate::graph::{Graph, Info, Node};
use crate::model::DataType;

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
    let index = g.expose(1, dims);
    g.value_mut(index).data_type = DataType::Int64;
    let axis = g.node.int("axis", -1);
    let back = add_along(g, x, index, dy, axis, true)?;
    g.give(0, back)
}
