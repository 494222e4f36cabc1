//! [RotaryEmbedding](https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html) (opset 23): pairs of
//! components (a, b) of each head become (a cos − b sin, a sin + b cos). Pairs are the two halves,
//! or neighbours where `interleaved`. The gradient turns back; it is that of the plain ops.

use super::{Cost, Op, infer};
use crate::Result;
use crate::build::{attr_int, to_i64};
use crate::dim::Dim;
use crate::grad::Grad;
use crate::graph::V;

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
    let dims = g.shape_or(x)?;
    // `[batch, heads, length, size]`, or `[batch, length, heads, size]` from three axes.
    let (apart, head_axis) = match dims.as_slice() {
        [_, _, _, _] => (x, 1),
        [batch, length, width] => {
            let heads = g.node.int("num_heads", 0);
            let heads = if heads > 0 {
                heads
            } else {
                let half = g.shape_or(cos)?.last().and_then(Dim::as_known);
                match (width.as_known(), half) {
                    (Some(width), Some(half)) if half > 0 => width / (2 * half),
                    _ => return Err(g.error("the number of heads is not known")),
                }
            };
            let size = g.symbols.exact_div(width, &Dim::known(heads));
            let split = [batch.clone(), length.clone(), Dim::known(heads), size];
            (g.reshape(x, &split, None), 2)
        }
        _ => return Err(g.error(format!("rank {} where 3 or 4 was expected", dims.len()))),
    };
    let (cos, sin) = (
        g.unsqueeze(cos, &[head_axis]),
        g.unsqueeze(sin, &[head_axis]),
    );
    let whole = g.shape_or(apart)?;
    if whole.len() != 4 {
        return Err(g.error("its components cannot be counted by heads"));
    }
    let size = whole[3].as_known();
    let turned = match (g.node.int("rotary_embedding_dim", 0), size) {
        (0, size) => size,
        (turned, _) => Some(turned),
    };
    if turned.is_some_and(|n| n < 2 || n % 2 != 0 || size.is_some_and(|size| n > size)) {
        return Err(g.error(format!(
            "{turned:?} of {size:?} components cannot be rotated"
        )));
    }
    let (head, rest) = match (turned, size) {
        (Some(turned), Some(size)) if turned < size => {
            let parts = split(g, apart, &[turned, size - turned]);
            (parts[0], Some(parts[1]))
        }
        (Some(turned), None) => {
            let [zero, end, far, last] = [0, turned, i64::MAX, 3].map(|n| g.ints(&[n]));
            let mut part = |from: V, to: V| g.emit("Slice", &[apart, from, to, last], Vec::new());
            let (head, rest) = (part(zero, end), part(end, far));
            (head, Some(rest))
        }
        _ => (apart, None),
    };
    let mut dims = whole.clone();
    if let Some(turned) = turned {
        dims[3] = Dim::known(turned);
    }
    let half = g.symbols.exact_div(&dims[3], &Dim::known(2));
    let interleaved = g.node.int("interleaved", 0) != 0;
    let (first, second) = if interleaved {
        let mut pairs = dims.clone();
        pairs[3] = half;
        pairs.push(Dim::known(2));
        let pairs = g.reshape(head, &pairs, None);
        let parts = split(g, pairs, &[1, 1]);
        (g.squeeze(parts[0], &[4]), g.squeeze(parts[1], &[4]))
    } else {
        halves(g, head)?
    };
    let (a, b) = (g.mul(first, cos), g.mul(second, sin));
    let real = g.sub(a, b);
    let (a, b) = (g.mul(first, sin), g.mul(second, cos));
    let imaginary = g.add(a, b);
    let mut out = if interleaved {
        let (real, imaginary) = (g.unsqueeze(real, &[4]), g.unsqueeze(imaginary, &[4]));
        let pairs = g.concat(&[real, imaginary], 4);
        g.reshape(pairs, &dims, None)
    } else {
        g.concat(&[real, imaginary], 3)
    };
    if let Some(rest) = rest {
        out = g.concat(&[out, rest], 3);
    }
    let own = g.shape_or(x)?;
    Ok(g.reshape(out, &own, Some(x)))
}

/// The halves of the last axis.
fn halves(g: &mut Grad, x: V) -> Result<(V, V)> {
    let last = g.rank_or(x)? - 1;
    if let Some(n) = g.shape_or(x)?[last].as_known() {
        let parts = split(g, x, &[n / 2, n / 2]);
        return Ok((parts[0], parts[1]));
    }
    if g.opset < 18 {
        return Err(g.error("the size of a head is not known"));
    }
    let attributes = vec![attr_int("axis", to_i64(last)), attr_int("num_outputs", 2)];
    let parts = g.emit_many("Split", &[Some(x)], attributes, &[true, true]);
    match parts.as_slice() {
        [Some(first), Some(second)] => Ok((*first, *second)),
        _ => Err(g.error("its components cannot be halved")),
    }
}

/// Parts of these lengths along the last axis.
pub(super) fn split(g: &mut Grad, x: V, lengths: &[i64]) -> Vec<V> {
    let rank = g.rank(x).unwrap_or(1);
    let sizes = g.ints(lengths);
    let wanted = vec![true; lengths.len()];
    let axis = vec![attr_int("axis", to_i64(rank) - 1)];
    let parts = g.emit_many("Split", &[Some(x), Some(sizes)], axis, &wanted);
    parts.into_iter().map(|part| part.unwrap_or(x)).collect()
}
