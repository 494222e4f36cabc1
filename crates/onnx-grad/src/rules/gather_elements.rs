//! [GatherElements](https://onnx.ai/onnx/operators/onnx__GatherElements.html): dx adds dy at the
//! indices; before opset 16, which lacks the addition, by comparing indices with all places.
//! [GatherND](https://onnx.ai/onnx/operators/onnx__GatherND.html): the same with the indices counted
//! in row-major order.
//!
//! Opsets 13 to 24 (defined in 13). The gradient of GatherND needs 16.

use super::op::{Cost, Grad, Op, Result};
use super::scatter::{add_along, flat};
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[
    Op::new(
        "GatherElements",
        elements_shape,
        gather_elements,
        Cost::Light,
    ),
    Op::new("GatherND", nd_shape, gather_nd, Cost::Light).limits("from opset 16"),
];

fn elements_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let shape = g.shape(n.input(1)?);
    Some(vec![Info::new(g.data_type(n.input(0)?), shape)])
}

fn nd_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (x, index) = (n.input(0)?, n.input(1)?);
    let (from, index) = (g.shape(x)?, g.shape(index)?);
    let batch = usize::try_from(n.int("batch_dims", 0)).ok()?;
    let (depth, lead) = index.split_last()?;
    let depth = usize::try_from(depth.as_known()?).ok()?;
    let tail = from.get(batch.checked_add(depth)?..)?;
    let dims = lead.iter().chain(tail).cloned().collect();
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn gather_elements(g: &mut Grad) -> Result<()> {
    let (dy, x, index) = (g.dy()?, g.x(0)?, g.x(1)?);
    let rank = g.rank_or(x)?;
    let axis = g.axis("axis", 0, rank)?;
    let dims = g.shape_or(x)?;
    let taken = g.shape_or(index)?;
    // ScatterElements leaves what lies outside of the indices' lengths at zero.
    if g.opset >= 16 {
        let back = add_along(g, x, index, dy, to_i64(axis), false)?;
        return g.give(0, back);
    }
    if (0..rank).any(|at| at != axis && dims[at] != taken[at]) {
        return Err(g.error("its indices are shorter than its data: convert the model to opset 16"));
    }
    // dx[…, j, …] = Σ_k dy[…, k, …] [index[…, k, …] = j], with j on a new last axis.
    let length = g.length_of(x, axis);
    let places = g.counting(length);
    let index = g.cast(index, DataType::Int64);
    let zero = g.ints(&[0]);
    let negative = g.emit("Less", &[index, zero], Vec::new());
    let from_end = g.add(index, length);
    let index = g.select(negative, from_end, index);
    let last = to_i64(rank);
    let (index, dy) = (g.unsqueeze(index, &[last]), g.unsqueeze(dy, &[last]));
    let hit = g.emit("Equal", &[index, places], Vec::new());
    let zero = g.scalar(0.0, dy);
    let part = g.select(hit, dy, zero);
    let sum = g.reduce("ReduceSum", part, &[to_i64(axis)], false);
    let mut perm: Vec<i64> = (0..last - 1).collect();
    perm.insert(axis, last - 1);
    let back = g.transpose(sum, &perm);
    g.value_mut(back).shape = Some(dims);
    g.give(0, back)
}

fn gather_nd(g: &mut Grad) -> Result<()> {
    let (dy, x, index) = (g.dy()?, g.x(0)?, g.x(1)?);
    let dims = g.shape_or(x)?;
    let batch = g.node.int("batch_dims", 0);
    let Some(batch) = usize::try_from(batch).ok().filter(|&n| n <= dims.len()) else {
        return Err(g.error(format!("{batch} batch axes do not fit rank {}", dims.len())));
    };
    let places = g.shape_or(index)?;
    let depth = places.last().and_then(Dim::as_known);
    let depth = depth.and_then(|depth| usize::try_from(depth).ok());
    let Some(depth) = depth.filter(|d| (1..=dims.len() - batch).contains(d)) else {
        return Err(g.error("the last length of its indices is not known"));
    };
    let indexed = batch + depth;
    let index = g.cast(index, DataType::Int64);
    // The number, in row-major order, of the part that each index names.
    let mut number: Option<V> = None;
    for axis in 0..indexed {
        let length = g.length_of(x, axis);
        let here = if axis < batch {
            let count = g.counting(length);
            let behind: Vec<i64> = (1..to_i64(places.len() - 1 - axis)).collect();
            g.unsqueeze(count, &behind)
        } else {
            let at = g.int(to_i64(axis - batch));
            let last = attr_int("axis", -1);
            let here = g.emit("Gather", &[index, at], vec![last]);
            let zero = g.ints(&[0]);
            let negative = g.emit("Less", &[here, zero], Vec::new());
            let from_end = g.add(here, length);
            g.select(negative, from_end, here)
        };
        number = Some(match number {
            None => here,
            Some(number) => {
                let scaled = g.emit("Mul", &[number, length], Vec::new());
                g.add(scaled, here)
            }
        });
    }
    let number = number.ok_or_else(|| g.error("it has no indices"))?;
    let count = g.symbols.product(&places[..places.len() - 1]);
    let number = flat(g, number, &count);
    let rows = g.symbols.product(&dims[..indexed]);
    let columns = g.symbols.product(&dims[indexed..]);
    let (part, data, number) = if indexed == dims.len() {
        (flat(g, dy, &count), flat(g, x, &rows), number)
    } else {
        let part = g.reshape(dy, &[count.clone(), columns.clone()], None);
        let data = g.reshape(x, &[rows, columns.clone()], None);
        let number = g.unsqueeze(number, &[1]);
        let number = g.expand(number, &[count, columns], Some(part));
        (part, data, number)
    };
    let back = add_along(g, data, number, part, 0, false)?;
    let back = g.reshape(back, &dims, Some(x));
    g.give(0, back)
}
