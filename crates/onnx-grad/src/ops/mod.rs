//! The ops: one file each, with shape inference, the gradient rule and what it costs to run again.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::Result;
use crate::grad::Grad;
use crate::graph::{Graph, Info, Node};

mod abs;
mod add;
mod affine_grid;
mod attention;
mod average_pool;
mod axis_map;
mod batch_normalization;
mod cast;
mod center_crop_pad;
mod clip;
mod col2im;
mod concat;
mod conv;
mod conv_transpose;
mod cum_sum;
mod depth_to_space;
mod dft;
mod div;
mod einsum;
mod erf;
mod exp;
mod expand;
mod gather;
mod gather_elements;
mod gelu;
mod gemm;
mod global_average_pool;
mod grid_sample;
mod group_normalization;
mod hard_swish;
mod identity;
mod if_;
mod infer;
mod layer_normalization;
mod leaky_relu;
mod lengths;
mod log;
mod loop_;
mod lp_normalization;
mod lrn;
mod matmul;
mod max;
mod max_pool;
mod mean;
mod mean_variance_normalization;
mod microsoft;
mod mod_;
mod mul;
mod neg;
mod negative_log_likelihood_loss;
mod pad;
mod pow;
mod reciprocal;
mod reduce_max;
mod reduce_sum;
mod refused;
mod relu;
mod reshape;
mod resize;
mod reverse_sequence;
mod rms_normalization;
mod rotary_embedding;
mod scatter;
mod scatter_elements;
mod selection;
mod shrink;
mod sigmoid;
mod sin;
mod slice;
mod softmax;
mod softplus;
mod split;
mod sqrt;
mod squeeze;
mod sub;
mod swish;
mod tanh;
mod tile;
mod top_k;
mod transpose;
mod trilu;
mod where_;
mod window;
mod zero;

/// An op that [`crate::differentiate`] knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpInfo {
    /// Op type.
    pub name: &'static str,
    /// Domain; empty for the default one.
    pub domain: &'static str,
    /// Whether its derivative is zero wherever it exists.
    pub is_zero: bool,
    /// Whether it is known for its shapes only: on a path to be differentiated it gives an error.
    pub is_refused: bool,
    /// What its rule does not cover; empty where it covers all.
    pub limits: &'static str,
}

/// All ops that [`crate::differentiate`] knows.
pub fn supported_ops() -> impl Iterator<Item = OpInfo> {
    all().map(|op| OpInfo {
        name: op.name,
        domain: op.domain,
        is_zero: matches!(op.rule, Rule::Zero),
        is_refused: op.is_refused,
        limits: op.limits,
    })
}

/// Output types and shapes of a node, as far as they follow from its inputs.
pub(crate) type InferFn = fn(&mut Graph, &Node) -> Option<Vec<Info>>;
/// Gives the cotangents of the inputs that are wanted.
pub(crate) type RuleFn = fn(&mut Grad) -> Result<()>;

/// How the gradient of an op is made.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    Gradient(RuleFn),
    /// The derivative is zero wherever it exists.
    Zero,
}

/// What it costs to compute an output again, per element, where a multiplication costs 1.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Cost {
    /// No arithmetic: views, copies and shapes.
    Copy,
    /// About one multiplication.
    Light,
    /// A transcendental function or a reduction.
    Middle,
    /// Never worth repeating.
    Heavy,
}

/// An entry of the registry.
#[derive(Clone, Copy)]
pub(crate) struct Op {
    pub(crate) name: &'static str,
    pub(crate) domain: &'static str,
    pub(crate) infer: InferFn,
    pub(crate) rule: Rule,
    pub(crate) cost: Cost,
    /// Whether the rule takes cotangents of later outputs than the first.
    pub(crate) many: bool,
    /// Whether its rule is an error, which `limits` explains.
    pub(crate) is_refused: bool,
    /// What the rule does not cover; empty where it covers all.
    pub(crate) limits: &'static str,
}

impl Op {
    const fn new(name: &'static str, infer: InferFn, rule: RuleFn, cost: Cost) -> Self {
        Self {
            name,
            domain: "",
            infer,
            rule: Rule::Gradient(rule),
            cost,
            many: false,
            is_refused: false,
            limits: "",
        }
    }

