//! [Identity](https://onnx.ai/onnx/operators/onnx__Identity.html), and
//! [Dropout](https://onnx.ai/onnx/operators/onnx__Dropout.html) at inference: dx = dy.
//!
//! Opsets: Identity 13 to 24 (defined in 13, 14, 16, 19, 21, 23, 24); Dropout 13 to 24 (defined in
//! 13, 22).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::data_type::DataType;
use crate::graph::{Graph, Info, Node};

pub(super) const OPS: &[Op] = &[
    Op::new("Identity", infer::same, identity, Cost::Copy),
    Op::new("Dropout", dropout_shape, dropout, Cost::Copy).limits("inference only"),
];

fn identity(g: &mut Grad) -> Result<()> {
    let dy = g.dy()?;
    g.give(0, dy)
}

fn dropout_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let shape = g.shape(x);
    Some(vec![
        Info::new(g.data_type(x), shape.clone()),
        Info::new(DataType::Bool, shape),
    ])
}

fn dropout(g: &mut Grad) -> Result<()> {
    if let Some(training) = g.node.input(2)
        && g.known_ints(training)
            .is_none_or(|mode| mode.first() != Some(&0))
    {
        return Err(g.error("it runs in training mode: export the model for inference"));
    }
    identity(g)
}
