//! [Attention](https://onnx.ai/onnx/operators/onnx__Attention.html):
//! Y = P V, P = softmax(cap(s Q Kᵀ) + mask), per head; s is 1/√(head size) unless given,
//! cap(z) = c tanh(z/c). Past keys and values stand before the present ones; with fewer key heads
//! than query heads, each serves a group of query heads.
//!
//! The gradient is that of the plain ops that compute the same. A query that may see no key gives 0.
//!
//! Opsets 23 to 24 (defined in 23, 24).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[Op::new("Attention", shape, rule, Cost::Heavy).many_outputs()];

/// `[batch, heads, length, size]` of a tensor of 3 or 4 axes.
fn split_dims(g: &mut Graph, v: V, heads: i64) -> Option<Vec<Dim>> {
    let dims = g.shape(v)?;
    match dims.as_slice() {
        [_, _, _, _] => Some(dims),
        [batch, length, width] => {
            let (batch, length, width) = (batch.clone(), length.clone(), width.clone());
            let size = g.symbols.exact_div(&width, &Dim::known(heads));
            Some(vec![batch, Dim::known(heads), length, size])
        }
        _ => None,
    }
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (q, k, v) = (n.input(0)?, n.input(1)?, n.input(2)?);
    let data_type = g.data_type(q);
    let (heads, key_heads) = (n.int("q_num_heads", 0), n.int("kv_num_heads", 0));
    let joined = g.rank(q)? == 3;
    let queries = split_dims(g, q, heads)?;
    let mut keys = split_dims(g, k, key_heads)?;
    let mut values = split_dims(g, v, key_heads)?;
    let out = if joined {
        let width = g.symbols.mul(&queries[1], &values[3]);
        vec![queries[0].clone(), queries[2].clone(), width]
    } else {
        let mut out = queries.clone();
        out[3] = values[3].clone();
        out
    };
    if let Some(past) = n.input(4) {
        let before = g.shape(past)?.get(2)?.clone();
        let total = g.symbols.add(&before, &keys[2]);
        keys[2] = total.clone();
        values[2] = total;
    }
    let scores = vec![
        queries[0].clone(),
        queries[1].clone(),
        queries[2].clone(),
        keys[2].clone(),
    ];
    let info = |dims: Vec<Dim>| Info::new(data_type, Some(dims));
    Some(vec![info(out), info(keys), info(values), info(scores)])
}

/// `[batch, heads, length, size]`.
pub(super) fn by_head(g: &mut Grad, x: V, heads: i64) -> Result<V> {
    let rank = g.rank_or(x)?;
    if rank == 4 {
        return Ok(x);
    }
    if rank != 3 || heads < 1 {
        return Err(g.error(format!(
            "rank {rank} with {heads} heads, where rank 4, or rank 3 with heads was expected"
        )));
    }
    let Some(dims) = split_dims(g, x, heads) else {
        return Err(g.error("the size of a head cannot be computed"));
    };
    let [batch, heads, length, size] = &dims[..] else {
        return Err(g.error("the size of a head cannot be computed"));
    };
    let split = [batch.clone(), length.clone(), heads.clone(), size.clone()];
    let apart = g.reshape(x, &split, None);
    Ok(g.transpose(apart, &[0, 2, 1, 3]))
}

/// `[batch, length, heads · size]`: the inverse of [`by_head`].
pub(super) fn joined(g: &mut Grad, x: V) -> Result<V> {
    let dims = g.shape_or(x)?;
    let back = g.transpose(x, &[0, 2, 1, 3]);
    let width = g.symbols.mul(&dims[1], &dims[3]);
    Ok(g.reshape(back, &[dims[0].clone(), dims[2].clone(), width], None))
}

/// What attention is computed from.
pub(super) struct Attend {
    /// `[batch, heads, queries, size]`.
    pub(super) q: V,
    /// `[batch, key heads, keys, size]`.
    pub(super) k: V,
    /// `[batch, key heads, keys, value size]`.
    pub(super) v: V,
    pub(super) scale: Scale,
    /// 0 where there is none.
    pub(super) softcap: f64,
    /// Added to the scores; broadcast to `[batch, heads, queries, keys]`.
    pub(super) bias: Option<V>,
    /// Whether the bias may forbid a query every key by −∞.
    pub(super) may_be_blind: bool,
}

