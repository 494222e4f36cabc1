//! [DFT](https://onnx.ai/onnx/operators/onnx__DFT.html): y = F x of n points; dx = Fᴴ dy, n times the
//! inverse transform of dy (of the inverse: the transform over n). Real input takes the real part,
//! and what was cut off or padded to n points is put back or cut off.
//!
//! Opsets 17 to 24 (defined in 17, 20).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[
    Op::new("DFT", shape, rule, Cost::Heavy).limits("constant axis; inverse of all points only")
];

fn axis_of(g: &Graph, n: &Node, rank: usize) -> Option<usize> {
    let axis = if g.opset < 20 {
        n.int("axis", 1)
    } else {
        match n.input(2) {
            Some(axis) => *g.known_ints(axis)?.first()?,
            None => -2,
        }
    };
    normalized(axis, rank)
}

fn points(g: &Graph, n: &Node, from: &Dim) -> Option<Dim> {
    match n.input(1) {
        Some(length) => g.content(length)?.first().cloned(),
        None => Some(from.clone()),
    }
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let mut dims = g.shape(x)?;
    let axis = axis_of(g, n, dims.len())?;
    let count = points(g, n, &dims[axis]).unwrap_or_else(|| g.symbols.fresh());
    let (one_sided, inverse) = (n.int("onesided", 0) != 0, n.int("inverse", 0) != 0);
    dims[axis] = match (one_sided, inverse) {
        (false, _) => count,
        (true, false) => {
            let half = g.symbols.floor_div(&count, &Dim::known(2));
            g.symbols.add(&half, &Dim::known(1))
        }
        (true, true) => g.symbols.fresh(),
    };
    *dims.last_mut()? = Dim::known(if one_sided && inverse { 1 } else { 2 });
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape_or(x)?;
    let node = g.node.clone();
    let Some(axis) = axis_of(g, &node, dims.len()).filter(|&axis| axis + 1 < dims.len()) else {
        return Err(g.error("its axis has to be constant"));
    };
    let inverse = node.int("inverse", 0) != 0;
    let one_sided = node.int("onesided", 0) != 0;
    if inverse && one_sided {
        return Err(g.error("an inverse of half the points is not supported"));
    }
    let count = count(g, x, axis);
    let full = points(g, &node, &dims[axis]);
    let mut part = dy;
    if one_sided {
        part = resized(g, part, axis, count)?;
    }
    let mut wide = g.shape_or(dy)?;
    if let Some(full) = &full {
        wide[axis] = full.clone();
    }
    let flip = attr_int("inverse", i64::from(!inverse));
    let back = if g.opset < 20 {
        g.emit("DFT", &[part], vec![flip, attr_int("axis", to_i64(axis))])
    } else {
        let axis_value = g.int(to_i64(axis));
        g.emit_optional("DFT", &[Some(part), None, Some(axis_value)], vec![flip])
    };
    g.value_mut(back).shape = Some(wide);
    let mut back = scaled(g, back, count, inverse);
    if node.input(1).is_some() && full.as_ref() != Some(&dims[axis]) {
        let length = g.length_of(x, axis);
        back = resized(g, back, axis, length)?;
    }
    if dims.last().is_some_and(|d| d.is(1)) {
        let (start, end, last) = (g.ints(&[0]), g.ints(&[1]), g.ints(&[-1]));
        back = g.emit("Slice", &[back, start, end, last], Vec::new());
    } else if dims.last().and_then(Dim::as_known).is_none() {
        return Err(g.error("it is not known whether its input is complex: fix its last length"));
    }
    g.value_mut(back).shape = Some(dims);
    g.give(0, back)
}

/// The number of points, a vector of one integer.
fn count(g: &mut Grad, x: V, axis: usize) -> V {
    let Some(length) = g.node.input(1) else {
        return g.length_of(x, axis);
    };
    let length = g.cast(length, DataType::Int64);
    match g.known_ints(length).as_deref() {
        Some(&[n]) => g.ints(&[n]),
        _ => {
            let one = g.ints(&[1]);
            g.emit("Reshape", &[length, one], Vec::new())
        }
    }
}

/// `back` times the number of points, or over it where the op is the inverse.
fn scaled(g: &mut Grad, back: V, count: V, inverse: bool) -> V {
    let scalar = g.squeeze(count, &[0]);
    let data_type = g.data_type(back);
    let known = g.known_ints(count).and_then(|n| n.first().copied());
    if let Some(n) = known.filter(|&n| n > 0) {
        #[expect(clippy::cast_precision_loss, reason = "a number of points")]
        let n = n as f64;
        return g.scale(back, if inverse { 1.0 / n } else { n });
    }
    let n = g.cast(scalar, data_type);
    if inverse {
        g.div(back, n)
    } else {
        g.mul(back, n)
    }
}

/// `v` cut, or filled up with zeros, to a length along an axis.
fn resized(g: &mut Grad, v: V, axis: usize, length: V) -> Result<V> {
    let now = g.length_of(v, axis);
    let missing = g.sub_ints(length, now);
    let rank = g.rank_or(v)?;
    let none = g.ints(&[0]);
    let sides: Vec<V> = (0..2 * rank)
        .map(|at| if at == rank + axis { missing } else { none })
        .collect();
    let pads = g.concat_ints(&sides);
    let zero = g.scalar(0.0, v);
    Ok(g.emit("Pad", &[v, pads, zero], Vec::new()))
}
