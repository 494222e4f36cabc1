//! [NegativeLogLikelihoodLoss](https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html):
//! ℓ = −w[t] x[t] per element, its sum, or its sum over Σ w[t]; 0 where t is `ignore_index`.
//! dx is −w[t] dℓ at the class t.
//! [SoftmaxCrossEntropyLoss](https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html) is the
//! same of x = log softmax of its scores z: with g the gradient of x, dz = g − softmax(z) Σ g.
//!
//! Opsets: NegativeLogLikelihoodLoss 13 to 24 (defined in 13, 22); SoftmaxCrossEntropyLoss 13 to 24
//! (defined in 13).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::tensor;

pub(super) const OPS: &[Op] = &[
    Op::new("NegativeLogLikelihoodLoss", shape, likelihood, Cost::Middle),
    Op::new("SoftmaxCrossEntropyLoss", shape, entropy, Cost::Middle).many_outputs(),
];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let mut dims = Vec::new();
    if n.string("reduction", "mean") == "none" {
        dims = from.clone();
        if dims.len() < 2 {
            return None;
        }
        dims.remove(1);
    }
    let data_type = g.data_type(x);
    Some(vec![
        Info::new(data_type, Some(dims)),
        Info::new(data_type, Some(from)),
    ])
}

/// The gradient of the logarithms.
fn slope(g: &mut Grad, dy: V) -> Result<V> {
    let (x, target) = (g.x(0)?, g.x(1)?);
    let dims = g.shape_or(x)?;
    if dims.len() < 2 {
        return Err(g.error("its input needs a batch and classes"));
    }
    let data_type = g.data_type(x);
    let mut target = g.cast(target, DataType::Int64);
    let ignored = g.node.attribute("ignore_index").and_then(|a| a.i);
    let mut kept = None;
    if let Some(ignored) = ignored {
        let ignored = g.ints(&[ignored]);
        let skip = g.emit("Equal", &[target, ignored], Vec::new());
        let zero = g.ints(&[0]);
        target = g.select(skip, zero, target);
        let keep = g.unary("Not", skip);
        kept = Some(g.cast(keep, data_type));
    }
    let weights = match (g.node.input(2), kept) {
        (Some(table), kept) => {
            let weights = g.emit("Gather", &[table, target], Vec::new());
            Some(kept.map_or(weights, |kept| g.mul(weights, kept)))
        }
        (None, kept) => kept,
    };
    let reduction = g.node.string("reduction", "mean");
    let mut share = g.neg(dy);
    if reduction == "mean" {
        let total = match weights {
            Some(weights) => {
                let rank = to_i64(g.rank_or(target)?);
                let axes: Vec<i64> = (0..rank).collect();
                g.reduce("ReduceSum", weights, &axes, false)
            }
            None => {
                let axes: Vec<i64> = (0..to_i64(dims.len())).filter(|&a| a != 1).collect();
                g.count(x, &axes, x)
                    .ok_or_else(|| g.error("the number of its elements cannot be computed"))?
            }
        };
        share = g.div(share, total);
    }
    if let Some(weights) = weights {
        share = g.mul(share, weights);
    }
    let classes = g.length_of(x, 1);
    let values = g.constant(tensor::floats(&[0.0, 1.0], &[2], data_type));
    let hot = g.emit(
        "OneHot",
        &[target, classes, values],
        vec![attr_int("axis", 1)],
    );
    g.value_mut(hot).shape = Some(dims);
    if g.rank(share).is_some_and(|rank| rank > 0) {
        share = g.unsqueeze(share, &[1]);
    }
    Ok(g.mul(hot, share))
}

fn refuse_weights(g: &Grad) -> Result<()> {
    if g.wants(2) {
        return Err(g.error("its class weights depend on a chosen input"));
    }
    Ok(())
}

fn likelihood(g: &mut Grad) -> Result<()> {
    refuse_weights(g)?;
    let dy = g.dy()?;
    let slope = slope(g, dy)?;
    g.give(0, slope)
}

fn entropy(g: &mut Grad) -> Result<()> {
    refuse_weights(g)?;
    let x = g.x(0)?;
    let mut total = g.dy_of(1);
    if let Some(dy) = g.dy_of(0) {
        let slope = slope(g, dy)?;
        total = Some(match total {
            Some(other) => g.add(slope, other),
            None => slope,
        });
    }
    let Some(total) = total else { return Ok(()) };
    let dims: Vec<Dim> = g.shape_or(x)?;
    let softmax = g.emit("Softmax", &[x], vec![attr_int("axis", 1)]);
    g.value_mut(softmax).shape = Some(dims);
    let sum = g.reduce("ReduceSum", total, &[1], true);
    let spread = g.mul(softmax, sum);
    let back = g.sub(total, spread);
    g.give(0, back)
}
