//! [ConvTranspose](https://onnx.ai/onnx/operators/onnx__ConvTranspose.html): dx = Conv(dy, W);
//! dW = Σ over windows of dy x, as one matrix product; db = Σ dy.
//!
//! Opsets 13 to 24 (defined in 11, 22).

use super::conv::give_bias;
use super::op::{Cost, Grad, Op, Result};
use super::window::{Pads, Window, extent, kernel_of, window};
use crate::axes::to_i64;
use crate::graph::{Dim, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[Op::new("ConvTranspose", shape, rule, Cost::Heavy)
    .limits("kernel lengths are fixed; `output_shape` needs fixed lengths")];

/// The window without automatic pads.
fn plain(g: &Graph, n: &Node) -> Option<Window> {
    let mut explicit = n.clone();
    explicit.attributes.retain(|a| a.name != "auto_pad");
    window(g, &explicit, kernel_of(g, n.input(1)?)?)
}

fn output_padding(n: &Node, at: usize) -> i64 {
    let list = n.ints("output_padding");
    list.and_then(|list| list.get(at)).copied().unwrap_or(0)
}

/// Length of an axis before pads are cut off.
fn uncut(w: &Window, n: &Node, at: usize, length: i64) -> Option<i64> {
    (length - 1)
        .checked_mul(w.strides[at])?
        .checked_add(output_padding(n, at))?
        .checked_add(extent(w.kernel[at], w.dilations[at])?)
}

/// The pads that automatic ones and `output_shape` come to; `None` where lengths are not known.
fn resolved(g: &Graph, n: &Node) -> Option<(Window, Vec<Option<i64>>)> {
    let mut w = plain(g, n)?;
    let count = w.kernel.len();
    let auto = n.string("auto_pad", "NOTSET");
    let given = n.ints("output_shape").filter(|shape| !shape.is_empty());
    let mut lengths = vec![None; count];
    if auto == "VALID" {
        w.pads = Pads::Known(vec![0; 2 * count]);
    }
    let same = auto.starts_with("SAME");
    if given.is_none() && !same {
        return Some((w, lengths));
    }
    let from = g.shape(n.input(0)?)?;
    let mut pads = vec![0; 2 * count];
    for at in 0..count {
        let stride = w.strides[at];
        let total = match given {
            Some(shape) => {
                let skip = shape.len().checked_sub(count)?;
                let length = *shape.get(at + skip)?;
                lengths[at] = Some(length);
                uncut(&w, n, at, from.get(at + 2)?.as_known()?)?.checked_sub(length)?
            }
            // length · stride elements are left, whatever the length.
            None => extent(w.kernel[at], w.dilations[at])?
                .checked_add(output_padding(n, at))?
                .checked_sub(stride)?,
        }
        .max(0);
        let half = total / 2;
        pads[at] = if auto == "SAME_UPPER" {
            half
        } else {
            total - half
        };
        pads[at + count] = total - pads[at];
    }
    w.pads = Pads::Known(pads);
    Some((w, lengths))
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let group = Dim::known(n.int("group", 1));
    let channels = g.shape(n.input(1)?)?.get(1)?.clone();
    let channels = g.symbols.mul(&channels, &group);
    let mut dims = vec![from.first()?.clone(), channels];
    let spatial = from.len().checked_sub(2)?;
    let found = resolved(g, n).filter(|(w, _)| w.kernel.len() == spatial);
    let given = n
        .ints("output_shape")
        .filter(|shape| shape.len() >= spatial);
    for at in 0..spatial {
        if let Some(given) = given.filter(|_| found.is_none()) {
            dims.push(Dim::known(given[at + given.len() - spatial]));
            continue;
        }
        dims.push(match &found {
            Some((w, lengths)) => match (lengths[at], &w.pads) {
                (Some(length), _) => Dim::known(length),
                (None, Pads::Known(pads)) => {
                    let cut = pads[at].checked_add(pads[at + spatial])?;
                    let constant = uncut(w, n, at, 0)?.checked_sub(cut)?;
                    let stretched = g.symbols.mul(&from[at + 2], &Dim::known(w.strides[at]));
                    g.symbols.add(&stretched, &Dim::known(constant))
                }
                _ => g.symbols.fresh(),
            },
            None => g.symbols.fresh(),
        });
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, weight) = (g.dy()?, g.x(0)?, g.x(1)?);
    give_bias(g, dy)?;
    if !g.wants(0) && !g.wants(1) {
        return Ok(());
    }
    let node = g.node.clone();
    let rank = g.rank_or(x)?;
    let found = resolved(g, &node).filter(|(w, _)| w.kernel.len() + 2 == rank);
    let Some((w, _)) = found else {
        return Err(g.error("its window is not known: fix the lengths of its kernel and input"));
    };
    let group = node.int("group", 1).max(1);
    if g.wants(0) {
        let back = windows(g, &w, dy, weight, group, x)?;
        g.give(0, back)?;
    }
    if g.wants(1) {
        w.give_kernel(g, dy, x, weight, group)?;
    }
    Ok(())
}

/// Conv(dy, W), as many windows as x has elements.
fn windows(g: &mut Grad, w: &Window, dy: V, weight: V, group: i64, x: V) -> Result<V> {
    let Pads::Known(pads) = &w.pads else {
        return Err(g.error("its window is not known"));
    };
    let mut back = g.emit("Conv", &[dy, weight], w.attributes(pads, group));
    let dims = g.shape_or(x)?;
    // A longer output than its windows reach may leave room for more of them.
    let found = g.shape(back);
    for at in 0..w.kernel.len() {
        if found.as_ref().and_then(|found| found.get(at + 2)) != dims.get(at + 2) {
            let (start, end) = (g.ints(&[0]), g.length_of(x, at + 2));
            let axes = g.ints(&[to_i64(at + 2)]);
            back = g.emit("Slice", &[back, start, end, axes], Vec::new());
        }
    }
    g.value_mut(back).shape = Some(dims);
    Ok(back)
}
