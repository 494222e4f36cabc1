//! LayerNormalization and SimplifiedLayerNormalization (root mean square), of input + skip + bias
//! in their Skip forms; EmbedLayerNormalization of a sum of embeddings; GroupNorm and SkipGroupNorm
//! of tensors with the channels last, with SiLU where `activation` is 1.
//!
//! Specified in
//! [ContribOperators](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md);
//! version 1 of the domain, which is the only one.

use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::attribute::{attr_float, attr_int};
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::rules::attention::counted;
use crate::rules::infer;
use crate::rules::layer_normalization::inverse_root;
use crate::rules::op::{Cost, Grad, Op, Result};

pub(in crate::rules) const OPS: &[Op] = &[
    Op::new("LayerNormalization", infer::same, layer, Cost::Middle).microsoft(),
    Op::new(
        "SimplifiedLayerNormalization",
        infer::same,
        simplified,
        Cost::Middle,
    )
    .microsoft(),
    // The optimiser writes this one in the default domain.
    Op::new(
        "SimplifiedLayerNormalization",
        infer::same,
        simplified,
        Cost::Middle,
    ),
    Op::new(
        "SkipLayerNormalization",
        skip_shape,
        skip_layer,
        Cost::Middle,
    )
    .microsoft()
    .many_outputs()
    .limits("no gradient through the statistics"),
    Op::new(
        "SkipSimplifiedLayerNormalization",
        skip_shape,
        skip_simplified,
        Cost::Middle,
    )
    .microsoft()
    .many_outputs()
    .limits("no gradient through the statistics"),
    Op::new(
        "EmbedLayerNormalization",
        embed_shape,
        embed_layer,
        Cost::Middle,
    )
    .microsoft(),
    Op::new("GroupNorm", infer::same, group, Cost::Middle).microsoft(),
    Op::new("SkipGroupNorm", skip_group_shape, skip_group, Cost::Middle)
        .microsoft()
        .many_outputs(),
];

/// Layer normalisation over the axes from `axis` on, by the op where the opset has it.
fn normalized(
    g: &mut Grad,
    x: V,
    gamma: V,
    beta: Option<V>,
    axis: usize,
    epsilon: f32,
) -> Result<V> {
    if g.opset >= 17 {
        let attributes = vec![
            attr_int("axis", to_i64(axis)),
            attr_float("epsilon", epsilon),
        ];
        let inputs = [Some(x), Some(gamma), beta];
        return Ok(g.emit_optional("LayerNormalization", &inputs, attributes));
    }
    let axes: Vec<i64> = (axis..g.rank_or(x)?).map(to_i64).collect();
    let mean = g.reduce("ReduceMean", x, &axes, true);
    let centred = g.sub(x, mean);
    let y = scaled_by_root(g, centred, &axes, epsilon);
    let y = g.mul(y, gamma);
    Ok(match beta {
        Some(beta) => g.add(y, beta),
        None => y,
    })
}

/// x / √(mean x² + ε).
fn scaled_by_root(g: &mut Grad, x: V, axes: &[i64], epsilon: f32) -> V {
    let inverse = inverse_root(g, x, axes, f64::from(epsilon));
    g.mul(x, inverse)
}

fn layer(g: &mut Grad) -> Result<()> {
    let (x, gamma, beta) = (g.x(0)?, g.x(1)?, g.node.input(2));
    let axis = g.axis("axis", -1, g.rank_or(x)?)?;
    let epsilon = g.node.float("epsilon", 1e-5);
    let y = normalized(g, x, gamma, beta, axis, epsilon)?;
    g.give_through(&[(0, y)])
}

fn simplified(g: &mut Grad) -> Result<()> {
    let (x, gamma) = (g.x(0)?, g.x(1)?);
    let rank = g.rank_or(x)?;
    let axis = g.axis("axis", -1, rank)?;
    let axes: Vec<i64> = (axis..rank).map(to_i64).collect();
    let epsilon = g.node.float("epsilon", 1e-5);
    let normal = scaled_by_root(g, x, &axes, epsilon);
    let y = g.mul(normal, gamma);
    g.give_through(&[(0, y)])
}

fn skip_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let (data_type, shape) = (g.data_type(x), g.shape(x));
    let statistics = shape.clone().map(|mut dims| {
        if let Some(last) = dims.last_mut() {
            *last = Dim::known(1);
        }
        dims
    });
    let statistics = Info::new(DataType::Float32, statistics);
    let whole = Info::new(data_type, shape);
    Some(vec![whole.clone(), statistics.clone(), statistics, whole])
}

/// input + skip + bias, and an error where a statistic has a cotangent.
fn skip_sum(g: &mut Grad, bias: usize) -> Result<V> {
    if g.dy_of(1).is_some() || g.dy_of(2).is_some() {
        return Err(g.error("a gradient through its mean or variance is not supported"));
    }
    let (x, skip) = (g.x(0)?, g.x(1)?);
    let sum = g.add(x, skip);
    Ok(match g.node.input(bias) {
        Some(bias) => g.add(sum, bias),
        None => sum,
    })
}

