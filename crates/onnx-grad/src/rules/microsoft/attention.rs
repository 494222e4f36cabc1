//! Attention: queries, keys and values are X W + b, then attention by heads.
//! MultiHeadAttention: attention by heads of given queries, keys and values, with a bias for each,
//! or of one tensor that packs them.
//!
//! Specified in
//! [ContribOperators](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md);
//! version 1 of the domain, which is the only one.

use crate::data_type::DataType;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::rules::attention::{Attend, attend, by_head, causal, counted, joined, scale, with_past};
use crate::rules::op::{Cost, Grad, Op, Result};
use crate::rules::rotary_embedding::split;

const MASKS: &str = "masks are key lengths, or one number per key or per query and key; no shared \
                     buffers for past keys";

pub(in crate::rules) const OPS: &[Op] = &[
    Op::new("Attention", self_shape, self_attention, Cost::Heavy)
        .microsoft()
        .limits(MASKS),
    Op::new("MultiHeadAttention", multi_shape, multi_head, Cost::Heavy)
        .microsoft()
        .many_outputs()
        .limits(MASKS),
];

/// Widths of queries, keys and values in the product X W.
fn widths(g: &Graph, n: &Node) -> Option<[i64; 3]> {
    if let Some(&[q, k, v]) = n.ints("qkv_hidden_sizes") {
        return Some([q, k, v]);
    }
    let all = g.shape(n.input(1)?)?.get(1)?.as_known()?;
    Some([all / 3; 3])
}

fn self_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let mut dims = g.shape(x)?;
    *dims.last_mut()? = Dim::known(widths(g, n)?[2]);
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn self_attention(g: &mut Grad) -> Result<()> {
    if g.node.int("do_rotary", 0) != 0 || g.node.input(6).is_some() {
        return Err(g.error("rotation and shared buffers for past keys are not supported"));
    }
    let (x, w) = (g.x(0)?, g.x(1)?);
    let Some(sizes) = widths(g, &g.node.clone()) else {
        return Err(g.error("the widths of queries, keys and values are not known"));
    };
    let mut all = g.matmul(x, w);
    if let Some(bias) = g.node.input(2) {
        all = g.add(all, bias);
    }
    let parts = split(g, all, sizes)?;
    let heads = g.node.int("num_heads", 0);
    let q = by_head(g, parts[0], heads)?;
    let mut k = by_head(g, parts[1], heads)?;
    let mut v = by_head(g, parts[2], heads)?;
    if let Some(past) = g.node.input(4) {
        let axis = || vec![attr_int("axis", 0)];
        let (zero, one) = (g.ints(&[0]), g.ints(&[1]));
        let (zero, one) = (g.squeeze(zero, &[0]), g.squeeze(one, &[0]));
        let before = g.emit("Gather", &[past, zero], axis());
        k = g.concat(&[before, k], 2);
        let before = g.emit("Gather", &[past, one], axis());
        v = g.concat(&[before, v], 2);
    }
    let bias = bias_of(g, q, k, 3, 5)?;
    finish(g, q, k, v, bias, false)
}

fn multi_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let q = n.input(0)?;
    let data_type = g.data_type(q);
    let heads = Dim::known(n.int("num_heads", 0));
    let dims = g.shape(q)?;
    let (batch, length) = (dims.first()?.clone(), dims.get(1)?.clone());
    // The width of the values: of a packed tensor, of four axes, or the last of three.
    let (width, key_length) = if dims.len() == 5 {
        (g.symbols.mul(&heads, dims.get(4)?), length.clone())
    } else {
        let keys = g.shape(n.input(1)?)?;
        match n.input(2) {
            None => (g.symbols.mul(&heads, keys.get(4)?), keys.get(1)?.clone()),
            Some(v) => {
                let values = g.shape(v)?;
                if values.len() == 4 {
                    (
                        g.symbols.mul(&heads, values.get(3)?),
                        values.get(2)?.clone(),
                    )
                } else {
                    (values.last()?.clone(), values.get(1)?.clone())
                }
            }
        }
    };
    let mut total = key_length;
    if let Some(past) = n.input(6) {
        let before = g.shape(past)?.get(2)?.clone();
        total = g.symbols.add(&before, &total);
    }
    let size = g.symbols.exact_div(dims.last()?, &heads);
    let value_size = g.symbols.exact_div(&width, &heads);
    let present = |size: Dim| {
        let dims = vec![batch.clone(), heads.clone(), total.clone(), size];
        Info::new(data_type, Some(dims))
    };
    let scores = vec![batch.clone(), heads.clone(), length.clone(), total.clone()];
    Some(vec![
        Info::new(data_type, Some(vec![batch.clone(), length, width])),
        present(size),
        present(value_size),
        Info::new(data_type, Some(scores)),
    ])
}

/// Part `at` of `[batch, length, heads, parts, size]`, as `[batch, heads, length, size]`.
fn unpacked(g: &mut Grad, packed: V, at: i64) -> V {
    let index = g.ints(&[at]);
    let index = g.squeeze(index, &[0]);
    let axis = vec![attr_int("axis", 3)];
    let part = g.emit("Gather", &[packed, index], axis);
    g.transpose(part, &[0, 2, 1, 3])
}