/// What attention computes.
pub(super) struct Attended {
    /// `[batch, heads, queries, value size]`.
    pub(super) y: V,
    /// The scores: scaled products, after the cap, with the bias, and the probabilities.
    pub(super) scores: [V; 4],
}

/// Query heads that share a key head, stacked along the queries.
struct Groups {
    /// `[batch, heads, queries]` of the queries.
    apart: [Dim; 3],
    /// `[batch, key heads, stacked queries]`; `None` where each head has keys of its own.
    stacked: Option<[Dim; 3]>,
}

impl Groups {
    fn new(g: &mut Grad, q_dims: &[Dim], k_dims: &[Dim]) -> Result<Self> {
        let [batch, heads, queries, _] = q_dims else {
            return Err(g.error("queries have no 4 axes"));
        };
        let [_, key_heads, _, _] = k_dims else {
            return Err(g.error("keys or values have no 4 axes"));
        };
        let apart = [batch.clone(), heads.clone(), queries.clone()];
        if heads == key_heads {
            return Ok(Self {
                apart,
                stacked: None,
            });
        }
        let (Some(n), Some(m)) = (heads.as_known(), key_heads.as_known()) else {
            return Err(g.error("the numbers of heads are unknown"));
        };
        if m < 1 || n % m != 0 {
            return Err(g.error(format!("{n} query heads cannot share {m} key heads")));
        }
        let rows = g.symbols.mul(queries, &Dim::known(n / m));
        Ok(Self {
            apart,
            stacked: Some([batch.clone(), key_heads.clone(), rows]),
        })
    }

    /// `[batch, heads, queries, last]` as `[batch, key heads, stacked queries, last]`.
    fn stack(&self, g: &mut Grad, x: V, last: &Dim) -> V {
        self.reshaped(g, x, self.stacked.as_ref(), last)
    }

    /// The inverse of [`Groups::stack`].
    fn unstack(&self, g: &mut Grad, x: V, last: &Dim) -> V {
        let apart = self.stacked.as_ref().map(|_| &self.apart);
        self.reshaped(g, x, apart, last)
    }

    fn reshaped(&self, g: &mut Grad, x: V, dims: Option<&[Dim; 3]>, last: &Dim) -> V {
        match dims.cloned() {
            Some([batch, heads, rows]) => g.reshape(x, &[batch, heads, rows, last.clone()], None),
            None => x,
        }
    }
}

pub(super) fn attend(g: &mut Grad, a: &Attend) -> Result<Attended> {
    let (q_dims, k_dims, v_dims) = (g.shape_or(a.q)?, g.shape_or(a.k)?, g.shape_or(a.v)?);
    let groups = Groups::new(g, &q_dims, &k_dims)?;
    let ([.., size], [_, _, keys, _], [_, _, _, width]) = (&q_dims[..], &k_dims[..], &v_dims[..])
    else {
        return Err(g.error("keys or values have no 4 axes"));
    };
    let scaled = match a.scale {
        Scale::Known(scale) => g.scale(a.q, scale),
        Scale::Computed(scale) => g.mul(a.q, scale),
    };
    let scaled = groups.stack(g, scaled, size);
    let kt = g.swap_last(a.k);
    let products = g.matmul(scaled, kt);
    let products = groups.unstack(g, products, keys);
    let mut capped = products;
    if a.softcap != 0.0 {
        let inner = g.scale(products, 1.0 / a.softcap);
        let squashed = g.unary("Tanh", inner);
        capped = g.scale(squashed, a.softcap);
    }
    let (biased, blind) = with_bias(g, capped, a)?;
    let mut p = g.emit("Softmax", &[biased], vec![attr_int("axis", 3)]);
    let zero = g.scalar(0.0, p);
    if let Some(test) = blind {
        p = g.select(test, zero, p);
    }
    let rows = groups.stack(g, p, keys);
    let y = g.matmul(rows, a.v);
    let y = groups.unstack(g, y, width);
    Ok(Attended {
        y,
        scores: [products, capped, biased, p],
    })
}

