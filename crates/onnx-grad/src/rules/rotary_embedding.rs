//! [RotaryEmbedding](https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html): pairs of
//! components (a, b) of each head become (a cos − b sin, a sin + b cos). Pairs are the two halves,
//! or neighbours where `interleaved`. The gradient turns back; it is that of the plain ops.
//!
//! Opsets 23 to 24 (defined in 23).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, V};

pub(super) const OPS: &[Op] = &[Op::new("RotaryEmbedding", infer::same, rule, Cost::Middle)];

fn rule(g: &mut Grad) -> Result<()> {
    let (x, mut cos, mut sin) = (g.x(0)?, g.x(1)?, g.x(2)?);
    if let Some(positions) = g.node.input(3) {
        let axis = || vec![attr_int("axis", 0)];
        cos = g.emit("Gather", &[cos, positions], axis());
        sin = g.emit("Gather", &[sin, positions], axis());
    }
    let y = rotated(g, x, cos, sin)?;
    g.give_through(&[(0, y)])
}

/// The rotation; `cos` and `sin` are `[batch, length, size/2]`.
pub(super) fn rotated(g: &mut Grad, x: V, cos: V, sin: V) -> Result<V> {
    let (apart, head_axis) = by_heads(g, x, cos)?;
    let (cos, sin) = (
        g.unsqueeze(cos, &[head_axis]),
        g.unsqueeze(sin, &[head_axis]),
    );
    let whole = g.shape_or(apart)?;
    let turned = turned_size(g, &whole)?;
    let (head, rest) = match (turned, whole[3].as_known()) {
        (Some(turned), Some(size)) if turned < size => {
            let [head, rest] = split(g, apart, [turned, size - turned])?;
            (head, Some(rest))
        }
        (Some(turned), None) => {
            let [zero, end, far, last] = [0, turned, i64::MAX, 3].map(|n| g.ints(&[n]));
            let mut part = |from: V, to: V| g.emit("Slice", &[apart, from, to, last], Vec::new());
            let (head, rest) = (part(zero, end), part(end, far));
            (head, Some(rest))
        }
        _ => (apart, None),
    };
    let mut dims = whole;
    if let Some(turned) = turned {
        dims[3] = Dim::known(turned);
    }
    let mut out = turned_head(g, head, &dims, cos, sin)?;
    if let Some(rest) = rest {
        out = g.concat(&[out, rest], 3);
    }
    let own = g.shape_or(x)?;
    Ok(g.reshape(out, &own, Some(x)))
}

/// `[batch, heads, length, size]`, or `[batch, length, heads, size]` from three axes; and the axis of
/// the heads.
fn by_heads(g: &mut Grad, x: V, cos: V) -> Result<(V, i64)> {
    let dims = g.shape_or(x)?;
    match dims.as_slice() {
        [_, _, _, _] => Ok((x, 1)),
        [batch, length, width] => {
            let heads = g.node.int("num_heads", 0);
            let heads = if heads > 0 {
                heads
            } else {
                let half = g.shape_or(cos)?.last().and_then(Dim::as_known);
                match (width.as_known(), half) {
                    (Some(width), Some(half)) if (1..1 << 40).contains(&half) => width / (2 * half),
                    _ => return Err(g.error("the number of heads is not known")),
                }
            };
            let size = g.symbols.exact_div(width, &Dim::known(heads));
            let split = [batch.clone(), length.clone(), Dim::known(heads), size];
            Ok((g.reshape(x, &split, None), 2))
        }
        _ => Err(g.error(format!("rank {} where 3 or 4 was expected", dims.len()))),
    }
}

/// How many components of each head are turned, of a head of the last of these lengths; `None` where
/// it is all of them, of which the number is free.
fn turned_size(g: &Grad, whole: &[Dim]) -> Result<Option<i64>> {
    let [_, _, _, size] = whole else {
        return Err(g.error("its components cannot be counted by heads"));
    };
    let size = size.as_known();
    let turned = match g.node.int("rotary_embedding_dim", 0) {
        0 => size,
        turned => Some(turned),
    };
    if turned.is_some_and(|n| n < 2 || n % 2 != 0 || size.is_some_and(|size| n > size)) {
        return Err(g.error(format!(
            "{turned:?} of {size:?} components cannot be rotated"
        )));
    }
    Ok(turned)
}

/// The components that are turned, of these lengths, turned.
fn turned_head(g: &mut Grad, head: V, dims: &[Dim], cos: V, sin: V) -> Result<V> {
    let half = g.symbols.exact_div(&dims[3], &Dim::known(2));
    let interleaved = g.node.int("interleaved", 0) != 0;
    let (first, second) = if interleaved {
        let mut pairs = dims.to_vec();
        pairs[3] = half;
        pairs.push(Dim::known(2));
        let pairs = g.reshape(head, &pairs, None);
        let [first, second] = split(g, pairs, [1, 1])?;
        (g.squeeze(first, &[4]), g.squeeze(second, &[4]))
    } else {
        halves(g, head)?
    };
    let (a, b) = (g.mul(first, cos), g.mul(second, sin));
    let real = g.sub(a, b);
    let (a, b) = (g.mul(first, sin), g.mul(second, cos));
    let imaginary = g.add(a, b);
    if !interleaved {
        return Ok(g.concat(&[real, imaginary], 3));
    }
    let (real, imaginary) = (g.unsqueeze(real, &[4]), g.unsqueeze(imaginary, &[4]));
    let pairs = g.concat(&[real, imaginary], 4);
    Ok(g.reshape(pairs, dims, None))
}

/// The halves of the last axis.
fn halves(g: &mut Grad, x: V) -> Result<(V, V)> {
    let last = g.rank_or(x)? - 1;
    if let Some(n) = g.shape_or(x)?[last].as_known() {
        let [first, second] = split(g, x, [n / 2, n / 2])?;
        return Ok((first, second));
    }
    if g.opset < 18 {
        return Err(g.error("the size of a head is not known"));
    }
    let attributes = vec![attr_int("axis", to_i64(last)), attr_int("num_outputs", 2)];
    let parts = g.emit_many("Split", &[Some(x)], attributes, &[true, true]);
    match parts.as_slice() {
        [first, second] => Ok((*first, *second)),
        _ => Err(g.internal("a Split in two has other parts")),
    }
}

/// Parts of these lengths along the last axis.
pub(super) fn split<const N: usize>(g: &mut Grad, x: V, lengths: [i64; N]) -> Result<[V; N]> {
    let last = to_i64(g.rank_or(x)?) - 1;
    let inputs = [Some(x), Some(g.ints(&lengths))];
    let parts = g.emit_many("Split", &inputs, vec![attr_int("axis", last)], &[true; N]);
    <[V; N]>::try_from(parts).map_err(|_| g.internal("a Split has other parts than asked for"))
}