fn skip_layer(g: &mut Grad) -> Result<()> {
    let sum = skip_sum(g, 4)?;
    let (gamma, beta) = (g.x(2)?, g.node.input(3));
    let last = g.axis_value(-1, g.rank_or(sum)?)?;
    let epsilon = g.node.float("epsilon", 1e-12);
    let y = normalized(g, sum, gamma, beta, last, epsilon)?;
    g.give_through(&[(0, y), (3, sum)])
}

fn skip_simplified(g: &mut Grad) -> Result<()> {
    let sum = skip_sum(g, 3)?;
    let gamma = g.x(2)?;
    let last = to_i64(g.axis_value(-1, g.rank_or(sum)?)?);
    let epsilon = g.node.float("epsilon", 1e-5);
    let normal = scaled_by_root(g, sum, &[last], epsilon);
    let y = g.mul(normal, gamma);
    g.give_through(&[(0, y), (3, sum)])
}

fn embed_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (ids, table) = (n.input(0)?, n.input(2)?);
    let mut dims = g.shape(ids)?;
    let batch = dims.first()?.clone();
    dims.push(g.shape(table)?.get(1)?.clone());
    let data_type = g.data_type(table);
    Some(vec![
        Info::new(data_type, Some(dims.clone())),
        Info::new(DataType::Int32, Some(vec![batch])),
        Info::new(data_type, Some(dims)),
    ])
}

fn embed_layer(g: &mut Grad) -> Result<()> {
    let (ids, words, places) = (g.x(0)?, g.x(2)?, g.x(3)?);
    let take =
        |g: &mut Grad, table: V, ids: V| g.emit("Gather", &[table, ids], vec![attr_int("axis", 0)]);
    let mut sum = take(g, words, ids);
    let place = match g.node.input(8) {
        Some(positions) => take(g, places, positions),
        None => {
            let length = g.shape_or(ids)?.get(1).cloned();
            let length = length.ok_or_else(|| g.error("its ids have no two axes"))?;
            let positions = counted(g, &length, ids, 0, 1)?;
            take(g, places, positions)
        }
    };
    sum = g.add(sum, place);
    if let (Some(segments), Some(table)) = (g.node.input(1), g.node.input(4)) {
        let segment = take(g, table, segments);
        sum = g.add(sum, segment);
    }
    let (gamma, beta) = (g.x(5)?, g.node.input(6));
    let epsilon = g.node.float("epsilon", 1e-12);
    let y = normalized(g, sum, gamma, beta, 2, epsilon)?;
    g.give_through(&[(0, y), (2, sum)])
}

/// Normalises `[batch, height, width, channels]` by groups of channels.
fn group_normalized(g: &mut Grad, x: V) -> Result<V> {
    let (gamma, beta) = (g.x(1)?, g.x(2)?);
    let dims = g.shape_or(x)?;
    let rank = dims.len();
    if g.node.int("channels_last", 1) == 0 || rank < 3 {
        return Err(g.error("it has to have the channels last"));
    }
    let groups = Dim::known(g.node.int("groups", 1));
    let size = g.symbols.exact_div(&dims[rank - 1], &groups);
    let area = g.symbols.product(&dims[1..rank - 1]);
    let x = g.reshape(x, &[dims[0].clone(), area, groups, size], None);
    let mean = g.reduce("ReduceMean", x, &[1, 3], true);
    let centred = g.sub(x, mean);
    let epsilon = g.node.float("epsilon", 1e-5);
    let normal = scaled_by_root(g, centred, &[1, 3], epsilon);
    let normal = g.reshape(normal, &dims, None);
    let scaled = g.mul(normal, gamma);
    let y = g.add(scaled, beta);
    if g.node.int("activation", 0) == 0 {
        return Ok(y);
    }
    let gate = g.unary("Sigmoid", y);
    Ok(g.mul(y, gate))
}

fn group(g: &mut Grad) -> Result<()> {
    let x = g.x(0)?;
    let y = group_normalized(g, x)?;
    g.give_through(&[(0, y)])
}

fn skip_group_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let info = infer::same(g, n)?;
    Some([info.clone(), info].concat())
}

fn skip_group(g: &mut Grad) -> Result<()> {
    let (x, mut skip) = (g.x(0)?, g.x(3)?);
    let rank = g.rank_or(x)?;
    // A skip of `[batch, channels]` is the same for every place.
    if g.rank_or(skip)? == 2 {
        let axes: Vec<i64> = (1..to_i64(rank) - 1).collect();
        skip = g.unsqueeze(skip, &axes);
    }
    let mut sum = g.add(x, skip);
    if let Some(bias) = g.node.input(4) {
        sum = g.add(sum, bias);
    }
    let y = group_normalized(g, sum)?;
    g.give_through(&[(0, y), (1, sum)])
}
