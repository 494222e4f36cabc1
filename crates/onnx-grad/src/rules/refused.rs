//! Ops that carry gradients in principle and have no rule: on a path to be differentiated they give
//! an error that says what to do instead. Anywhere else they do no harm.
//!
//! Each is specified under its name in [the list of operators](https://onnx.ai/onnx/operators/).
//!
//! Opsets: MaxRoiPool 13 to 24 (defined in 1, 22); RoiAlign 13 to 24 (defined in 10, 16, 22);
//! DeformConv 19 to 24 (defined in 19, 22); Det 13 to 24 (defined in 11, 22); DequantizeLinear 13 to 24
//! (defined in 13, 19, 21, 23, 24).

use super::infer;
use super::op::Op;
use crate::graph::{Graph, Info, Node};

pub(super) const OPS: &[Op] = &[
    Op::refused("MaxRoiPool", infer::opaque, "export it as GridSample"),
    Op::refused("RoiAlign", infer::opaque, "export it as GridSample"),
    Op::refused(
        "DeformConv",
        infer::opaque,
        "export it as GridSample and Conv",
    ),
    Op::refused(
        "Det",
        infer::opaque,
        "write the determinant out in products",
    ),
    Op::refused(
        "DequantizeLinear",
        dequantized,
        "a chosen input reaches its scale: use the model in floating point",
    ),
];

fn dequantized(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let data_type = g.data_type(n.input(1)?);
    Some(vec![Info::new(data_type, g.shape(n.input(0)?))])
}
