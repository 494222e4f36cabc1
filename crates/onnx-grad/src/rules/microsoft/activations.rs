//! Gelu: x Φ(x). FastGelu: its tanh form, of x + bias. BiasGelu: of x + bias. QuickGelu:
//! x σ(α x). BiasSplitGelu: a · gelu(b) for the halves a, b of x + bias. BiasAdd: x + bias + skip.
//! BiasSoftmax: softmax(x + bias).
//!
//! Specified in
//! [ContribOperators](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md);
//! version 1 of the domain, which is the only one.

use crate::axes::to_i64;
use crate::graph::attribute::attr_str;
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::proto::AttributeProto;
use crate::rules::infer;
use crate::rules::op::{Cost, Grad, Op, Result};
use crate::rules::rotary_embedding::split;

pub(in crate::rules) const OPS: &[Op] = &[
    Op::new("Gelu", infer::same, gelu, Cost::Middle).microsoft(),
    Op::new("FastGelu", infer::same, fast_gelu, Cost::Middle).microsoft(),
    Op::new("BiasGelu", infer::same, gelu, Cost::Middle).microsoft(),
    Op::new("QuickGelu", infer::same, quick_gelu, Cost::Middle).microsoft(),
    Op::new("BiasSplitGelu", halved, split_gelu, Cost::Middle).microsoft(),
    Op::new("BiasAdd", infer::same, bias_add, Cost::Light).microsoft(),
    Op::new("BiasSoftmax", infer::same, bias_softmax, Cost::Heavy)
        .microsoft()
        .limits("the bias has the axes of the data"),
];

/// The first input plus the others that are there.
fn biased(g: &mut Grad) -> Result<V> {
    let first = g.x(0)?;
    let others: Vec<V> = g.node.inputs.iter().skip(1).flatten().copied().collect();
    Ok(others.into_iter().fold(first, |sum, v| g.add(sum, v)))
}

/// Only the rule of this node is used, never its output, so that older opsets may have it.
fn standard_gelu(g: &mut Grad, x: V, attributes: Vec<AttributeProto>) -> V {
    g.emit("Gelu", &[x], attributes)
}

fn gelu(g: &mut Grad) -> Result<()> {
    let x = biased(g)?;
    let y = standard_gelu(g, x, Vec::new());
    g.give_through(&[(0, y)])
}

fn fast_gelu(g: &mut Grad) -> Result<()> {
    let x = biased(g)?;
    let y = standard_gelu(g, x, vec![attr_str("approximate", "tanh")]);
    g.give_through(&[(0, y)])
}

fn quick_gelu(g: &mut Grad) -> Result<()> {
    let (x, alpha) = (g.x(0)?, f64::from(g.node.float("alpha", 1.702)));
    let inner = g.scale(x, alpha);
    let gate = g.unary("Sigmoid", inner);
    let y = g.mul(x, gate);
    g.give_through(&[(0, y)])
}

fn halved(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let mut dims = g.shape(x)?;
    let last = dims.last_mut()?;
    *last = g.symbols.exact_div(last, &Dim::known(2));
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn split_gelu(g: &mut Grad) -> Result<()> {
    let x = biased(g)?;
    let width = g.shape_or(x)?.last().and_then(Dim::as_known);
    let Some(half) = width.map(|n| n / 2) else {
        return Err(g.error("the length of the last axis is not known"));
    };
    let [value, gated] = split(g, x, [half, half])?;
    // Its value is used here, so that it has to be one that the opset has.
    let gate = exact_gelu(g, gated);
    let y = g.mul(value, gate);
    g.give_through(&[(0, y)])
}

pub(in crate::rules) fn exact_gelu(g: &mut Grad, x: V) -> V {
    if g.opset >= 20 {
        return g.emit("Gelu", &[x], Vec::new());
    }
    let inner = g.scale(x, std::f64::consts::FRAC_1_SQRT_2);
    let erf = g.unary("Erf", inner);
    let twice = g.shift(erf, 1.0);
    let half = g.scale(x, 0.5);
    g.mul(half, twice)
}

fn bias_add(g: &mut Grad) -> Result<()> {
    let y = biased(g)?;
    g.give_through(&[(0, y)])
}

fn bias_softmax(g: &mut Grad) -> Result<()> {
    let (rank, other) = (g.rank_or(g.x(0)?)?, g.rank_or(g.x(1)?)?);
    if g.node.int("is_inner_broadcast", 1) == 0 && other != rank {
        return Err(g.error("the bias is broadcast along the leading axes"));
    }
    let axis = to_i64(g.axis("axis", 1, rank)?);
    // The op flattens from the axis on.
    if axis != to_i64(rank) - 1 {
        return Err(g.error("an axis other than the last is not supported"));
    }
    let (dy, y) = (g.dy()?, g.y(0)?);
    let product = g.mul(dy, y);
    let total = g.reduce("ReduceSum", product, &[axis], true);
    let lost = g.mul(y, total);
    let gradient = g.sub(product, lost);
    g.give(0, gradient)?;
    g.give(1, gradient)
}
