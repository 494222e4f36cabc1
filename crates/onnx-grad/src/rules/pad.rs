//! [Pad](https://onnx.ai/onnx/operators/onnx__Pad.html): in constant mode dx is the part of dy that
//! holds x (negative pads crop, so their axes get zeros) and the fill value takes the rest's sum. In
//! the other modes the padded parts of dy are added to the elements that they copy.
//!
//! Opsets 13 to 24 (defined in 13, 18, 19, 21, 23, 24).

use super::axis_map::{along, identity};
use super::op::{Cost, Grad, Op, Result};
use super::slice::pad as pad_zeros;
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::graph::attribute::attr_str;
use crate::graph::{Dim, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[Op::new("Pad", shape, rule, Cost::Light).limits("constant axes")];

/// The axes that pads are given for.
fn axes_of(g: &Graph, n: &Node, rank: usize) -> Option<Vec<usize>> {
    match n.input(3) {
        Some(axes) => g
            .known_ints(axes)?
            .iter()
            .map(|&axis| normalized(axis, rank))
            .collect(),
        None => Some((0..rank).collect()),
    }
}

/// The longest pad that is not absurd.
const MOST: i64 = 1 << 40;

/// Pads before and after every axis.
fn pads(g: &Graph, n: &Node, rank: usize) -> Option<(Vec<i64>, Vec<i64>)> {
    let given = g.known_ints(n.input(1)?)?;
    let axes = axes_of(g, n, rank)?;
    let sane = given.iter().all(|pad| (-MOST..=MOST).contains(pad));
    if given.len() != 2 * axes.len() || !sane {
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
    let mut dims = g.shape(x)?;
    let data_type = g.data_type(x);
    let Some(axes) = axes_of(g, n, dims.len()) else {
        let dims = dims.iter().map(|_| g.symbols.fresh()).collect();
        return Some(vec![Info::new(data_type, Some(dims))]);
    };
    let content = g.content(n.input(1)?);
    let content = content.filter(|c| c.len() == 2 * axes.len());
    for (at, &axis) in axes.iter().enumerate() {
        dims[axis] = match &content {
            Some(pads) => {
                let longer = g.symbols.add(&dims[axis], &pads[at]);
                g.symbols.add(&longer, &pads[at + axes.len()])
            }
            None => g.symbols.fresh(),
        };
    }
    Some(vec![Info::new(data_type, Some(dims))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape_or(x)?;
    let node = g.node.clone();
    let mode = node.string("mode", "constant");
    let known = pads(g, &node, dims.len());
    if mode == "constant" {
        let back = match known {
            Some((before, after)) => cropped(g, dy, &before, &after),
            None => {
                let given = g.x(1)?;
                let negative = g.unary("Neg", given);
                let zero = g.scalar(0.0, dy);
                let inputs = [Some(dy), Some(negative), Some(zero), node.input(3)];
                g.emit_optional("Pad", &inputs, Vec::new())
            }
        };
        g.value_mut(back).shape = Some(dims.clone());
        if g.wants(2) {
            let all = |g: &mut Grad, v: V, rank: usize| {
                let axes: Vec<i64> = (0..to_i64(rank)).collect();
                g.reduce("ReduceSum", v, &axes, false)
            };
            let (whole, inside) = (all(g, dy, dims.len()), all(g, back, dims.len()));
            let rest = g.sub(whole, inside);
            g.give(2, rest)?;
        }
        return if g.wants(0) { g.give(0, back) } else { Ok(()) };
    }
    // Pads may wrap around more than once, which only a length that is known rules out.
    let free = |pad: i64| mode != "wrap" || pad <= 1;
    let folds = |length: &Dim, pad: i64| {
        let least = pad + i64::from(mode == "reflect");
        let fits = length.as_known().map(|n| n >= least && n > 0);
        pad >= 0 && fits.unwrap_or_else(|| free(pad))
    };
    let mut back = dy;
    if let Some((before, after)) = known.filter(|(before, after)| {
        before
            .iter()
            .chain(after)
            .zip(dims.iter().chain(&dims))
            .all(|(&p, n)| folds(n, p))
    }) {
        for axis in 0..dims.len() {
            back = folded(g, back, x, axis, (before[axis], after[axis]), &mode)?;
        }
    } else {
        back = by_matrix(g, back, x, &mode)?;
    }
    g.value_mut(back).shape = Some(dims);
    g.give(0, back)
}

/// The inverse of padding with a constant.
fn cropped(g: &mut Grad, dy: V, before: &[i64], after: &[i64]) -> V {
    let (mut starts, mut ends, mut axes) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..before.len() {
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
    let crop = |pads: &[i64]| pads.iter().map(|&p| -p.min(0)).collect::<Vec<_>>();
    pad_zeros(g, back, &crop(before), &crop(after))
}

/// One axis: the middle of `v` and, added to it, the padded ends where they were copied from.
fn folded(
    g: &mut Grad,
    v: V,
    x: V,
    axis: usize,
    (before, after): (i64, i64),
    mode: &str,
) -> Result<V> {
    if before == 0 && after == 0 {
        return Ok(v);
    }
    let mut dims = g.shape_or(v)?;
    let length = g.length_of(x, axis);
    dims[axis] = g.shape_or(x)?[axis].clone();
    let cut = |g: &mut Grad, start: i64, end: i64, step: i64| {
        let (start, end) = (g.ints(&[start]), g.ints(&[end]));
        let mut inputs = vec![v, start, end, g.ints(&[to_i64(axis)])];
        if step != 1 {
            inputs.push(g.ints(&[step]));
        }
        g.emit("Slice", &inputs, Vec::new())
    };
    let behind = if after > 0 { -after } else { i64::MAX };
    let mut out = cut(g, before, behind, 1);
    g.value_mut(out).shape = Some(dims.clone());
    let ends = [(before, true), (after, false)];
    for (count, first) in ends.into_iter().filter(|(count, _)| *count > 0) {
        // The part, and how far from the start (or the end) of the axis its source lies.
        let (part, offset, from_start) = match (mode, first) {
            ("reflect", true) => (cut(g, count - 1, i64::MIN + 1, -1), 1, true),
            ("reflect", false) => (cut(g, -1, -count - 1, -1), 1, false),
            ("wrap", true) => (cut(g, 0, count, 1), 0, false),
            ("wrap", false) => (cut(g, -count, i64::MAX, 1), 0, true),
            ("edge", _) => {
                let part = if first {
                    cut(g, 0, count, 1)
                } else {
                    cut(g, -count, i64::MAX, 1)
                };
                let sum = g.reduce("ReduceSum", part, &[to_i64(axis)], true);
                (sum, 0, first)
            }
            _ => return Err(g.error(format!("mode `{mode}` is not known"))),
        };
        let size = if mode == "edge" { 1 } else { count };
        let taken = g.ints(&[offset + size]);
        let rest = g.sub_ints(length, taken);
        let offset = g.ints(&[offset]);
        let (start, end) = if from_start {
            (offset, rest)
        } else {
            (rest, offset)
        };
        let none = g.ints(&[0]);
        let sides: Vec<V> = [start, end]
            .into_iter()
            .flat_map(|pad| (0..dims.len()).map(move |at| if at == axis { pad } else { none }))
            .collect();
        let pads = g.concat_ints(&sides);
        let zero = g.scalar(0.0, part);
        let placed = g.emit("Pad", &[part, pads, zero], Vec::new());
        g.value_mut(placed).shape = Some(dims.clone());
        out = g.add(out, placed);
    }
    Ok(out)
}

/// Any pads: what Pad makes of the identity says where each element went.
fn by_matrix(g: &mut Grad, dy: V, x: V, mode: &str) -> Result<V> {
    let (dims, to) = (g.shape_or(x)?, g.shape_or(dy)?);
    let node = g.node.clone();
    let Some(axes) = axes_of(g, &node, dims.len()) else {
        return Err(g.error("its axes have to be constant"));
    };
    let pads = g.x(1)?;
    let mut back = dy;
    for (at, &axis) in axes.iter().enumerate() {
        if let Some(known) = g.known_ints(pads)
            && known.get(at) == Some(&0)
            && known.get(at + axes.len()) == Some(&0)
        {
            continue;
        }
        let length = g.length_of(x, axis);
        let eye = identity(g, length);
        let (first, last) = (g.ints(&[to_i64(at)]), g.ints(&[to_i64(at + axes.len())]));
        let before = g.emit("Gather", &[pads, first], Vec::new());
        let after = g.emit("Gather", &[pads, last], Vec::new());
        let none = g.ints(&[0]);
        let sides = g.concat(&[none, before, none, after], 0);
        let attributes = vec![attr_str("mode", mode)];
        let matrix = g.emit("Pad", &[eye, sides], attributes);
        g.value_mut(matrix).shape = Some(vec![dims[axis].clone(), to[axis].clone()]);
        back = along(g, matrix, back, axis, &dims[axis])
            .ok_or_else(|| g.error("the lengths of its input cannot be computed"))?;
    }
    Ok(back)
}
