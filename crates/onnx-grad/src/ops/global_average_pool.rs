//! [GlobalAveragePool](https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html): the mean over
//! all axes but batch and channels. dx = dy / n, broadcast.

use super::{Cost, Op};
use crate::Result;
use crate::build::to_i64;
use crate::dim::Dim;
use crate::grad::Grad;
use crate::graph::{Graph, Info, Node};

pub(super) const OPS: &[Op] = &[Op::new("GlobalAveragePool", shape, rule, Cost::Middle)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let mut dims = g.shape(x)?;
    dims.get_mut(2..)?.fill(Dim::known(1));
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let axes: Vec<i64> = (2..to_i64(g.rank_or(x)?)).collect();
    let Some(count) = g.count(x, &axes, dy) else {
        return Err(g.error("the number of averaged elements cannot be computed"));
    };
    let share = g.div(dy, count);
    g.give(0, share)
}
