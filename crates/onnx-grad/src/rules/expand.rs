//! [Expand](https://onnx.ai/onnx/operators/onnx__Expand.html): dx = dy summed over broadcast axes.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::graph::{Graph, Info, Node};

pub(super) const OPS: &[Op] = &[Op::new("Expand", shape, rule, Cost::Copy)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (x, target) = (n.input(0)?, n.input(1)?);
    let data_type = g.data_type(x);
    let (from, content) = (g.shape(x)?, g.content(target));
    let dims = match content {
        Some(target) => infer::broadcast_shapes(g, &from, &target),
        None => {
            let length = g.shape(target).and_then(|s| s.first()?.as_known())?;
            let rank = usize::try_from(length)
                .ok()
                .filter(|&r| r <= 16)?
                .max(from.len());
            (0..rank).map(|_| g.symbols.fresh()).collect()
        }
    };
    let repeated = g
        .content(x)
        .and_then(|content| match (content.as_slice(), dims.as_slice()) {
            ([one], [length]) => {
                let length = usize::try_from(length.as_known()?)
                    .ok()
                    .filter(|&n| n <= 64)?;
                Some(vec![one.clone(); length])
            }
            _ => None,
        });
    Some(vec![
        Info::new(data_type, Some(dims)).with_content(repeated),
    ])
}

fn rule(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    g.give(0, dy)
}
