//! [ScatterElements](https://onnx.ai/onnx/operators/onnx__ScatterElements.html),
//! [ScatterND](https://onnx.ai/onnx/operators/onnx__ScatterND.html): the updates take dy at the
//! indices; the data takes dy, without the overwritten elements unless updates are added. With max
//! and min, dy goes in equal parts to the data and updates that equal y (as
//! `torch.scatter_reduce` does); with mul, dy y / x goes to each factor x.
//! [TensorScatter](https://onnx.ai/onnx/operators/onnx__TensorScatter.html) overwrites as
//! ScatterElements does.
//!
//! Opsets: ScatterElements, ScatterND 13 to 24 (defined in 13, 16, 18); TensorScatter 24 to 24
//! (defined in 24).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::V;
use crate::graph::attribute::{attr_int, attr_str};
use crate::proto::AttributeProto;

pub(super) const OPS: &[Op] = &[
    Op::new("ScatterElements", infer::same, elements, Cost::Light)
        .limits("no factor may be 0 where updates multiply"),
    Op::new("ScatterND", infer::same, nd, Cost::Light)
        .limits("no factor may be 0 where updates multiply; max and min without equal indices"),
    Op::new("TensorScatter", infer::same, tensor_scatter, Cost::Light),
];

/// The ops that read and write at the same indices.
struct Pair {
    scatter: &'static str,
    gather: &'static str,
    attributes: Vec<AttributeProto>,
}

impl Pair {
    fn read(&self, g: &mut Grad, data: V, index: V) -> V {
        g.emit(self.gather, &[data, index], self.attributes.clone())
    }

    fn write(&self, g: &mut Grad, data: V, index: V, updates: V, reduction: &str) -> V {
        let mut attributes = self.attributes.clone();
        if reduction != "none" {
            attributes.push(attr_str("reduction", reduction));
        }
        g.emit(self.scatter, &[data, index, updates], attributes)
    }
}

fn elements(g: &mut Grad) -> Result<()> {
    let pair = Pair {
        scatter: "ScatterElements",
        gather: "GatherElements",
        attributes: vec![attr_int("axis", g.node.int("axis", 0))],
    };
    scatter(g, &pair)
}

fn nd(g: &mut Grad) -> Result<()> {
    let pair = Pair {
        scatter: "ScatterND",
        gather: "GatherND",
        attributes: Vec::new(),
    };
    scatter(g, &pair)
}

fn scatter(g: &mut Grad, pair: &Pair) -> Result<()> {
    let (dy, data, index, updates) = (g.dy()?, g.x(0)?, g.x(1)?, g.x(2)?);
    match g.node.string("reduction", "none").as_str() {
        "none" => overwrite(g, pair, dy, index, updates),
        "add" => {
            if g.wants(0) {
                g.give(0, dy)?;
            }
            if g.wants(2) {
                let part = pair.read(g, dy, index);
                g.give(2, part)?;
            }
            Ok(())
        }
        "mul" => {
            let y = g.y(0)?;
            let product = g.mul(dy, y);
            if g.wants(0) {
                g.give_quotient(0, product, data)?;
            }
            if g.wants(2) {
                let part = pair.read(g, product, index);
                g.give_quotient(2, part, updates)?;
            }
            Ok(())
        }
        "max" | "min" => {
            let y = g.y(0)?;
            let kept = g.equality(data, y, dy);
            let found = pair.read(g, y, index);
            let won = g.equality(updates, found, dy);
            let winners = pair.write(g, kept, index, won, "add");
            let share = g.div(dy, winners);
            if g.wants(0) {
                g.give_product(0, share, kept)?;
            }
            if g.wants(2) {
                let part = pair.read(g, share, index);
                g.give_product(2, part, won)?;
            }
            Ok(())
        }
        other => Err(g.error(format!("reduction `{other}` is not known"))),
    }
}

fn overwrite(g: &mut Grad, pair: &Pair, dy: V, index: V, updates: V) -> Result<()> {
    if g.wants(0) {
        let zeros = g.zeros_like(updates);
        let kept = pair.write(g, dy, index, zeros, "none");
        g.give(0, kept)?;
    }
    if g.wants(2) {
        let part = pair.read(g, dy, index);
        g.give(2, part)?;
    }
    Ok(())
}

/// Row `b` of the cache is overwritten along the axis from `write_indices[b]` on.
fn tensor_scatter(g: &mut Grad) -> Result<()> {
    let (dy, data, updates) = (g.dy()?, g.x(0)?, g.x(1)?);
    let dims = g.shape_or(updates)?;
    let axis = g.axis("axis", -2, dims.len())?;
    if axis == 0 {
        return Err(g.error("its axis may not be the batch"));
    }
    let length = g.length_of(updates, axis);
    let count = g.counting(length);
    let behind: Vec<i64> = (1..to_i64(dims.len() - axis)).collect();
    let mut index = g.unsqueeze(count, &behind);
    if let Some(first) = g.node.input(2) {
        let first = g.cast(first, DataType::Int64);
        let axes: Vec<i64> = (1..to_i64(dims.len())).collect();
        let first = g.unsqueeze(first, &axes);
        index = g.add(index, first);
        if g.node.string("mode", "linear") == "circular" {
            let whole = g.length_of(data, axis);
            index = g.emit("Mod", &[index, whole], Vec::new());
        }
    }
    let index = g.expand(index, &dims, Some(updates));
    let pair = Pair {
        scatter: "ScatterElements",
        gather: "GatherElements",
        attributes: vec![attr_int("axis", to_i64(axis))],
    };
    if g.wants(0) {
        let zero = g.scalar(0.0, updates);
        let zeros = g.expand(zero, &dims, Some(updates));
        let kept = pair.write(g, dy, index, zeros, "none");
        g.give(0, kept)?;
    }
    if g.wants(1) {
        let part = pair.read(g, dy, index);
        g.give(1, part)?;
    }
    Ok(())
}
