//! [MaxPool](https://onnx.ai/onnx/operators/onnx__MaxPool.html): dy goes to the first element of the
//! window, in row-major order, that equals y. Small windows are searched place by place, which ONNX
//! Runtime does faster than it returns `Indices`; larger ones add dy at `Indices`.
//!
//! [MaxUnpool](https://onnx.ai/onnx/operators/onnx__MaxUnpool.html): dx is dy at the indices.
//!
//! Opsets: MaxPool 13 to 24 (defined in 12, 22); MaxUnpool 13 to 24 (defined in 11, 22).

use super::op::{Cost, Grad, Op, Result};
use super::scatter::{add_flat, flat};
use super::window::{Window, window};
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::tensor;

pub(super) const OPS: &[Op] = &[
    Op::new("MaxPool", shape, rule, Cost::Heavy),
    Op::new("MaxUnpool", unpooled, unpool, Cost::Light),
];

/// Most places of a window that are searched one by one.
const MOST_PLACES: i64 = 32;

/// Lengths of the pooled axes.
pub(super) fn pooled(g: &mut Graph, n: &Node) -> Option<Vec<Dim>> {
    let mut dims = g.shape(n.input(0)?)?;
    let spatial = dims.len().checked_sub(2)?;
    let found = n
        .ints("kernel_shape")
        .and_then(|kernel| window(g, n, kernel.to_vec()))
        .filter(|w| w.kernel.len() == spatial);
    for at in 0..spatial {
        let count = match &found {
            Some(w) => w.count(g, at, &dims[at + 2]),
            None => None,
        };
        dims[at + 2] = count.unwrap_or_else(|| g.symbols.fresh());
    }
    Some(dims)
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let dims = pooled(g, n)?;
    let data_type = g.data_type(n.input(0)?);
    Some(vec![
        Info::new(data_type, Some(dims.clone())),
        Info::new(DataType::Int64, Some(dims)),
    ])
}

/// The window of a pooling whose data has a known rank.
pub(super) fn window_of(g: &Grad, x: V) -> Result<Window> {
    let rank = g.rank_or(x)?;
    let kernel = g.node.ints("kernel_shape").map(<[i64]>::to_vec);
    kernel
        .and_then(|kernel| window(g, &g.node, kernel))
        .filter(|w| w.kernel.len() + 2 == rank)
        .ok_or_else(|| g.error("its window does not fit its input"))
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let w = window_of(g, x)?;
    let places = w.places(MOST_PLACES).filter(|_| g.node.output(1).is_none());
    let back = match places {
        Some(places) => by_place(g, &w, &places, x, dy)?,
        None => by_index(g, &w, x, dy)?,
    };
    g.give(0, back)
}

/// dy spread to the first place of each window that holds the maximum.
fn by_place(g: &mut Grad, w: &Window, places: &[Vec<i64>], x: V, dy: V) -> Result<V> {
    let y = g.y(0)?;
    let Some(padded) = w.padded(g, x, f64::NEG_INFINITY) else {
        return Err(g.error("its pads cannot be computed"));
    };
    let (dims, windows) = (g.shape_or(x)?, g.shape_or(dy)?);
    let planes = g.symbols.product(&windows[..2]);
    let mut one = vec![planes.clone(), Dim::known(1)];
    one.extend(windows[2..].iter().cloned());
    let zero = g.scalar(0.0, dy);
    let mut rest = dy;
    let mut parts = Vec::with_capacity(places.len());
    for (at, place) in places.iter().enumerate() {
        let sample = w
            .samples(g, padded, place, y)
            .ok_or_else(|| g.error("its window is absurd"))?;
        let hit = g.emit("Equal", &[sample, y], Vec::new());
        let part = g.select(hit, rest, zero);
        if at + 1 < places.len() {
            rest = g.select(hit, zero, rest);
        }
        parts.push(g.reshape(part, &one, None));
    }
    let columns = g.concat(&parts, 1);
    let data_type = g.data_type(dy);
    let identity = one_per_place(&w.kernel, places.len(), data_type);
    let identity = g.constant(identity);
    let back = w.spread(g, columns, identity, 1, x)?;
    Ok(g.reshape(back, &dims, Some(x)))
}

/// A kernel that puts channel `k` at place `k`: `[places, 1, kernel…]`.
pub(super) fn one_per_place(
    kernel: &[i64],
    places: usize,
    data_type: DataType,
) -> crate::proto::TensorProto {
    let mut values = vec![0.0; places * places];
    for at in 0..places {
        values[at * places + at] = 1.0;
    }
    let mut dims = vec![to_i64(places), 1];
    dims.extend(kernel);
    tensor::floats(&values, &dims, data_type)
}

