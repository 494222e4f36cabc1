//! RotaryEmbedding: the standard op's rotation, with the positions as second input: one per place,
//! or the position of the first one.
//!
//! Specified in
//! [ContribOperators](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md);
//! version 1 of the domain, which is the only one.

use crate::graph::attribute::attr_int;
use crate::rules::attention::counted;
use crate::rules::infer;
use crate::rules::op::{Cost, Grad, Op, Result};
use crate::rules::rotary_embedding::rotated;

pub(in crate::rules) const OPS: &[Op] =
    &[Op::new("RotaryEmbedding", infer::same, rule, Cost::Middle)
        .microsoft()
        .limits("no packed batches")];

fn rule(g: &mut Grad) -> Result<()> {
    if g.node.int("is_packed_batching", 0) != 0 {
        return Err(g.error("packed batches are not supported"));
    }
    let (x, mut positions, cos, sin) = (g.x(0)?, g.x(1)?, g.x(2)?, g.x(3)?);
    let dims = g.shape_or(x)?;
    if g.rank_or(positions)? < 2 {
        let length = dims
            .iter()
            .rev()
            .nth(1)
            .ok_or_else(|| g.error("its input has no two axes"))?;
        // Three axes have the places second, four have them third: before the last in both.
        let count = counted(g, length, x, 1, 2)?;
        positions = g.add(count, positions);
    }
    let axis = || vec![attr_int("axis", 0)];
    let cos = g.emit("Gather", &[cos, positions], axis());
    let sin = g.emit("Gather", &[sin, positions], axis());
    let y = rotated(g, x, cos, sin)?;
    let scale = f64::from(g.node.float("scale", 1.0));
    let y = g.scale(y, scale);
    g.give_through(&[(0, y)])
}
