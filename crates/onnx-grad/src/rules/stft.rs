//! [STFT](https://onnx.ai/onnx/operators/onnx__STFT.html): the gradient is that of its frames, taken out
//! of the signal, times the window, transformed by DFT.
//!
//! Opsets 17 to 24 (defined in 17).

use super::op::{Cost, Grad, Op, Result};
use crate::data_type::DataType;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[Op::new("STFT", shape, rule, Cost::Heavy)];

/// The length of a frame: that of the window, or what is given.
fn frame_dim(g: &Graph, n: &Node) -> Option<Dim> {
    match (n.input(3), n.input(2)) {
        (Some(length), _) => g.content(length)?.first().cloned(),
        (None, Some(window)) => g.shape(window)?.first().cloned(),
        (None, None) => None,
    }
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let batch = g.shape(x)?.first()?.clone();
    let points = frame_dim(g, n).unwrap_or_else(|| g.symbols.fresh());
    let bins = if n.int("onesided", 1) != 0 {
        let half = g.symbols.floor_div(&points, &Dim::known(2));
        g.symbols.add(&half, &Dim::known(1))
    } else {
        points
    };
    let frames = g.symbols.fresh();
    let dims = vec![batch, frames, bins, Dim::known(2)];
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (x, step) = (g.x(0)?, g.x(1)?);
    let node = g.node.clone();
    let signal = match g.rank_or(x)? {
        2 => g.unsqueeze(x, &[2]),
        3 => x,
        rank => return Err(g.error(format!("its signal has {rank} axes, not 3"))),
    };
    let points = match (node.input(3), node.input(2)) {
        (Some(length), _) => vector(g, length),
        (None, Some(window)) => g.length_of(window, 0),
        (None, None) => return Err(g.error("it has neither a window nor a length of frames")),
    };
    let step = vector(g, step);
    // (signal − frame) / step + 1 frames
    let length = g.length_of(signal, 1);
    let rest = g.sub_ints(length, points);
    let whole = g.div(rest, step);
    let one = g.ints(&[1]);
    let count = g.add(whole, one);
    let (frames, within) = (g.counting(count), g.counting(points));
    let starts = g.mul(frames, step);
    let (starts, within) = (g.unsqueeze(starts, &[1]), g.unsqueeze(within, &[0]));
    let places = g.add(starts, within);
    let mut framed = g.emit("Gather", &[signal, places], vec![attr_int("axis", 1)]);
    if let Some(window) = node.input(2) {
        let window = g.unsqueeze(window, &[1]);
        framed = g.mul(framed, window);
    }
    let one_sided = attr_int("onesided", node.int("onesided", 1));
    let transformed = if g.opset < 20 {
        g.emit("DFT", &[framed], vec![attr_int("axis", 2), one_sided])
    } else {
        let axis = g.int(2);
        g.emit_optional("DFT", &[Some(framed), None, Some(axis)], vec![one_sided])
    };
    g.give_through(&[(0, transformed)])
}

/// A scalar as a vector of one 64-bit integer.
fn vector(g: &mut Grad, scalar: V) -> V {
    let scalar = g.cast(scalar, DataType::Int64);
    match g.known_ints(scalar).as_deref() {
        Some(&[n]) => g.ints(&[n]),
        _ => {
            let one = g.ints(&[1]);
            g.emit("Reshape", &[scalar, one], Vec::new())
        }
    }
}
