//! [Split](https://onnx.ai/onnx/operators/onnx__Split.html): dx is the concatenation of the
//! cotangents, zeros where a part has none.
//!
//! Opsets 13 to 24 (defined in 13, 18).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node};

pub(super) const OPS: &[Op] = &[Op::new("Split", shape, rule, Cost::Copy).many_outputs()];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let axis = normalized(n.int("axis", 0), from.len())?;
    let count = n.outputs.len();
    let lengths: Vec<Dim> = match n.input(1) {
        Some(split) => match g.content(split) {
            Some(lengths) => lengths,
            None => (0..count).map(|_| g.symbols.fresh()).collect(),
        },
        None => equal_parts(g, &from[axis], count),
    };
    let data_type = g.data_type(x);
    let infos = lengths
        .into_iter()
        .map(|length| {
            let mut dims = from.clone();
            dims[axis] = length;
            Info::new(data_type, Some(dims))
        })
        .collect();
    Some(infos)
}

/// Equal parts; the last is smaller where the length does not divide.
fn equal_parts(g: &mut Graph, length: &Dim, count: usize) -> Vec<Dim> {
    let parts = Dim::known(to_i64(count));
    if let Some(n) = length.as_known().filter(|_| count > 0) {
        let count_i64 = to_i64(count);
        let part = n / count_i64 + i64::from(n % count_i64 != 0);
        let last = n - part * (count_i64 - 1);
        let mut out = vec![Dim::known(part); count];
        out[count - 1] = Dim::known(last);
        return out;
    }
    match length.div_exact(&parts) {
        Some(part) => vec![part; count],
        None => (0..count).map(|_| g.symbols.fresh()).collect(),
    }
}

fn rule(g: &mut Grad) -> Result<()> {
    let rank = g.rank_or(g.x(0)?)?;
    let axis = g.axis("axis", 0, rank)?;
    let mut parts = Vec::with_capacity(g.node.outputs.len());
    for output in 0..g.node.outputs.len() {
        if let Some(dy) = g.dy_of(output) {
            parts.push(dy);
            continue;
        }
        let y = g.y(output)?;
        parts.push(g.zeros_like(y));
    }
    let whole = g.emit("Concat", &parts, vec![attr_int("axis", to_i64(axis))]);
    g.give(0, whole)
}
