//! [CenterCropPad](https://onnx.ai/onnx/operators/onnx__CenterCropPad.html): cropping and padding
//! about the centre undo each other, so dx is dy cropped or padded to the lengths of x.
//!
//! Opsets 18 to 24 (defined in 18).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::graph::attribute::attr_ints;
use crate::graph::{Graph, Info, Node};

pub(super) const OPS: &[Op] = &[Op::new("CenterCropPad", shape, rule, Cost::Copy)];

fn axes_of(n: &Node, rank: usize) -> Option<Vec<usize>> {
    match n.ints("axes") {
        Some(axes) => axes.iter().map(|&a| normalized(a, rank)).collect(),
        None => Some((0..rank).collect()),
    }
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let mut dims = g.shape(x)?;
    let content = g.content(n.input(1)?);
    for (at, axis) in axes_of(n, dims.len())?.into_iter().enumerate() {
        let length = content.as_ref().and_then(|c| c.get(at).cloned());
        dims[axis] = length.unwrap_or_else(|| g.symbols.fresh());
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape_or(x)?;
    let Some(axes) = axes_of(&g.node.clone(), dims.len()) else {
        return Err(g.error("its axes do not fit its input"));
    };
    let lengths: Vec<_> = axes.iter().map(|&axis| g.length_of(x, axis)).collect();
    let lengths = g.concat_ints(&lengths);
    let axes: Vec<i64> = axes.into_iter().map(to_i64).collect();
    let back = g.emit(
        "CenterCropPad",
        &[dy, lengths],
        vec![attr_ints("axes", &axes)],
    );
    g.value_mut(back).shape = Some(dims);
    g.give(0, back)
}
