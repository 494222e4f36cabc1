//! [DepthToSpace](https://onnx.ai/onnx/operators/onnx__DepthToSpace.html) and
//! [SpaceToDepth](https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html) undo each other; the CRD
//! order of channels is undone by a transposition.
//!
//! Opsets 13 to 24 (defined in 13).

use super::op::{Cost, Grad, Op, Result};
use crate::graph::attribute::{attr_int, attr_str};
use crate::graph::{Dim, Graph, Info, Node};

pub(super) const OPS: &[Op] = &[
    Op::new("DepthToSpace", shape, to_depth, Cost::Copy),
    Op::new("SpaceToDepth", shape, to_space, Cost::Copy),
];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let [batch, channels, height, width] = g.shape(x)?.try_into().ok()?;
    let block = n.int("blocksize", 0);
    if !(1..1 << 16).contains(&block) {
        return None;
    }
    let (side, area) = (Dim::known(block), Dim::known(block * block));
    let s = &mut g.symbols;
    let dims = if n.op == "DepthToSpace" {
        vec![
            batch,
            s.exact_div(&channels, &area),
            s.mul(&height, &side),
            s.mul(&width, &side),
        ]
    } else {
        vec![
            batch,
            s.mul(&channels, &area),
            s.exact_div(&height, &side),
            s.exact_div(&width, &side),
        ]
    };
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn to_depth(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let block = g.node.int("blocksize", 1);
    let dims = g.shape_or(x)?;
    let back = if g.node.string("mode", "DCR") == "DCR" {
        g.emit("SpaceToDepth", &[dy], vec![attr_int("blocksize", block)])
    } else {
        let to = g.shape_or(dy)?;
        if dims.len() != 4 || to.len() != 4 {
            return Err(g.error("its input has to have rank 4"));
        }
        let side = Dim::known(block);
        let apart = [
            dims[0].clone(),
            to[1].clone(),
            dims[2].clone(),
            side.clone(),
            dims[3].clone(),
            side,
        ];
        let apart = g.reshape(dy, &apart, None);
        let moved = g.transpose(apart, &[0, 1, 3, 5, 2, 4]);
        g.reshape(moved, &dims, Some(x))
    };
    g.value_mut(back).shape = Some(dims);
    g.give(0, back)
}

fn to_space(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let block = attr_int("blocksize", g.node.int("blocksize", 1));
    let back = g.emit("DepthToSpace", &[dy], vec![block, attr_str("mode", "DCR")]);
    let dims = g.shape(x);
    g.value_mut(back).shape = dims;
    g.give(0, back)
}