/// The scores with the bias, and where a query may see no key.
fn with_bias(g: &mut Grad, scores: V, a: &Attend) -> Result<(V, Option<V>)> {
    let Some(bias) = a.bias else {
        return Ok((scores, None));
    };
    if !a.may_be_blind {
        return Ok((g.add(scores, bias), None));
    }
    let least = g.scalar(f64::NEG_INFINITY, bias);
    let zero = g.scalar(0.0, bias);
    let axis = to_i64(g.rank_or(bias)?) - 1;
    let highest = g.reduce("ReduceMax", bias, &[axis], true);
    let test = g.emit("Equal", &[highest, least], Vec::new());
    let bias = g.select(test, zero, bias);
    Ok((g.add(scores, bias), Some(test)))
}

/// What the scores are scaled by.
#[derive(Clone, Copy)]
pub(super) enum Scale {
    Known(f64),
    /// A scalar that is computed at run time.
    Computed(V),
}

/// The scale of the op: 1/√(head size) unless an attribute gives it.
pub(super) fn scale(g: &mut Grad, q: V) -> Result<Scale> {
    let given = g.node.attribute("scale").and_then(|a| a.f);
    let size = g.shape_or(q)?.last().and_then(Dim::as_known);
    match (given.filter(|&s| s != 0.0), size) {
        (Some(scale), _) => Ok(Scale::Known(f64::from(scale))),
        #[expect(clippy::cast_precision_loss, reason = "the size of a head")]
        (None, Some(size)) if size > 0 => Ok(Scale::Known(1.0 / (size as f64).sqrt())),
        (None, Some(size)) => Err(g.error(format!("a head cannot have {size} components"))),
        (None, None) => {
            let Some(size) = g.count(q, &[3], q) else {
                return Err(g.error("the size of a head cannot be computed: give `scale`"));
            };
            let root = g.unary("Sqrt", size);
            Ok(Scale::Computed(g.unary("Reciprocal", root)))
        }
    }
}

/// 0 where a condition holds and −∞ elsewhere.
pub(super) fn bias_where(g: &mut Grad, allowed: V, like: V) -> V {
    let (zero, least) = (g.scalar(0.0, like), g.scalar(f64::NEG_INFINITY, like));
    g.select(allowed, zero, least)
}

/// 0, 1, ... below a length, as integers along `axis` of `rank` axes.
pub(super) fn counted(g: &mut Grad, length: &Dim, of: V, axis: usize, rank: usize) -> Result<V> {
    let length = g
        .length(length, &[of])
        .ok_or_else(|| g.error("a length cannot be computed"))?;
    let end = g.squeeze(length, &[0]);
    let range = g.range(end);
    let axes: Vec<i64> = (0..to_i64(rank)).filter(|&at| at != to_i64(axis)).collect();
    Ok(g.unsqueeze(range, &axes))
}

/// The bias of "no key after the query", queries standing `offset` after the first key.
pub(super) fn causal(g: &mut Grad, q: V, k: V, offset: Option<V>) -> Result<V> {
    let (queries, keys) = (g.shape_or(q)?[2].clone(), g.shape_or(k)?[2].clone());
    let mut row = counted(g, &queries, q, 0, 2)?;
    let column = counted(g, &keys, k, 1, 2)?;
    if let Some(offset) = offset {
        row = g.add(row, offset);
    }
    let allowed = g.emit("LessOrEqual", &[column, row], Vec::new());
    Ok(bias_where(g, allowed, q))
}

/// `[past, present]` along the keys, where there is a past.
pub(super) fn with_past(g: &mut Grad, input: usize, present: V) -> V {
    match g.node.input(input) {
        Some(past) => g.concat(&[past, present], 2),
        None => present,
    }
}

