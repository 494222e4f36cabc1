//! The ops: one file each, with shape inference, the gradient rule and what it costs to run again.
//!
//! To add an op:
//! 1. Copy the file that is nearest to it. It opens with the link to the specification, the opsets
//!    that the rule holds for, and the maths.
//! 2. Write its shape inference, or take one of [`infer`]. The rule gets a [`grad::Grad`] and calls
//!    `give(input, gradient)` for inputs that it `wants`; broadcasts are undone by `give`.
//! 3. List it in [`FILES`], one line, and run
//!    `UPDATE_README=1 cargo test -p onnx-grad --test readme`.
//! 4. Add cases to `tests/golden/op_<file>/make.py`, run it, and run
//!    `cargo test --release -p kinograd-runtime --test gradients`: every case, on every engine.
//!
//! A rule sees its node and what the graph around it says ([`crate::graph`]); rewrites of several
//! nodes are passes, which no rule knows.

use std::collections::HashMap;
use std::sync::LazyLock;

use self::op::{Op, Rule};
use crate::graph::{Graph, Info, Node, Ops};

mod abs;
mod add;
mod affine_grid;
mod attention;
mod average_pool;
mod axis_map;
mod batch_normalization;
mod bodies;
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
pub(crate) mod grad;
mod grid_sample;
mod group_normalization;
mod hard_swish;
mod identity;
mod if_;
mod infer;
mod layer_normalization;
mod leaky_relu;
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
pub(crate) mod op;
mod pad;
mod pow;
mod reciprocal;
mod recurrent;
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
pub(crate) mod softmax;
mod softplus;
mod split;
mod sqrt;
mod squeeze;
mod stft;
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
        is_refused: matches!(op.rule, Rule::Refused),
        limits: op.limits,
    })
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
    recurrent::OPS,
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
    stft::OPS,
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

/// The registry as a graph sees it.
pub(crate) struct Registry;

impl Ops for Registry {
    fn infer(&self, graph: &mut Graph, node: &Node) -> Vec<Info> {
        find(&node.domain, &node.op)
            .and_then(|op| (op.infer)(graph, node))
            .unwrap_or_default()
    }

    fn is_zero(&self, node: &Node) -> bool {
        find(&node.domain, &node.op).is_some_and(|op| matches!(op.rule, Rule::Zero))
    }
}