fn multi_head(g: &mut Grad) -> Result<()> {
    if g.node.inputs.iter().skip(8).any(Option::is_some) {
        return Err(g.error("shared buffers for past keys are not supported"));
    }
    let heads = g.node.int("num_heads", 0);
    let query = g.x(0)?;
    let (q, k, v);
    if g.rank_or(query)? == 5 {
        if g.node.input(3).is_some() {
            return Err(g.error("a bias of packed queries, keys and values is not supported"));
        }
        q = unpacked(g, query, 0);
        k = unpacked(g, query, 1);
        v = unpacked(g, query, 2);
    } else {
        let [bias_q, bias_k, bias_v] = biases(g)?;
        let key = g.x(1)?;
        let query = plus(g, query, bias_q);
        q = by_head(g, query, heads)?;
        if let Some(value) = g.node.input(2) {
            let key = plus(g, key, bias_k.filter(|_| g.rank(key) == Some(3)));
            k = by_head(g, key, heads)?;
            let value = plus(g, value, bias_v.filter(|_| g.rank(value) == Some(3)));
            v = by_head(g, value, heads)?;
        } else {
            k = unpacked(g, key, 0);
            v = unpacked(g, key, 1);
        }
    }
    let (k, v) = (with_past(g, 6, k), with_past(g, 7, v));
    let bias = bias_of(g, q, k, 4, 5)?;
    finish(g, q, k, v, bias, true)
}

fn plus(g: &mut Grad, x: V, bias: Option<V>) -> V {
    match bias {
        Some(bias) => g.add(x, bias),
        None => x,
    }
}

/// The parts of the bias for queries, keys and values.
fn biases(g: &mut Grad) -> Result<[Option<V>; 3]> {
    let Some(bias) = g.node.input(3) else {
        return Ok([None; 3]);
    };
    let width = g.shape_or(g.x(0)?)?.last().and_then(Dim::as_known);
    let all = g.shape_or(bias)?.first().and_then(Dim::as_known);
    let all = all.ok_or_else(|| g.error("the length of its bias is not known"))?;
    let width = width.unwrap_or(all / 3);
    if !(0..=all / 2).contains(&width) {
        return Err(g.error(format!(
            "a bias of length {all} is not for queries of {width}"
        )));
    }
    let parts = split(g, bias, [width, width, all - 2 * width])?;
    Ok(parts.map(Some))
}

/// What is added to the scores: for keys that a mask leaves out, later keys, and a given bias.
fn bias_of(g: &mut Grad, q: V, k: V, mask: usize, added: usize) -> Result<Option<V>> {
    let mut parts: Vec<V> = Vec::new();
    if let Some(mask) = g.node.input(mask) {
        let keep = match g.rank_or(mask)? {
            1 => {
                let (own, batch) = (g.shape_or(mask)?, g.shape_or(q)?);
                if own[0] != batch[0] {
                    return Err(g.error("a mask of starts and ends is not supported"));
                }
                let keys = g.shape_or(k)?[2].clone();
                let column = counted(g, &keys, k, 3, 4)?;
                let lengths = g.cast(mask, DataType::Int64);
                let lengths = g.unsqueeze(lengths, &[1, 2, 3]);
                g.emit("Less", &[column, lengths], Vec::new())
            }
            2 => {
                let bits = g.unsqueeze(mask, &[1, 2]);
                g.cast(bits, DataType::Bool)
            }
            3 => {
                let bits = g.unsqueeze(mask, &[1]);
                g.cast(bits, DataType::Bool)
            }
            rank => return Err(g.error(format!("a mask of rank {rank} is not supported"))),
        };
        let filter = f64::from(g.node.float("mask_filter_value", -10_000.0));
        let (zero, filter) = (g.scalar(0.0, q), g.scalar(filter, q));
        parts.push(g.select(keep, zero, filter));
    }
    if g.node.int("unidirectional", 0) != 0 {
        let before = g.shape_or(k)?[2] != g.shape_or(q)?[2];
        let offset = before.then(|| {
            let (keys, queries) = (g.length_of(k, 2), g.length_of(q, 2));
            g.sub(keys, queries)
        });
        parts.push(causal(g, q, k, offset)?);
    }
    parts.extend(g.node.input(added));
    Ok(parts.into_iter().reduce(|sum, part| g.add(sum, part)))
}

fn finish(g: &mut Grad, q: V, k: V, v: V, bias: Option<V>, present: bool) -> Result<()> {
    let spec = Attend {
        q,
        k,
        v,
        scale: scale(g, q)?,
        softcap: 0.0,
        bias,
        may_be_blind: false,
    };
    let out = attend(g, &spec)?;
    let y = joined(g, out.y)?;
    if present {
        return g.give_through(&[(0, y), (1, k), (2, v), (3, out.scores[2])]);
    }
    g.give_through(&[(0, y)])
}
