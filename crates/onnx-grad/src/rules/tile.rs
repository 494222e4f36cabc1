//! [Tile](https://onnx.ai/onnx/operators/onnx__Tile.html): dx is the sum of the copies in dy.
//!
//! Opsets 13 to 24 (defined in 13).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::graph::{Graph, Info, Node};

pub(super) const OPS: &[Op] = &[Op::new("Tile", shape, rule, Cost::Copy)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let repeats = g.content(n.input(1)?);
    let mut dims = Vec::with_capacity(from.len());
    for (at, dim) in from.iter().enumerate() {
        dims.push(match repeats.as_ref().and_then(|r| r.get(at)) {
            Some(times) => g.symbols.mul(dim, times),
            None => g.symbols.fresh(),
        });
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, repeats) = (g.dy()?, g.x(0)?, g.x(1)?);
    let dims = g.shape_or(x)?;
    let Some(times) = g.content(repeats).filter(|r| r.len() == dims.len()) else {
        return Err(g.error("its repeats have to be constant or follow from shapes"));
    };
    // [r₀ d₀, r₁ d₁, …] → [r₀, d₀, r₁, d₁, …], summed over the r.
    let (mut split, mut axes) = (Vec::new(), Vec::new());
    for (dim, times) in dims.iter().zip(&times) {
        if !times.is(1) {
            axes.push(to_i64(split.len()));
            split.push(times.clone());
        }
        split.push(dim.clone());
    }
    let apart = g.reshape(dy, &split, None);
    g.give_sum(0, apart, &axes)
}
