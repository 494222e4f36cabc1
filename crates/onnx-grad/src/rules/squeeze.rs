//! [Squeeze](https://onnx.ai/onnx/operators/onnx__Squeeze.html) and
//! [Unsqueeze](https://onnx.ai/onnx/operators/onnx__Unsqueeze.html): dx = dy with the other one.
//!
//! Opsets 13 to 24 (defined in 13, 21, 23, 24).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::normalized;
use crate::graph::{Dim, Graph, Info, Node};

pub(super) const OPS: &[Op] = &[
    Op::new("Squeeze", squeeze_shape, squeeze, Cost::Copy),
    Op::new("Unsqueeze", unsqueeze_shape, unsqueeze, Cost::Copy),
];

fn squeeze_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let axes: Vec<usize> = match n.input(1) {
        Some(axes) => g
            .known_ints(axes)?
            .iter()
            .map(|&axis| normalized(axis, from.len()))
            .collect::<Option<_>>()?,
        None => {
            // Which axes vanish depends on the lengths.
            let known: Option<Vec<i64>> = from.iter().map(Dim::as_known).collect();
            let known = known?;
            (0..from.len()).filter(|&at| known[at] == 1).collect()
        }
    };
    let dims = from
        .into_iter()
        .enumerate()
        .filter(|(at, _)| !axes.contains(at))
        .map(|(_, dim)| dim)
        .collect();
    let content = g.content(x);
    Some(vec![
        Info::new(g.data_type(x), Some(dims)).with_content(content),
    ])
}

fn unsqueeze_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (x, axes) = (n.input(0)?, n.input(1)?);
    let (from, axes) = (g.shape(x)?, g.known_ints(axes)?);
    let rank = from.len() + axes.len();
    let axes: Vec<usize> = axes
        .iter()
        .map(|&axis| normalized(axis, rank))
        .collect::<Option<_>>()?;
    let mut rest = from.into_iter();
    let mut dims = Vec::with_capacity(rank);
    for at in 0..rank {
        dims.push(if axes.contains(&at) {
            Dim::known(1)
        } else {
            rest.next()?
        });
    }
    let content = g.content(x).filter(|_| rank <= 1);
    Some(vec![
        Info::new(g.data_type(x), Some(dims)).with_content(content),
    ])
}

fn squeeze(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape_or(x)?;
    if let Some(axes) = g.ints_of(1, "axes")? {
        let axes = g.axis_values(axes, dims.len())?;
        let back = g.unsqueeze(dy, &axes);
        return g.give(0, back);
    }
    let back = g.reshape(dy, &dims, Some(x));
    g.give(0, back)
}

fn unsqueeze(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    let rank = g.rank_or(g.y(0)?)?;
    let axes = g.ints_of(1, "axes")?;
    let axes = axes.ok_or_else(|| g.error("it has no axes"))?;
    let axes = g.axis_values(axes, rank)?;
    let back = g.squeeze(dy, &axes);
    g.give(0, back)
}
