//! [Attention](https://onnx.ai/onnx/operators/onnx__Attention.html) (opset 23):
//! Y = P V, P = softmax(s Q Kᵀ + mask), per head; s is 1/√(head size) unless given.
//!
//! dV = Pᵀ dY; dP = dY Vᵀ; dS = P (dP − Σ dP P); dQ = s dS K; dK = s dSᵀ Q; dmask = dS. P is computed
//! from Q and K by plain ops, since the op does not return it after the softmax in every version.

use super::{Cost, Op};
use crate::Result;
use crate::build::{attr_int, to_i64};
use crate::dim::Dim;
use crate::grad::Grad;
use crate::graph::{Graph, Info, Node, V};
use crate::model::DataType;

pub(super) const OPS: &[Op] = &[Op::new("Attention", shape, rule, Cost::Heavy)
    .limits("as many key heads as query heads; no past, no softcap, one output")];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (q, v) = (n.input(0)?, n.input(2)?);
    let data_type = g.data_type(q);
    let (mut dims, values) = (g.shape(q)?, g.shape(v)?);
    let last = dims.len().checked_sub(1)?;
    if dims.len() == 4 {
        dims[last] = values.last()?.clone();
    } else {
        // [batch, length, heads · size]
        let (heads, key_heads) = (n.int("q_num_heads", 0), n.int("kv_num_heads", 0));
        let all = g.symbols.mul(values.last()?, &Dim::known(heads));
        dims[last] = g.symbols.exact_div(&all, &Dim::known(key_heads));
    }
    Some(vec![Info::new(data_type, Some(dims))])
}

/// `[batch, heads, length, size]`.
fn by_head(g: &mut Grad, x: V, heads: i64) -> Result<V> {
    let dims = g.shape_or(x)?;
    if dims.len() == 4 {
        return Ok(x);
    }
    let [batch, length, width] = dims.as_slice() else {
        return Err(g.error(format!("rank {} where 3 or 4 was expected", dims.len())));
    };
    let size = g.symbols.exact_div(width, &Dim::known(heads));
    let split = [batch.clone(), length.clone(), Dim::known(heads), size];
    let apart = g.reshape(x, &split, None);
    Ok(g.transpose(apart, &[0, 2, 1, 3]))
}

/// The inverse of [`by_head`] for an input of this shape.
fn joined(g: &mut Grad, x: V, like: V) -> Result<V> {
    let dims = g.shape_or(like)?;
    if dims.len() == 4 {
        return Ok(x);
    }
    let back = g.transpose(x, &[0, 2, 1, 3]);
    Ok(g.reshape(back, &dims, Some(like)))
}

fn rule(g: &mut Grad) -> Result<()> {
    if g.node.inputs.iter().skip(4).any(Option::is_some) || g.node.float("softcap", 0.0) != 0.0 {
        return Err(g.error("past keys, padding lengths and softcap are not supported"));
    }
    let (dy, inputs) = (g.dy()?, [g.x(0)?, g.x(1)?, g.x(2)?]);
    let (heads, key_heads) = (g.node.int("q_num_heads", 0), g.node.int("kv_num_heads", 0));
    let q = by_head(g, inputs[0], heads)?;
    let k = by_head(g, inputs[1], key_heads)?;
    let v = by_head(g, inputs[2], key_heads)?;
    let dy = by_head(g, dy, heads)?;
    let dims = g.shape_or(q)?;
    if dims[1] != g.shape_or(k)?[1] {
        return Err(g.error("keys have fewer heads than queries: repeat them before the op"));
    }
    let scale = match (
        g.node.attribute("scale").and_then(|a| a.f),
        dims[3].as_known(),
    ) {
        (Some(scale), _) => f64::from(scale),
        #[expect(clippy::cast_precision_loss, reason = "the size of a head")]
        (None, Some(size)) if size > 0 => 1.0 / (size as f64).sqrt(),
        _ => return Err(g.error("the size of a head is not known: give `scale`")),
    };
    let p = probabilities(g, q, k, scale)?;
    if g.wants(2) {
        let pt = g.swap_last(p);
        let gradient = g.matmul(pt, dy);
        let gradient = joined(g, gradient, inputs[2])?;
        g.give(2, gradient)?;
    }
    if !(g.wants(0) || g.wants(1) || g.wants(3)) {
        return Ok(());
    }
    let vt = g.swap_last(v);
    let dp = g.matmul(dy, vt);
    let product = g.mul(dp, p);
    let sum = g.reduce("ReduceSum", product, &[3], true);
    let lost = g.mul(p, sum);
    let ds = g.sub(product, lost);
    if g.wants(3) {
        g.give(3, ds)?;
    }
    let ds = g.scale(ds, scale);
    if g.wants(0) {
        let gradient = g.matmul(ds, k);
        let gradient = joined(g, gradient, inputs[0])?;
        g.give(0, gradient)?;
    }
    if g.wants(1) {
        let dst = g.swap_last(ds);
        let gradient = g.matmul(dst, q);
        let gradient = joined(g, gradient, inputs[1])?;
        g.give(1, gradient)?;
    }
    Ok(())
}

fn probabilities(g: &mut Grad, q: V, k: V, scale: f64) -> Result<V> {
    let kt = g.swap_last(k);
    let scaled = g.scale(q, scale);
    let mut scores = g.matmul(scaled, kt);
    let lowest = if g.data_type(q) == DataType::Float16 {
        -6e4
    } else {
        -1e30
    };
    let lowest = g.scalar(lowest, q);
    // Where a row has nothing left to attend to, the op returns zeros.
    let mut masks = Vec::new();
    let mut may_be_nan = false;
    if let Some(mask) = g.node.input(3) {
        scores = if g.data_type(mask) == DataType::Bool {
            masks.push(mask);
            g.select(mask, scores, lowest)
        } else {
            may_be_nan = true;
            let data_type = g.data_type(q);
            let mask = g.cast(mask, data_type);
            g.add(scores, mask)
        };
    }
    if g.node.int("is_causal", 0) != 0 {
        let dims = g.shape_or(scores)?;
        let one = g.scalar(1.0, q);
        let ones = g.expand(one, &dims[2..], None);
        let lower = g.emit("Trilu", &[ones], vec![attr_int("upper", 0)]);
        let seen = g.emit(
            "Cast",
            &[lower],
            vec![attr_int("to", i64::from(DataType::Bool.code()))],
        );
        masks.push(seen);
        scores = g.select(seen, scores, lowest);
    }
    let axis = to_i64(g.rank_or(scores)?) - 1;
    let mut p = g.emit("Softmax", &[scores], vec![attr_int("axis", axis)]);
    let zero = g.scalar(0.0, q);
    for mask in masks {
        p = g.select(mask, p, zero);
    }
    if may_be_nan {
        let empty = g.unary("IsNaN", p);
        p = g.select(empty, zero, p);
    }
    Ok(p)
}
