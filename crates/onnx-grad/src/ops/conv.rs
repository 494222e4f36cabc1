//! [Conv](https://onnx.ai/onnx/operators/onnx__Conv.html): dx = ConvTranspose(dy, W), cut to the
//! length of x; dW = Σ over windows of x dy, as one matrix product; db = Σ dy.

use super::window::{kernel_of, window};
use super::{Cost, Op};
use crate::Result;
use crate::build::to_i64;
use crate::grad::Grad;
use crate::graph::{Graph, Info, Node, V};

pub(super) const OPS: &[Op] =
    &[Op::new("Conv", shape, rule, Cost::Heavy).limits("kernel lengths are fixed")];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let channels = g.shape(n.input(1)?)?.first()?.clone();
    let mut dims = vec![from.first()?.clone(), channels];
    let window = kernel_of(g, n.input(1)?)
        .and_then(|kernel| window(g, n, kernel))
        .filter(|w| w.kernel.len() + 2 == from.len());
    for at in 0..from.len().checked_sub(2)? {
        let count = match &window {
            Some(w) => w.count(g, at, &from[at + 2]),
            None => None,
        };
        dims.push(count.unwrap_or_else(|| g.symbols.fresh()));
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

/// The bias takes the sum of dy over all axes but the channels.
pub(super) fn give_bias(g: &mut Grad, dy: V) -> Result<()> {
    if !g.wants(2) {
        return Ok(());
    }
    let rank = to_i64(g.rank_or(dy)?);
    let axes: Vec<i64> = (0..rank).filter(|&axis| axis != 1).collect();
    let sum = g.reduce("ReduceSum", dy, &axes, false);
    g.give(2, sum)
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, weight) = (g.dy()?, g.x(0)?, g.x(1)?);
    give_bias(g, dy)?;
    if !g.wants(0) && !g.wants(1) {
        return Ok(());
    }
    let node = g.node.clone();
    let rank = g.rank_or(x)?;
    let found = kernel_of(g, weight).and_then(|kernel| window(g, &node, kernel));
    let Some(w) = found.filter(|w| w.kernel.len() + 2 == rank && g.rank(dy) == Some(rank)) else {
        return Err(g.error("its window is not known: fix the lengths of the kernel"));
    };
    let group = node.int("group", 1).max(1);
    if g.wants(0) {
        let back = w.spread(g, dy, weight, group, x)?;
        let dims = g.shape(x);
        g.value_mut(back).shape = dims;
        g.give(0, back)?;
    }
    if g.wants(1) {
        let Some(back) = w.correlate(g, x, dy, weight, group) else {
            return Err(g.error("its kernel is too long to be differentiated, or absurd"));
        };
        g.give(1, back)?;
    }
    Ok(())
}
