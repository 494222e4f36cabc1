//! [Conv](https://onnx.ai/onnx/operators/onnx__Conv.html): dx = ConvTranspose(dy, W), cut to the
//! length of x; db = Σ dy. [ConvTranspose](https://onnx.ai/onnx/operators/onnx__ConvTranspose.html):
//! dx = Conv(dy, W); db = Σ dy.

use super::{Cost, Op};
use crate::Result;
use crate::build::{attr_int, attr_ints, to_i64};
use crate::dim::Dim;
use crate::grad::Grad;
use crate::graph::{Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[
    Op::new("Conv", conv_shape, conv, Cost::Heavy).limits("no gradient for the kernel"),
    Op::new(
        "ConvTranspose",
        conv_transpose_shape,
        conv_transpose,
        Cost::Heavy,
    )
    .limits("no gradient for the kernel; no `output_shape`, no `auto_pad`"),
];

/// The attributes, completed.
struct Window {
    kernel: Vec<i64>,
    strides: Vec<i64>,
    dilations: Vec<i64>,
    /// Before each axis, then after each.
    pads: Vec<i64>,
}

/// Length covered by a dilated kernel; `None` where the numbers are absurd.
fn extent(kernel: i64, dilation: i64) -> Option<i64> {
    let covered = kernel
        .checked_sub(1)?
        .checked_mul(dilation)?
        .checked_add(1)?;
    (0..1 << 40).contains(&covered).then_some(covered)
}

fn window(g: &Graph, n: &Node) -> Option<Window> {
    let weight = g.shape(n.input(1)?)?;
    let kernel: Vec<i64> = weight
        .get(2..)?
        .iter()
        .map(Dim::as_known)
        .collect::<Option<_>>()?;
    let count = kernel.len();
    let list = |name: &str, default: i64, length: usize| {
        let list = n
            .ints(name)
            .map_or_else(|| vec![default; length], <[i64]>::to_vec);
        let sane = list.iter().all(|&v| (0..1 << 31).contains(&v));
        (list.len() == length && sane).then_some(list)
    };
    let (strides, dilations) = (list("strides", 1, count)?, list("dilations", 1, count)?);
    if strides.iter().chain(&dilations).any(|&v| v < 1) {
        return None;
    }
    let pads = match n.string("auto_pad", "NOTSET").as_str() {
        "NOTSET" => list("pads", 0, 2 * count)?,
        "VALID" => vec![0; 2 * count],
        same => {
            let lengths = g.shape(n.input(0)?)?;
            let (mut before, mut after) = (Vec::new(), Vec::new());
            for at in 0..count {
                let covered = extent(kernel[at], dilations[at])?;
                let total = match lengths.get(at + 2)?.as_known() {
                    Some(length) => {
                        let out = length.checked_add(strides[at] - 1)? / strides[at];
                        (out - 1)
                            .checked_mul(strides[at])?
                            .checked_add(covered)?
                            .checked_sub(length)?
                            .max(0)
                    }
                    None if strides[at] == 1 => covered - 1,
                    None => return None,
                };
                let less = total / 2;
                let (first, last) = if same == "SAME_UPPER" {
                    (less, total - less)
                } else {
                    (total - less, less)
                };
                before.push(first);
                after.push(last);
            }
            before.extend(after);
            before
        }
    };
    Some(Window {
        kernel,
        strides,
        dilations,
        pads,
    })
}

fn conv_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let channels = g.shape(n.input(1)?)?.first()?.clone();
    let mut dims = vec![from.first()?.clone(), channels];
    let window = window(g, n);
    for at in 0..from.len().checked_sub(2)? {
        dims.push(match &window {
            Some(w) if w.kernel.len() == from.len() - 2 => {
                let covered = extent(w.kernel[at], w.dilations[at])?;
                let slack = Dim::known(w.pads[at] + w.pads[at + w.kernel.len()] - covered);
                let free = g.symbols.add(&from[at + 2], &slack);
                let steps = g.symbols.floor_div(&free, &Dim::known(w.strides[at]));
                g.symbols.add(&steps, &Dim::known(1))
            }
            _ => g.symbols.fresh(),
        });
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn conv_transpose_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let group = Dim::known(n.int("group", 1));
    let channels = g.shape(n.input(1)?)?.get(1)?.clone();
    let channels = g.symbols.mul(&channels, &group);
    let mut dims = vec![from.first()?.clone(), channels];
    let plain = n.ints("output_shape").is_none() && n.string("auto_pad", "NOTSET") == "NOTSET";
    let window = window(g, n).filter(|_| plain);
    let extra = n.ints("output_padding").map(<[i64]>::to_vec);
    for at in 0..from.len().checked_sub(2)? {
        dims.push(match &window {
            Some(w) if w.kernel.len() == from.len() - 2 => {
                let covered = extent(w.kernel[at], w.dilations[at])?;
                let pads = w.pads[at].checked_add(w.pads[at + w.kernel.len()])?;
                let extra = extra.as_ref().and_then(|e| e.get(at)).copied().unwrap_or(0);
                let constant = covered
                    .checked_sub(pads)?
                    .checked_add(extra)?
                    .checked_sub(w.strides[at])?;
                let stretched = g.symbols.mul(&from[at + 2], &Dim::known(w.strides[at]));
                g.symbols.add(&stretched, &Dim::known(constant))
            }
            _ => g.symbols.fresh(),
        });
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn refuse_kernel(g: &Grad) -> Result<()> {
    if g.wants(1) {
        return Err(
            g.error("its kernel depends on a chosen input; only the data is differentiated")
        );
    }
    Ok(())
}

fn give_bias(g: &mut Grad, dy: V) -> Result<()> {
    if !g.wants(2) {
        return Ok(());
    }
    let rank = to_i64(g.rank_or(dy)?);
    let axes: Vec<i64> = (0..rank).filter(|&axis| axis != 1).collect();
    let sum = g.reduce("ReduceSum", dy, &axes, false);
    g.give(2, sum)
}

fn conv(g: &mut Grad) -> Result<()> {
    refuse_kernel(g)?;
    let (dy, x, weight) = (g.dy()?, g.x(0)?, g.x(1)?);
    give_bias(g, dy)?;
    if !g.wants(0) {
        return Ok(());
    }
    let node = g.node.clone();
    let Some(w) = window(g, &node) else {
        return Err(g.error(
            "its window is not known: give kernel, strides and pads, and fix the input's lengths",
        ));
    };
    let (from, to) = (g.shape_or(x)?, g.shape_or(dy)?);
    let count = w.kernel.len();
    // What the strided windows leave uncovered at the end.
    let mut missing = Vec::with_capacity(count);
    for at in 0..count {
        let covered = extent(w.kernel[at], w.dilations[at]).unwrap_or(1);
        let reached = Dim::known(covered - w.pads[at] - w.pads[at + count] - w.strides[at]);
        let stretched = g.symbols.mul(&to[at + 2], &Dim::known(w.strides[at]));
        let length = g.symbols.add(&stretched, &reached);
        missing.push(if w.strides[at] == 1 {
            Some(0)
        } else {
            g.symbols.sub(&from[at + 2], &length).as_known()
        });
    }
    let padding: Vec<i64> = missing
        .iter()
        .zip(&w.strides)
        .map(|(missing, stride)| missing.unwrap_or(stride - 1))
        .collect();
    let mut attributes = vec![
        attr_ints("kernel_shape", &w.kernel),
        attr_ints("strides", &w.strides),
        attr_ints("dilations", &w.dilations),
        attr_ints("pads", &w.pads),
        attr_int("group", g.node.int("group", 1)),
    ];
    if padding.iter().any(|&p| p != 0) {
        attributes.push(attr_ints("output_padding", &padding));
    }
    let mut back = g.emit("ConvTranspose", &[dy, weight], attributes);
    for at in (0..count).filter(|&at| missing[at].is_none()) {
        let (start, end) = (g.ints(&[0]), g.length_of(x, at + 2));
        let axes = g.ints(&[to_i64(at + 2)]);
        back = g.emit("Slice", &[back, start, end, axes], Vec::new());
    }
    g.value_mut(back).shape = Some(from);
    g.give(0, back)
}

fn conv_transpose(g: &mut Grad) -> Result<()> {
    refuse_kernel(g)?;
    let (dy, x, weight) = (g.dy()?, g.x(0)?, g.x(1)?);
    give_bias(g, dy)?;
    if !g.wants(0) {
        return Ok(());
    }
    let node = g.node.clone();
    let plain =
        node.ints("output_shape").is_none() && node.string("auto_pad", "NOTSET") == "NOTSET";
    let Some(w) = window(g, &node).filter(|_| plain) else {
        return Err(g.error(
            "only explicit `pads` are supported: export it without `auto_pad` and `output_shape`",
        ));
    };
    let attributes = vec![
        attr_ints("kernel_shape", &w.kernel),
        attr_ints("strides", &w.strides),
        attr_ints("dilations", &w.dilations),
        attr_ints("pads", &w.pads),
        attr_int("group", node.int("group", 1)),
    ];
    let back = g.emit("Conv", &[dy, weight], attributes);
    let shape = g.shape_or(x)?;
    // `output_padding` may leave room for one more window, which is cut off.
    let padded = node
        .ints("output_padding")
        .is_some_and(|p| p.iter().any(|&p| p != 0));
    let mut back = back;
    if padded {
        for at in 0..w.kernel.len() {
            let (start, end) = (g.ints(&[0]), g.length_of(x, at + 2));
            let axes = g.ints(&[to_i64(at + 2)]);
            back = g.emit("Slice", &[back, start, end, axes], Vec::new());
        }
    }
    g.value_mut(back).shape = Some(shape);
    g.give(0, back)
}
