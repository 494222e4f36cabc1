//! [Compress](https://onnx.ai/onnx/operators/onnx__Compress.html),
//! [Unique](https://onnx.ai/onnx/operators/onnx__Unique.html),
//! [OneHot](https://onnx.ai/onnx/operators/onnx__OneHot.html) and
//! [Range](https://onnx.ai/onnx/operators/onnx__Range.html) carry values of their inputs to their
//! output. They are known for their shapes; a gradient through them is refused.

use super::{Cost, Op, infer};
use crate::Result;
use crate::grad::{Grad, normalized};
use crate::graph::{Graph, Info, Node};

pub(super) const OPS: &[Op] = &[
    Op::new("Compress", compress, refuse, Cost::Light).limits(LIMITS),
    Op::new("Unique", infer::opaque, refuse, Cost::Heavy).limits(LIMITS),
    Op::new("OneHot", one_hot, refuse, Cost::Middle).limits(LIMITS),
    Op::new("Range", range, refuse, Cost::Light).limits(LIMITS),
];

const LIMITS: &str = "refused where a chosen input reaches it";

fn refuse(g: &mut Grad) -> Result<()> {
    Err(g.error("a chosen input reaches it, and it has no gradient: export the model without it"))
}

fn compress(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let kept = g.symbols.fresh();
    let dims = match n.attribute("axis") {
        None => vec![kept],
        Some(_) => {
            let mut dims = g.shape(x)?;
            let axis = normalized(n.int("axis", 0), dims.len())?;
            dims[axis] = kept;
            dims
        }
    };
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn one_hot(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let data_type = g.data_type(n.input(2)?);
    let mut dims = g.shape(n.input(0)?)?;
    let depth = g
        .content(n.input(1)?)
        .and_then(|content| content.first().cloned());
    let depth = depth.unwrap_or_else(|| g.symbols.fresh());
    let axis = normalized(n.int("axis", -1), dims.len() + 1)?;
    dims.insert(axis, depth);
    Some(vec![Info::new(data_type, Some(dims))])
}

fn range(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let data_type = g.data_type(n.input(0)?);
    let ends = (|| {
        let first = |v| g.content(v)?.first().cloned();
        Some((
            first(n.input(0)?)?,
            first(n.input(1)?)?,
            first(n.input(2)?)?,
        ))
    })();
    let length = match ends {
        Some((start, limit, step)) if step.is(1) => g.symbols.sub(&limit, &start),
        _ => g.symbols.fresh(),
    };
    Some(vec![Info::new(data_type, Some(vec![length]))])
}
