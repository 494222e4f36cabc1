//! [Cast](https://onnx.ai/onnx/operators/onnx__Cast.html) and
//! [CastLike](https://onnx.ai/onnx/operators/onnx__CastLike.html) between floating-point types:
//! dx = dy cast back. Casts to and from integers have derivative zero.
//!
//! Opsets: Cast 13 to 24 (defined in 13, 19, 21, 23, 24); CastLike 15 to 24 (defined in 15, 19, 21,
//! 23, 24).

use super::op::{Cost, Grad, Op, Result};
use crate::data_type::DataType;
use crate::graph::{Graph, Info, Node};

pub(super) const OPS: &[Op] = &[
    Op::new("Cast", shape, rule, Cost::Light),
    Op::new("CastLike", shape, rule, Cost::Light),
];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let to = match n.input(1) {
        Some(like) => g.data_type(like),
        None => n.data_type("to")?,
    };
    let content = g
        .content(x)
        .filter(|_| to == DataType::Int64 || to == DataType::Int32);
    Some(vec![Info::new(to, g.shape(x)).with_content(content)])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let data_type = g.data_type(x);
    if !data_type.is_float() {
        return Ok(());
    }
    let back = g.cast(dy, data_type);
    g.give(0, back)
}
