//! FusedConv: an activation of Conv(X, W, B) + Z. NhwcConv and NhwcFusedConv: the same with the
//! channels last. The gradients of Conv and of the activation.
//!
//! Specified in
//! [ContribOperators](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md);
//! version 1 of the domain, which is the only one.

use crate::axes::to_i64;
use crate::graph::{Graph, Info, Node, V};
use crate::proto::AttributeProto;
use crate::rules::op::{Cost, Grad, Op, Result};

pub(in crate::rules) const OPS: &[Op] = &[
    Op::new("FusedConv", conv_shape, fused_conv, Cost::Heavy).microsoft(),
    Op::new("NhwcConv", last_shape, nhwc_conv, Cost::Heavy).microsoft(),
    Op::new("NhwcFusedConv", last_shape, nhwc_conv, Cost::Heavy).microsoft(),
];

/// The attributes that Conv has too.
fn plain(n: &Node) -> Vec<AttributeProto> {
    let attributes = n.attributes.iter();
    attributes
        .filter(|a| !a.name.starts_with("activation"))
        .cloned()
        .collect()
}

/// The Conv within the op.
fn as_conv(n: &Node) -> Node {
    Node {
        op: "Conv".into(),
        domain: String::new(),
        attributes: plain(n),
        ..n.clone()
    }
}

fn conv_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    Some(g.infer(&as_conv(n)))
}

fn last_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let data_type = g.data_type(x);
    let rank = g.rank(x).filter(|&rank| rank >= 3)?;
    let mut first: Vec<usize> = (0..rank).collect();
    first[1..].rotate_right(1);
    // Inference reads shapes from values, so that the transposed input has to be one.
    let mut value = g.value(x).clone();
    let dims = g.shape(x)?;
    value.name.clear();
    value.shape = Some(first.iter().map(|&at| dims[at].clone()).collect());
    let stand_in = g.push_value(value);
    let mut conv = as_conv(n);
    conv.inputs[0] = Some(stand_in);
    let infos = g.infer(&conv);
    g.values.truncate(stand_in.0);
    let mut dims = infos.into_iter().next()?.shape?;
    dims[1..].rotate_left(1);
    Some(vec![Info::new(data_type, Some(dims))])
}

fn parameters(g: &Grad) -> Vec<f32> {
    let given = g.node.attribute("activation_params");
    given.map(|a| a.floats.clone()).unwrap_or_default()
}

fn convolved(g: &mut Grad, x: V, last: bool) -> Result<V> {
    let attributes = plain(&g.node);
    let inputs = [Some(x), g.node.input(1), g.node.input(2)];
    let mut y = g.emit_optional("Conv", &inputs, attributes);
    if let Some(z) = g.node.input(3) {
        let z = if last { channels_first(g, z)? } else { z };
        y = g.add(y, z);
    }
    let parameters = parameters(g);
    super::products::activated(g, y, &parameters)
}

fn fused_conv(g: &mut Grad) -> Result<()> {
    let x = g.x(0)?;
    let y = convolved(g, x, false)?;
    g.give_through(&[(0, y)])
}

fn channels_first(g: &mut Grad, x: V) -> Result<V> {
    let mut perm: Vec<i64> = (0..to_i64(g.rank_or(x)?)).collect();
    perm[1..].rotate_right(1);
    Ok(g.transpose(x, &perm))
}

fn nhwc_conv(g: &mut Grad) -> Result<()> {
    let x = g.x(0)?;
    let rank = g.rank_or(x)?;
    if rank < 3 {
        return Err(g.error(format!("rank {rank} where at least 3 was expected")));
    }
    let x = channels_first(g, x)?;
    let y = convolved(g, x, true)?;
    let mut perm: Vec<i64> = (0..to_i64(rank)).collect();
    perm[1..].rotate_left(1);
    let y = g.transpose(y, &perm);
    g.give_through(&[(0, y)])
}
