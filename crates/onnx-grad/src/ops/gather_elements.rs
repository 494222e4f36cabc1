//! [GatherElements](https://onnx.ai/onnx/operators/onnx__GatherElements.html),
//! [GatherND](https://onnx.ai/onnx/operators/onnx__GatherND.html): dx adds dy at the indices.
//! [ScatterElements](https://onnx.ai/onnx/operators/onnx__ScatterElements.html),
//! [ScatterND](https://onnx.ai/onnx/operators/onnx__ScatterND.html): the updates take dy at the
//! indices; the data takes dy, without the overwritten elements unless updates are added.

use super::{Cost, Op, infer};
use crate::Result;
use crate::build::{attr_int, attr_str};
use crate::grad::Grad;
use crate::graph::{Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[
    Op::new(
        "GatherElements",
        elements_shape,
        gather_elements,
        Cost::Light,
    )
    .limits("from opset 16"),
    Op::new("GatherND", nd_shape, gather_nd, Cost::Light).limits("from opset 16; batch_dims 0"),
    Op::new(
        "ScatterElements",
        infer::same,
        scatter_elements,
        Cost::Light,
    )
    .limits("reduction none or add"),
    Op::new("ScatterND", infer::same, scatter_nd, Cost::Light).limits("reduction none or add"),
];

fn elements_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let shape = g.shape(n.input(1)?);
    Some(vec![Info::new(g.data_type(n.input(0)?), shape)])
}

fn nd_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (x, index) = (n.input(0)?, n.input(1)?);
    let (from, index) = (g.shape(x)?, g.shape(index)?);
    let batch = usize::try_from(n.int("batch_dims", 0)).ok()?;
    let (depth, lead) = index.split_last()?;
    let depth = usize::try_from(depth.as_known()?).ok()?;
    let tail = from.get(batch.checked_add(depth)?..)?;
    let dims = lead.iter().chain(tail).cloned().collect();
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn zeros_like(g: &mut Grad, x: V) -> Result<V> {
    if g.opset < 16 {
        return Err(g.error("adding at indices needs opset 16: convert the model"));
    }
    let dims = g.shape_or(x)?;
    let zero = g.scalar(0.0, x);
    Ok(g.expand(zero, &dims, Some(x)))
}

fn gather_elements(g: &mut Grad) -> Result<()> {
    let (dy, x, index) = (g.dy()?, g.x(0)?, g.x(1)?);
    let zeros = zeros_like(g, x)?;
    let attributes = vec![
        attr_int("axis", g.node.int("axis", 0)),
        attr_str("reduction", "add"),
    ];
    let back = g.emit("ScatterElements", &[zeros, index, dy], attributes);
    g.give(0, back)
}

fn gather_nd(g: &mut Grad) -> Result<()> {
    let (dy, x, index) = (g.dy()?, g.x(0)?, g.x(1)?);
    if g.node.int("batch_dims", 0) != 0 {
        return Err(g.error("batch_dims other than 0 is not supported"));
    }
    let zeros = zeros_like(g, x)?;
    let back = g.emit(
        "ScatterND",
        &[zeros, index, dy],
        vec![attr_str("reduction", "add")],
    );
    g.give(0, back)
}

/// Whether updates are added; an error for other reductions.
fn adds(g: &Grad) -> Result<bool> {
    match g.node.string("reduction", "none").as_str() {
        "none" => Ok(false),
        "add" => Ok(true),
        other => Err(g.error(format!("reduction `{other}` is not supported"))),
    }
}

fn scatter_elements(g: &mut Grad) -> Result<()> {
    let (dy, index, updates) = (g.dy()?, g.x(1)?, g.x(2)?);
    let axis = attr_int("axis", g.node.int("axis", 0));
    let adds = adds(g)?;
    if g.wants(0) {
        let kept = if adds {
            dy
        } else {
            let dims = g.shape_or(updates)?;
            let zero = g.scalar(0.0, updates);
            let zeros = g.expand(zero, &dims, Some(updates));
            g.emit("ScatterElements", &[dy, index, zeros], vec![axis.clone()])
        };
        g.give(0, kept)?;
    }
    if g.wants(2) {
        let part = g.emit("GatherElements", &[dy, index], vec![axis]);
        g.give(2, part)?;
    }
    Ok(())
}

fn scatter_nd(g: &mut Grad) -> Result<()> {
    let (dy, index, updates) = (g.dy()?, g.x(1)?, g.x(2)?);
    let adds = adds(g)?;
    if g.wants(0) {
        let kept = if adds {
            dy
        } else {
            let dims = g.shape_or(updates)?;
            let zero = g.scalar(0.0, updates);
            let zeros = g.expand(zero, &dims, Some(updates));
            g.emit("ScatterND", &[dy, index, zeros], Vec::new())
        };
        g.give(0, kept)?;
    }
    if g.wants(2) {
        let part = g.emit("GatherND", &[dy, index], Vec::new());
        g.give(2, part)?;
    }
    Ok(())
}
