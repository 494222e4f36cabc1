//! [Concat](https://onnx.ai/onnx/operators/onnx__Concat.html): each dxᵢ is its part of dy. Parts
//! are taken with one Split where the lengths are known, else with Slices.
//!
//! Opsets 13 to 24 (defined in 13).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[Op::new("Concat", shape, rule, Cost::Copy)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let inputs: Vec<V> = n.inputs.iter().flatten().copied().collect();
    let mut dims = g.shape(*inputs.first()?)?;
    let axis = normalized(n.int("axis", 0), dims.len())?;
    for &v in &inputs[1..] {
        let other = g.shape(v)?;
        if other.len() != dims.len() {
            return None;
        }
        for (at, (dim, other)) in dims.iter_mut().zip(&other).enumerate() {
            if at == axis {
                *dim = g.symbols.add(dim, other);
            } else if dim.as_known().is_none() && other.as_known().is_some() {
                // The parts agree on every other axis.
                g.symbols.learn(dim, other);
                *dim = other.clone();
            } else {
                g.symbols.learn(other, dim);
            }
        }
    }
    let parts: Option<Vec<Vec<Dim>>> = inputs.iter().map(|&v| g.content(v)).collect();
    let content = parts
        .filter(|_| dims.len() == 1)
        .map(|parts| parts.concat());
    Some(vec![
        Info::new(g.data_type(inputs[0]), Some(dims)).with_content(content),
    ])
}

fn rule(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    let rank = g.rank_or(dy)?;
    let axis = g.axis("axis", 0, rank)?;
    let count = g.node.inputs.len();
    let wanted: Vec<usize> = (0..count).filter(|&input| g.wants(input)).collect();
    let mut lengths = Vec::with_capacity(count);
    for input in 0..count {
        let x = g.x(input)?;
        lengths.push(g.shape_or(x)?[axis].clone());
    }
    let known: Option<Vec<i64>> = lengths.iter().map(Dim::as_known).collect();
    if let Some(known) = known
        && wanted.len() == count
    {
        let split = g.ints(&known);
        let asked = vec![true; count];
        let attributes = vec![attr_int("axis", to_i64(axis))];
        let parts = g.emit_many("Split", &[Some(dy), Some(split)], attributes, &asked);
        for (input, part) in parts.into_iter().enumerate() {
            g.give(input, part)?;
        }
        return Ok(());
    }
    for input in wanted {
        let part = slice_part(g, dy, &lengths, input, axis)?;
        g.give(input, part)?;
    }
    Ok(())
}

/// The part of `v` along `axis` that belongs to input `input`. The offset is taken from the start
/// or from the end, whichever is known.
fn slice_part(g: &mut Grad, v: V, lengths: &[Dim], input: usize, axis: usize) -> Result<V> {
    let x = g.x(input)?;
    let sum = |g: &mut Grad, dims: &[Dim]| {
        dims.iter()
            .fold(Dim::known(0), |sum, dim| g.symbols.add(&sum, dim))
    };
    let before = sum(g, &lengths[..input]);
    let after = sum(g, &lengths[input + 1..]);
    // The lengths of this many parts together, read from them where nothing else has it.
    let bound = |g: &mut Grad, dim: &Dim, parts: usize| {
        if let Some(length) = g.length(dim, &[v, x]) {
            return Ok::<V, crate::Error>(length);
        }
        let mut sum = g.ints(&[0]);
        for part in 0..parts {
            let length = g.x(part)?;
            let length = g.length_of(length, axis);
            sum = g.add(sum, length);
        }
        Ok(sum)
    };
    let start = match (
        before.as_known(),
        after.as_known(),
        lengths[input].as_known(),
    ) {
        // An empty part at the end: 0 would be the start, not the end.
        (None, Some(0), Some(0)) => g.ints(&[i64::MAX]),
        (None, Some(after), Some(length)) => {
            match after.checked_add(length).and_then(i64::checked_neg) {
                Some(start) => g.ints(&[start]),
                None => return Err(g.error("the lengths of its parts overflow")),
            }
        }
        _ => bound(g, &before, input)?,
    };
    let end = match after.as_known() {
        Some(0) => g.ints(&[i64::MAX]),
        // Lengths are not negative.
        Some(n) => g.ints(&[-n]),
        None => {
            let end = g.symbols.add(&before, &lengths[input]);
            bound(g, &end, input + 1)?
        }
    };
    let axes = g.ints(&[to_i64(axis)]);
    let part = g.emit("Slice", &[v, start, end, axes], Vec::new());
    if let Some(shape) = g.shape(x) {
        g.value_mut(part).shape = Some(shape);
    }
    Ok(part)
}