    const fn zero(name: &'static str, infer: InferFn, cost: Cost) -> Self {
        Self {
            name,
            domain: "",
            infer,
            rule: Rule::Zero,
            cost,
            many: false,
            is_refused: false,
            limits: "",
        }
    }

    const fn many_outputs(mut self) -> Self {
        self.many = true;
        self
    }

    const fn microsoft(mut self) -> Self {
        self.domain = "com.microsoft";
        self
    }

    /// An op without a gradient, and what to do about it.
    const fn refused(name: &'static str, infer: InferFn, advice: &'static str) -> Self {
        let mut op = Self::new(name, infer, refuse, Cost::Heavy);
        op.is_refused = true;
        op.limits = advice;
        op
    }

    const fn limits(mut self, limits: &'static str) -> Self {
        self.limits = limits;
        self
    }
}

/// Every file's ops.
static FILES: &[&[Op]] = &[
    abs::OPS,
    add::OPS,
    affine_grid::OPS,
    attention::OPS,
    average_pool::OPS,
    batch_normalization::OPS,
    cast::OPS,
    center_crop_pad::OPS,
    clip::OPS,
    col2im::OPS,
    concat::OPS,
    conv::OPS,
    conv_transpose::OPS,
    cum_sum::OPS,
    depth_to_space::OPS,
    dft::OPS,
    div::OPS,
    einsum::OPS,
    erf::OPS,
    exp::OPS,
    expand::OPS,
    gather::OPS,
    gather_elements::OPS,
    gelu::OPS,
    gemm::OPS,
    global_average_pool::OPS,
    grid_sample::OPS,
    group_normalization::OPS,
    hard_swish::OPS,
    identity::OPS,
    if_::OPS,
    layer_normalization::OPS,
    leaky_relu::OPS,
    log::OPS,
    loop_::OPS,
    lp_normalization::OPS,
    lrn::OPS,
    matmul::OPS,
    max::OPS,
    max_pool::OPS,
    mean::OPS,
    mean_variance_normalization::OPS,
    mod_::OPS,
    mul::OPS,
    neg::OPS,
    negative_log_likelihood_loss::OPS,
    pad::OPS,
    pow::OPS,
    reciprocal::OPS,
    reduce_max::OPS,
    reduce_sum::OPS,
    refused::OPS,
    relu::OPS,
    reshape::OPS,
    resize::OPS,
    reverse_sequence::OPS,
    rms_normalization::OPS,
    rotary_embedding::OPS,
    scatter_elements::OPS,
    selection::OPS,
    shrink::OPS,
    sigmoid::OPS,
    sin::OPS,
    slice::OPS,
    softmax::OPS,
    softplus::OPS,
    split::OPS,
    sqrt::OPS,
    squeeze::OPS,
    sub::OPS,
    swish::OPS,
    tanh::OPS,
    tile::OPS,
    top_k::OPS,
    transpose::OPS,
    trilu::OPS,
    where_::OPS,
    zero::OPS,
];

static INDEX: LazyLock<HashMap<(&'static str, &'static str), &'static Op>> =
    LazyLock::new(|| all().map(|op| ((op.domain, op.name), op)).collect());

pub(crate) fn all() -> impl Iterator<Item = &'static Op> {
    FILES
        .iter()
        .chain(microsoft::FILES)
        .flat_map(|ops| ops.iter())
}

pub(crate) fn find(domain: &str, name: &str) -> Option<&'static Op> {
    INDEX.get(&(domain, name)).copied()
}

fn refuse(g: &mut Grad) -> Result<()> {
    let advice = find(&g.node.domain, &g.node.op).map_or("", |op| op.limits);
    Err(crate::Error::NoRule {
        node: g.node.label(g),
        op: g.node.op.clone(),
        opset: g.opset,
        advice: advice.to_owned(),
    })
}

/// Types of a node's outputs; empty where nothing is known.
pub(crate) fn infer(graph: &mut Graph, node: &Node) -> Vec<Info> {
    find(&node.domain, &node.op)
        .and_then(|op| (op.infer)(graph, node))
        .unwrap_or_default()
}
