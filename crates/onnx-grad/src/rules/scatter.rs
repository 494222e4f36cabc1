//! Adding at indices, which the adjoints of gathering ops do.
//!
//! `ScatterND` with addition is not used: ONNX Runtime adds from several threads without a lock, so
//! that equal indices lose contributions.

use crate::Result;
use crate::axes::to_i64;
use crate::graph::attribute::{attr_int, attr_str};
use crate::graph::{Dim, V};
use crate::rules::grad::Grad;

/// Zeros like `x` with `dy` added at `index` along an axis, all of one rank.
pub(super) fn add_along(g: &mut Grad, x: V, index: V, dy: V, axis: i64, unique: bool) -> Result<V> {
    let zeros = g.zeros_like(x);
    let mut attributes = vec![attr_int("axis", axis)];
    if !unique {
        if g.opset < 16 {
            return Err(g.error("adding at indices needs opset 16: convert the model"));
        }
        attributes.push(attr_str("reduction", "add"));
    }
    Ok(g.emit("ScatterElements", &[zeros, index, dy], attributes))
}

/// Zeros like `x` with `dy` added at `index`, which counts the elements of `x` in row-major order.
pub(super) fn add_flat(g: &mut Grad, x: V, index: V, dy: V, unique: bool) -> Result<V> {
    let dims = g.shape_or(x)?;
    let total = g.symbols.product(&dims);
    let count = g.shape_or(dy)?;
    let count = g.symbols.product(&count);
    let zeros = g.zeros_like(x);
    let zeros = flat(g, zeros, &total);
    let (index, dy) = (flat(g, index, &count), flat(g, dy, &count));
    let out = add_along(g, zeros, index, dy, 0, unique)?;
    Ok(g.reshape(out, &dims, Some(x)))
}

/// `v` as a vector of this length.
pub(super) fn flat(g: &mut Grad, v: V, length: &Dim) -> V {
    if g.rank(v) == Some(1) {
        return v;
    }
    if length.is(0) {
        let target = g.ints(&[-1]);
        return g.emit("Reshape", &[v, target], Vec::new());
    }
    g.reshape(v, std::slice::from_ref(length), None)
}

/// Zeros of lengths `dims`, except that the parts of `dy` along `axis` lie at the different places
/// that the vector `index` names. Lengths are read from `x` and `dy`.
pub(super) fn place(g: &mut Grad, x: V, dims: &[Dim], index: V, dy: V, axis: usize) -> Result<V> {
    let rank = dims.len();
    let mut forth: Vec<i64> = (0..to_i64(rank)).collect();
    forth.remove(axis);
    forth.insert(0, to_i64(axis));
    let mut back: Vec<i64> = (1..to_i64(rank)).collect();
    back.insert(axis, 0);
    let mut moved = dims.to_vec();
    let length = moved.remove(axis);
    moved.insert(0, length);
    let zero = g.scalar(0.0, dy);
    let Some(target) = g.shape_tensor(&moved, &[x, dy]) else {
        return Err(g.error("the lengths of its input cannot be computed"));
    };
    let zeros = g.emit("Expand", &[zero, target], Vec::new());
    g.value_mut(zeros).shape = Some(moved);
    let part = g.transpose(dy, &forth);
    let index = g.unsqueeze(index, &[1]);
    let out = g.emit("ScatterND", &[zeros, index, part], Vec::new());
    let out = g.transpose(out, &back);
    g.value_mut(out).shape = Some(dims.to_vec());
    Ok(out)
}