fn mask(g: &mut Grad, mask: V, q: V, k: V) -> Result<V> {
    let mut bias = if g.data_type(mask) == DataType::Bool {
        bias_where(g, mask, q)
    } else {
        mask
    };
    // A short mask leaves the last keys out.
    let (dims, keys) = (g.shape_or(bias)?, g.shape_or(k)?[2].as_known());
    if let (Some(keys), Some(own)) = (keys, dims.last().and_then(Dim::as_known))
        && own < keys
    {
        let mut pads = vec![0; 2 * dims.len()];
        pads[2 * dims.len() - 1] = keys - own;
        let (pads, least) = (g.ints(&pads), g.scalar(f64::NEG_INFINITY, q));
        bias = g.emit("Pad", &[bias, pads, least], Vec::new());
    }
    Ok(bias)
}

fn rule(g: &mut Grad) -> Result<()> {
    for side in ["left_window_size", "right_window_size"] {
        if g.node.int(side, -1) >= 0 {
            return Err(g.error("sliding windows are not supported: give them as a mask"));
        }
    }
    let (heads, key_heads) = (g.node.int("q_num_heads", 0), g.node.int("kv_num_heads", 0));
    let flat = g.rank_or(g.x(0)?)? == 3;
    let q = by_head(g, g.x(0)?, heads)?;
    let k = by_head(g, g.x(1)?, key_heads)?;
    let v = by_head(g, g.x(2)?, key_heads)?;
    let (k, v) = (with_past(g, 4, k), with_past(g, 5, v));
    let (bias, may_be_blind) = bias_of(g, q, k)?;
    let spec = Attend {
        q,
        k,
        v,
        scale: scale(g, q)?,
        softcap: f64::from(g.node.float("softcap", 0.0)),
        bias,
        may_be_blind,
    };
    let out = attend(g, &spec)?;
    let y = if flat { joined(g, out.y)? } else { out.y };
    let mode = g.node.int("qk_matmul_output_mode", 0);
    let scores = usize::try_from(mode)
        .ok()
        .and_then(|mode| out.scores.get(mode));
    let Some(&(mut scores)) = scores else {
        return Err(g.error(format!("qk_matmul_output_mode {mode} is not known")));
    };
    // A score of −∞ stays that whatever the product is.
    if let (2, Some(bias)) = (mode, spec.bias) {
        let least = g.scalar(f64::NEG_INFINITY, bias);
        let hidden = g.emit("Equal", &[bias, least], Vec::new());
        scores = g.select(hidden, least, scores);
    }
    g.give_through(&[(0, y), (1, k), (2, v), (3, scores)])
}

/// What is added to the scores: a mask, "no later key", and "no key beyond its length"; and whether a
/// query may see no key.
fn bias_of(g: &mut Grad, q: V, k: V) -> Result<(Option<V>, bool)> {
    let mut bias = None;
    let lengths = g.node.input(6);
    let may_be_blind = g.node.input(3).is_some() || lengths.is_some();
    if let Some(given) = g.node.input(3) {
        bias = Some(mask(g, given, q, k)?);
    }
    if g.node.int("is_causal", 0) != 0 {
        let offset = causal_offset(g, q)?;
        let part = causal(g, q, k, offset)?;
        bias = Some(g.plus(bias, part));
    }
    if let Some(lengths) = lengths {
        let keys = g.shape_or(k)?[2].clone();
        let column = counted(g, &keys, k, 3, 4)?;
        let lengths = g.unsqueeze(lengths, &[1, 2, 3]);
        let allowed = g.emit("Less", &[column, lengths], Vec::new());
        let part = bias_where(g, allowed, q);
        bias = Some(g.plus(bias, part));
    }
    Ok((bias, may_be_blind))
}

/// How many keys stand before the first query, where that is not 0.
fn causal_offset(g: &mut Grad, q: V) -> Result<Option<V>> {
    if let Some(past) = g.node.input(4) {
        let before = g.shape_or(past)?;
        if before.len() != 4 {
            return Err(g.error("past keys have no 4 axes"));
        }
        return Ok(Some(g.length_of(past, 2)));
    }
    let Some(lengths) = g.node.input(6) else {
        return Ok(None);
    };
    let lengths = g.unsqueeze(lengths, &[1, 2, 3]);
    let queries = g.length_of(q, 2);
    Ok(Some(g.sub(lengths, queries)))
}
