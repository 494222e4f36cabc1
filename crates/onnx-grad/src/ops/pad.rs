//! [Pad](https://onnx.ai/onnx/operators/onnx__Pad.html), constant mode: dx is the part of dy that
//! holds x; negative pads crop, so their axes get zeros.

use super::slice::pad as pad_zeros;
use super::{Cost, Op};
use crate::Result;
use crate::build::to_i64;
use crate::dim::Dim;
use crate::grad::{Grad, normalized};
use crate::graph::{Graph, Info, Node};

pub(super) const OPS: &[Op] =
    &[Op::new("Pad", shape, rule, Cost::Light).limits("constant mode; constant pads")];

/// Pads before and after every axis.
fn pads(g: &Graph, n: &Node, rank: usize) -> Option<(Vec<i64>, Vec<i64>)> {
    let given = g.known_ints(n.input(1)?)?;
    let axes: Vec<usize> = match n.input(3) {
        Some(axes) => g
            .known_ints(axes)?
            .iter()
            .map(|&axis| normalized(axis, rank))
            .collect::<Option<_>>()?,
        None => (0..rank).collect(),
    };
    if given.len() != 2 * axes.len() {
        return None;
    }
    let (mut before, mut after) = (vec![0; rank], vec![0; rank]);
    for (at, &axis) in axes.iter().enumerate() {
        before[axis] = given[at];
        after[axis] = given[at + axes.len()];
    }
    Some((before, after))
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let pads = pads(g, n, from.len());
    let mut dims = Vec::with_capacity(from.len());
    for (at, dim) in from.iter().enumerate() {
        dims.push(match &pads {
            Some((before, after)) => {
                let extra = Dim::known(before[at].saturating_add(after[at]));
                g.symbols.add(dim, &extra)
            }
            None => g.symbols.fresh(),
        });
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let mode = g.node.string("mode", "constant");
    if mode != "constant" {
        return Err(g.error(format!(
            "mode `{mode}` is not supported: pad with a constant"
        )));
    }
    if g.wants(2) {
        return Err(g.error("its fill value depends on a chosen input"));
    }
    let dims = g.shape_or(x)?;
    let node = g.node.clone();
    let Some((before, after)) = pads(g, &node, dims.len()) else {
        return Err(g.error("its pads have to be constant"));
    };
    let (mut starts, mut ends, mut axes) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..dims.len() {
        if before[at] > 0 || after[at] > 0 {
            starts.push(before[at].max(0));
            ends.push(if after[at] > 0 { -after[at] } else { i64::MAX });
            axes.push(to_i64(at));
        }
    }
    let mut back = dy;
    if !axes.is_empty() {
        let (starts, ends, axes) = (g.ints(&starts), g.ints(&ends), g.ints(&axes));
        back = g.emit("Slice", &[dy, starts, ends, axes], Vec::new());
    }
    let crop = |pads: &[i64]| {
        pads.iter()
            .map(|&p| p.min(0).saturating_neg())
            .collect::<Vec<_>>()
    };
    back = pad_zeros(g, back, &crop(&before), &crop(&after));
    g.value_mut(back).shape = Some(dims);
    g.give(0, back)
}
