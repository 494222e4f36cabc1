//! [LayerNormalization](https://onnx.ai/onnx/operators/onnx__LayerNormalization.html):
//! x̂ = (x − mean) r, r = 1/√(var + ε) over the axes from `axis` on; y = x̂ γ + β.
//!
//! With h = dy γ: dx = r (h − mean h − x̂ mean(h x̂)); dγ = Σ dy x̂; dβ = Σ dy. The forward node is
//! made to return r (and the mean where a length is free); x̂ is y itself where γ is 1 and β is 0.
//!
//! Opsets 17 to 24 (defined in 17).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::data_type::{DataType, element_count};
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::proto::AttributeProto;
use crate::tensor;

pub(super) const OPS: &[Op] = &[Op::new("LayerNormalization", shape, rule, Cost::Middle)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let shape = g.shape(x);
    let statistics = shape.clone().and_then(|mut shape| {
        let axis = normalized(n.int("axis", -1), shape.len())?;
        shape[axis..].fill(Dim::known(1));
        Some(shape)
    });
    let stash = n.data_type("stash_type").unwrap_or(DataType::Float32);
    Some(vec![
        Info::new(g.data_type(x), shape),
        Info::new(stash, statistics.clone()),
        Info::new(stash, statistics),
    ])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, scale) = (g.dy()?, g.x(0)?, g.x(1)?);
    let dims = g.shape_or(x)?;
    let axis = g.axis("axis", -1, dims.len())?;
    if g.wants(2) {
        g.give(2, dy)?;
    }
    if !g.wants(0) && !g.wants(1) {
        return Ok(());
    }
    let mut statistics = dims.clone();
    statistics[axis..].fill(Dim::known(1));
    let data_type = g.data_type(x);
    let inverse = statistic(g, 2, &statistics);
    let inverse = g.cast(inverse, data_type);
    let plain =
        is_filled(g, scale, 1.0) && g.node.input(2).is_none_or(|bias| is_filled(g, bias, 0.0));
    let normal = if plain {
        g.y(0)?
    } else if let Some(normal) = normalized_again(g, x, scale, &dims[axis..]) {
        normal
    } else {
        let mean = statistic(g, 1, &statistics);
        let mean = g.cast(mean, data_type);
        let centred = g.sub(x, mean);
        g.mul(centred, inverse)
    };
    if g.wants(1) {
        g.give_product(1, dy, normal)?;
    }
    if !g.wants(0) {
        return Ok(());
    }
    let axes: Vec<i64> = (axis..dims.len()).map(to_i64).collect();
    let h = if is_filled(g, scale, 1.0) {
        dy
    } else {
        g.mul(dy, scale)
    };
    let gradient = normal_gradient(g, h, normal, inverse, &axes);
    g.give(0, gradient)
}

/// 1/√(mean x² + ε).
pub(super) fn inverse_root(g: &mut Graph, x: V, axes: &[i64], epsilon: f64) -> V {
    let square = g.mul(x, x);
    let mean = g.reduce("ReduceMean", square, axes, true);
    let shifted = g.shift(mean, epsilon);
    let root = g.unary("Sqrt", shifted);
    g.unary("Reciprocal", root)
}

/// r (h − mean h − x̂ mean(h x̂)).
pub(super) fn normal_gradient(g: &mut Graph, h: V, normal: V, inverse: V, axes: &[i64]) -> V {
    let mean = g.reduce("ReduceMean", h, axes, true);
    let product = g.mul(h, normal);
    let slope = g.reduce("ReduceMean", product, axes, true);
    let along = g.mul(normal, slope);
    let centred = g.sub(h, mean);
    let rest = g.sub(centred, along);
    g.mul(rest, inverse)
}

/// The mean (1) or r (2), as the forward node returns it.
fn statistic(g: &mut Grad, output: usize, dims: &[Dim]) -> V {
    let stash = g.node.data_type("stash_type");
    let stash = stash.unwrap_or(DataType::Float32);
    g.expose(output, stash, Some(dims.to_vec()))
}

/// x̂, by the op itself with γ = 1 where the lengths are known.
fn normalized_again(g: &mut Grad, x: V, scale: V, tail: &[Dim]) -> Option<V> {
    let known = |dims: &[Dim]| dims.iter().map(Dim::as_known).collect::<Option<Vec<i64>>>();
    let scale_dims = g.shape(scale).filter(|dims| dims.len() == tail.len());
    let lengths = known(tail).or_else(|| known(&scale_dims?))?;
    let count = element_count(&lengths).filter(|&n| n <= 1 << 20)?;
    let data_type = g.data_type(scale);
    let ones = g.constant(tensor::floats(&vec![1.0; count], &lengths, data_type));
    let attributes: Vec<AttributeProto> = g.node.attributes.clone();
    Some(g.emit("LayerNormalization", &[x, ones], attributes))
}

/// Whether a stored float tensor holds this value everywhere.
pub(super) fn is_filled(g: &Graph, v: V, value: f64) -> bool {
    let v = g.behind_copies(v);
    g.tensor(v)
        .is_some_and(|tensor| tensor::is_filled(tensor, value))
}
