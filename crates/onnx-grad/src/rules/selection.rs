//! [Compress](https://onnx.ai/onnx/operators/onnx__Compress.html) and
//! [Unique](https://onnx.ai/onnx/operators/onnx__Unique.html): dx is dy at the elements taken (of
//! equal ones, the first). [OneHot](https://onnx.ai/onnx/operators/onnx__OneHot.html): its two values
//! take the sums of dy off and on the hot elements.
//! [Range](https://onnx.ai/onnx/operators/onnx__Range.html): y = start + i delta;
//! dstart = Σ dy, ddelta = Σ i dy.
//!
//! Opsets 13 to 24 (defined in 11).

use super::op::{Cost, Grad, Op, Result};
use super::scatter::{flat, place};
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::tensor;

pub(super) const OPS: &[Op] = &[
    Op::new("Compress", compress_shape, compress, Cost::Light),
    Op::new("Unique", unique_shape, unique, Cost::Heavy),
    Op::new("OneHot", one_hot_shape, one_hot, Cost::Middle),
    Op::new("Range", range_shape, range, Cost::Light),
];

/// Shape of a part of x along its axis, or of a part of its elements.
fn part_dims(g: &mut Graph, n: &Node) -> Option<(Vec<Dim>, Dim)> {
    let kept = g.symbols.fresh();
    if n.attribute("axis").is_none() {
        return Some((vec![kept.clone()], kept));
    }
    let mut dims = g.shape(n.input(0)?)?;
    let axis = normalized(n.int("axis", 0), dims.len())?;
    dims[axis] = kept.clone();
    Some((dims, kept))
}

fn compress_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (dims, _) = part_dims(g, n)?;
    Some(vec![Info::new(g.data_type(n.input(0)?), Some(dims))])
}

fn unique_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (dims, kept) = part_dims(g, n)?;
    let rest = |dims| Info::new(DataType::Int64, dims);
    Some(vec![
        Info::new(g.data_type(n.input(0)?), Some(dims)),
        rest(Some(vec![kept.clone()])),
        rest(None),
        rest(Some(vec![kept])),
    ])
}

/// Puts dy at the elements (or at the parts along the axis) of x that `index` names.
fn give_places(g: &mut Grad, index: V) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape_or(x)?;
    let back = if g.node.attribute("axis").is_none() {
        let total = g.symbols.product(&dims);
        let x = flat(g, x, &total);
        let back = place(g, x, &[total], index, dy, 0)?;
        g.reshape(back, &dims, Some(x))
    } else {
        let axis = g.axis("axis", 0, dims.len())?;
        place(g, x, &dims, index, dy, axis)?
    };
    g.give(0, back)
}

fn compress(g: &mut Grad) -> Result<()> {
    let condition = g.x(1)?;
    let chosen = g.unary("NonZero", condition);
    let index = g.squeeze(chosen, &[0]);
    give_places(g, index)
}

fn unique(g: &mut Grad) -> Result<()> {
    let index = g.expose(1, DataType::Int64, None);
    if g.rank(index).is_none() {
        let count = g.symbols.fresh();
        g.value_mut(index).shape = Some(vec![count]);
    }
    give_places(g, index)
}

fn one_hot_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let data_type = g.data_type(n.input(2)?);
    let mut dims = g.shape(n.input(0)?)?;
    let depth = g
        .content(n.input(1)?)
        .and_then(|content| content.first().cloned());
    let depth = depth.unwrap_or_else(|| g.symbols.fresh());
    let axis = normalized(n.int("axis", -1), dims.len() + 1)?;
    dims.insert(axis, depth);
    Some(vec![Info::new(data_type, Some(dims))])
}

fn one_hot(g: &mut Grad) -> Result<()> {
    let (dy, index, depth) = (g.dy()?, g.x(0)?, g.x(1)?);
    if !g.wants(2) {
        return Ok(());
    }
    let data_type = g.data_type(dy);
    let values = g.constant(tensor::floats(&[0.0, 1.0], &[2], data_type));
    let axis = attr_int("axis", g.node.int("axis", -1));
    let hot = g.emit("OneHot", &[index, depth, values], vec![axis]);
    let axes: Vec<i64> = (0..to_i64(g.rank_or(dy)?)).collect();
    let product = g.mul(dy, hot);
    let on = g.reduce("ReduceSum", product, &axes, false);
    let all = g.reduce("ReduceSum", dy, &axes, false);
    let off = g.sub(all, on);
    let (off, on) = (g.unsqueeze(off, &[0]), g.unsqueeze(on, &[0]));
    let both = g.concat(&[off, on], 0);
    g.give(2, both)
}

fn range_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let data_type = g.data_type(n.input(0)?);
    let ends = (|| {
        let first = |v| g.content(v)?.first().cloned();
        Some((
            first(n.input(0)?)?,
            first(n.input(1)?)?,
            first(n.input(2)?)?,
        ))
    })();
    let length = match ends {
        Some((start, limit, step)) if step.is(1) => g.symbols.sub(&limit, &start),
        _ => g.symbols.fresh(),
    };
    Some(vec![Info::new(data_type, Some(vec![length]))])
}

fn range(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    if g.wants(0) {
        g.give_sum(0, dy, &[0])?;
    }
    if g.wants(2) {
        let length = g.length_of(dy, 0);
        let count = g.counting(length);
        let data_type = g.data_type(dy);
        let count = g.cast(count, data_type);
        let product = g.mul(dy, count);
        g.give_sum(2, product, &[0])?;
    }
    Ok(())
}
