//! FusedMatMul, TransposeMatMul: Y = α A′ B′, A′ being A with its last two axes swapped
//! (`transA`), or its first axis moved behind the batch axes (`transBatchA`). FusedGemm: an
//! activation of Gemm. GemmFastGelu: FastGelu(X W + b). MatMul's and Gemm's gradients.
//!
//! Specified in
//! [ContribOperators](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md);
//! version 1 of the domain, which is the only one.

use crate::axes::to_i64;
use crate::graph::attribute::{attr_float, attr_str};
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::proto::AttributeProto;
use crate::rules::op::{Cost, Grad, Op, Result};
use crate::rules::{gemm, infer};

pub(in crate::rules) const OPS: &[Op] = &[
    Op::new("FusedMatMul", matmul_shape, fused_matmul, Cost::Heavy).microsoft(),
    Op::new("TransposeMatMul", matmul_shape, fused_matmul, Cost::Heavy).microsoft(),
    Op::new("FusedGemm", gemm::shape, fused_gemm, Cost::Heavy).microsoft(),
    Op::new("GemmFastGelu", gemm_gelu_shape, gemm_fast_gelu, Cost::Heavy).microsoft(),
];

/// How a factor's axes are arranged before the product.
fn arrangement(n: &Node, letter: char, rank: usize) -> Vec<i64> {
    let mut perm: Vec<i64> = (0..to_i64(rank)).collect();
    if rank < 2 {
        return perm;
    }
    if n.int(&format!("transBatch{letter}"), 0) != 0 {
        perm[..rank - 1].rotate_left(1);
    }
    if n.int(&format!("trans{letter}"), 0) != 0 {
        perm.swap(rank - 1, rank - 2);
    }
    perm
}

fn matmul_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let arranged = |input: usize, letter: char| -> Option<Vec<Dim>> {
        let dims = g.shape(n.input(input)?)?;
        let perm = arrangement(n, letter, dims.len());
        perm.iter()
            .map(|&p| dims.get(usize::try_from(p).ok()?).cloned())
            .collect()
    };
    let (a, b) = (arranged(0, 'A')?, arranged(1, 'B')?);
    if a.len() < 2 || b.len() < 2 {
        return None;
    }
    let (a_lead, b_lead) = (&a[..a.len() - 2], &b[..b.len() - 2]);
    let mut out = infer::broadcast_shapes(g, a_lead, b_lead);
    out.push(a[a.len() - 2].clone());
    out.push(b[b.len() - 1].clone());
    Some(vec![Info::new(g.data_type(n.input(0)?), Some(out))])
}

fn fused_matmul(g: &mut Grad) -> Result<()> {
    let mut factors = Vec::new();
    for (input, letter) in [(0, 'A'), (1, 'B')] {
        let x = g.x(input)?;
        let perm = arrangement(&g.node, letter, g.rank_or(x)?);
        factors.push(g.transpose(x, &perm));
    }
    let alpha = f64::from(g.node.float("alpha", 1.0));
    let product = g.matmul(factors[0], factors[1]);
    let y = g.scale(product, alpha);
    g.give_through(&[(0, y)])
}

fn kept(n: &Node, names: &[&str]) -> Vec<AttributeProto> {
    let attributes = n.attributes.iter();
    attributes
        .filter(|a| names.contains(&a.name.as_str()))
        .cloned()
        .collect()
}

fn fused_gemm(g: &mut Grad) -> Result<()> {
    let inputs = g.node.inputs.clone();
    let attributes = kept(&g.node, &["alpha", "beta", "transA", "transB"]);
    let sum = g.emit_optional("Gemm", &inputs, attributes);
    let first = g.node.attribute("activation_alpha").and_then(|a| a.f);
    let second = g.node.attribute("activation_beta").and_then(|a| a.f);
    let parameters: Vec<f32> = [first, second].into_iter().map_while(|p| p).collect();
    let y = activated(g, sum, &parameters)?;
    g.give_through(&[(0, y)])
}

/// The `activation` of a fused op, with its parameters in the op's order.
pub(in crate::rules) fn activated(g: &mut Grad, x: V, parameters: &[f32]) -> Result<V> {
    let name = g.node.string("activation", "");
    let attribute = |at: usize, name: &str| {
        let value = parameters.get(at)?;
        Some(attr_float(name, *value))
    };
    let attributes: Vec<AttributeProto> = match name.as_str() {
        "" => return Ok(x),
        "Relu" | "Sigmoid" | "Tanh" | "Softplus" | "Softsign" => Vec::new(),
        "LeakyRelu" | "Elu" | "ThresholdedRelu" => attribute(0, "alpha").into_iter().collect(),
        "HardSigmoid" => [attribute(0, "alpha"), attribute(1, "beta")]
            .into_iter()
            .flatten()
            .collect(),
        "Clip" => {
            let bound = |g: &mut Grad, at: usize, default: f32| {
                let value = parameters.get(at).copied().unwrap_or(default);
                g.scalar(f64::from(value), x)
            };
            let (low, high) = (bound(g, 0, f32::MIN), bound(g, 1, f32::MAX));
            return Ok(g.emit("Clip", &[x, low, high], Vec::new()));
        }
        other => return Err(g.error(format!("its activation `{other}` is not supported"))),
    };
    Ok(g.emit(&name, &[x], attributes))
}

fn gemm_gelu_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (x, w) = (n.input(0)?, n.input(1)?);
    let mut dims = g.shape(x)?;
    *dims.last_mut()? = g.shape(w)?.last()?.clone();
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn gemm_fast_gelu(g: &mut Grad) -> Result<()> {
    let (x, w) = (g.x(0)?, g.x(1)?);
    let mut sum = g.matmul(x, w);
    if let Some(bias) = g.node.input(2) {
        sum = g.add(sum, bias);
    }
    let y = g.emit("Gelu", &[sum], vec![attr_str("approximate", "tanh")]);
    g.give_through(&[(0, y)])
}
