//! [Transpose](https://onnx.ai/onnx/operators/onnx__Transpose.html): dx = dy with the inverse
//! permutation.
//!
//! Opsets 13 to 24 (defined in 13, 21, 23, 24).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::graph::{Dim, Graph, Info, Node};

pub(super) const OPS: &[Op] = &[Op::new("Transpose", shape, rule, Cost::Light)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let dims: Option<Vec<Dim>> = match n.ints("perm") {
        Some(perm) if perm.len() == from.len() => perm
            .iter()
            .map(|&p| from.get(usize::try_from(p).ok()?).cloned())
            .collect(),
        Some(_) => return None,
        None => Some(from.into_iter().rev().collect()),
    };
    Some(vec![Info::new(g.data_type(x), Some(dims?))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    let rank = g.rank_or(g.x(0)?)?;
    let perm = match g.node.ints("perm") {
        Some(perm) => perm.to_vec(),
        None => (0..to_i64(rank)).rev().collect(),
    };
    let mut inverse = vec![0i64; rank];
    for (at, &p) in perm.iter().enumerate() {
        let slot = usize::try_from(p).ok().and_then(|p| inverse.get_mut(p));
        match slot {
            Some(slot) => *slot = to_i64(at),
            None => return Err(g.error(format!("permutation {perm:?} does not fit rank {rank}"))),
        }
    }
    let back = g.transpose(dy, &inverse);
    g.give(0, back)
}