fn by_index(g: &mut Grad, w: &Window, x: V, dy: V) -> Result<V> {
    let dims = g.shape_or(x)?;
    let windows = g.shape_or(dy)?;
    let mut index = g.expose(1, DataType::Int64, Some(windows));
    if g.node.int("storage_order", 0) != 0 && dims.len() != 3 {
        index = row_major(g, index, x, &dims)?;
    }
    if w.is_disjoint() || g.opset >= 16 {
        return add_flat(g, x, index, dy, w.is_disjoint());
    }
    // Without addition: windows far enough from each other share no element.
    let steps = |at: usize| Some((w.extent(at)? + w.strides[at] - 1) / w.strides[at]);
    let apart: Option<Vec<i64>> = (0..w.kernel.len()).map(steps).collect();
    let apart = apart.ok_or_else(|| g.error("its window is absurd"))?;
    let classes = apart.iter().try_fold(1i64, |n, &k| n.checked_mul(k));
    let Some(classes) = classes.filter(|&n| n <= 64) else {
        return Err(g.error("its windows overlap too often: convert the model to opset 16"));
    };
    let mut sum = None;
    for class in 0..classes {
        let mut rest = class;
        let starts: Vec<i64> = apart
            .iter()
            .map(|&step| {
                let start = rest % step;
                rest /= step;
                start
            })
            .collect();
        let axes: Vec<i64> = (2..to_i64(dims.len())).collect();
        let (starts, ends) = (g.ints(&starts), g.ints(&vec![i64::MAX; axes.len()]));
        let (axes, steps) = (g.ints(&axes), g.ints(&apart));
        let mut pick = |v: V| g.emit("Slice", &[v, starts, ends, axes, steps], Vec::new());
        let (index, dy) = (pick(index), pick(dy));
        let part = add_flat(g, x, index, dy, true)?;
        sum = Some(match sum {
            None => part,
            Some(sum) => g.add(sum, part),
        });
    }
    sum.ok_or_else(|| g.error("it has no windows"))
}

/// Indices that count the first spatial axis fastest, made to count the last one fastest.
fn row_major(g: &mut Grad, index: V, x: V, dims: &[Dim]) -> Result<V> {
    if dims.len() != 4 {
        return Err(g.error("storage_order 1 is supported for images only"));
    }
    let (height, width) = (g.length_of(x, 2), g.length_of(x, 3));
    let mul = |g: &mut Grad, a: V, b: V| g.emit("Mul", &[a, b], Vec::new());
    let plane = mul(g, height, width);
    let number = g.div(index, plane);
    let base = mul(g, number, plane);
    let inside = g.sub(index, base);
    let column = g.div(inside, height);
    let above = mul(g, column, height);
    let row = g.sub(inside, above);
    let row = mul(g, row, width);
    let flat = g.add(base, row);
    Ok(g.add(flat, column))
}

fn unpooled(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let mut dims = g.shape(x)?;
    let spatial = dims.len().checked_sub(2)?;
    let kernel = n.ints("kernel_shape")?.to_vec();
    let w = window(g, n, kernel).filter(|w| w.kernel.len() == spatial);
    let given = n.input(2);
    for at in 0..spatial {
        let length = match (&w, given) {
            (_, Some(shape)) => g.content(shape).and_then(|c| c.get(at + 2).cloned()),
            (Some(w), None) => {
                let pads = match &w.pads {
                    super::window::Pads::Known(pads) => pads[at].checked_add(pads[at + spatial])?,
                    super::window::Pads::Same { .. } => return None,
                };
                let stretched = g.symbols.mul(&dims[at + 2], &Dim::known(w.strides[at]));
                let rest = Dim::known(w.kernel[at].checked_sub(w.strides[at])?.checked_sub(pads)?);
                Some(g.symbols.add(&stretched, &rest))
            }
            _ => None,
        };
        dims[at + 2] = length.unwrap_or_else(|| g.symbols.fresh());
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn unpool(g: &mut Grad) -> Result<()> {
    let (dy, x, index) = (g.dy()?, g.x(0)?, g.x(1)?);
    let dims = g.shape_or(x)?;
    let all = g.shape_or(dy)?;
    let all = g.symbols.product(&all);
    let dy = flat(g, dy, &all);
    let back = g.emit("Gather", &[dy, index], Vec::new());
    g.value_mut(back).shape = Some(dims);
    g.give(0, back)
}
