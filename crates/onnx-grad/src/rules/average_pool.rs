//! [AveragePool](https://onnx.ai/onnx/operators/onnx__AveragePool.html): each element of a window
//! takes dy / n, n the elements that the window averages.
//! [LpPool](https://onnx.ai/onnx/operators/onnx__LpPool.html): y = (Σ |x|ᵖ)^(1/p);
//! dx = sign(x) |x|ᵖ⁻¹ · the sum over windows of dy y^(1−p).
//!
//! Opsets: AveragePool 13 to 24 (defined in 11, 19, 22); LpPool 13 to 24 (defined in 11, 18, 22).

use super::max_pool::{pooled, window_of};
use super::op::{Cost, Grad, Op, Result};
use super::window::{Pads, Window};
use crate::axes::to_i64;
use crate::data_type::{DataType, element_count};
use crate::graph::attribute::{attr_ints, attr_str};
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::tensor;

pub(super) const OPS: &[Op] = &[
    Op::new("AveragePool", shape, average, Cost::Heavy),
    Op::new("LpPool", shape, norm, Cost::Heavy),
];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let dims = pooled(g, n)?;
    Some(vec![Info::new(g.data_type(n.input(0)?), Some(dims))])
}

fn average(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let w = window_of(g, x)?;
    let includes = g.node.int("count_include_pad", 0) != 0;
    let bare = matches!(&w.pads, Pads::Known(pads) if pads.iter().all(|&p| p == 0));
    let share = if !w.ceil && (bare || includes) {
        #[expect(clippy::cast_precision_loss, reason = "lengths of a kernel")]
        let count: f64 = w.kernel.iter().map(|&k| k as f64).product();
        g.scale(dy, 1.0 / count)
    } else {
        counted(g, &w, x, dy, includes)?
    };
    let back = sum_windows(g, &w, share, x)?;
    g.give(0, back)
}

/// dy / n, where n depends on how much of a window lies inside.
fn counted(g: &mut Grad, w: &Window, x: V, dy: V, includes: bool) -> Result<V> {
    let (dims, windows) = (g.shape_or(x)?, g.shape_or(dy)?);
    let spatial: Vec<i64> = (2..to_i64(dims.len())).collect();
    let one = g.scalar(1.0, dy);
    let mut plane = vec![Dim::known(1), Dim::known(1)];
    plane.extend(dims[2..].iter().cloned());
    let Some(target) = g.shape_tensor(&plane, &[x]) else {
        return Err(g.error("the lengths of its input cannot be computed"));
    };
    let ones = g.emit("Expand", &[one, target], Vec::new());
    g.value_mut(ones).shape = Some(plane);
    let padded = w
        .padded(g, ones, 0.0)
        .ok_or_else(|| g.error("its pads cannot be computed"))?;
    let kernel = ones_kernel(g, w, dy)?;
    let attributes = vec![
        attr_ints("kernel_shape", &w.kernel),
        attr_ints("strides", &w.strides),
        attr_ints("dilations", &w.dilations),
    ];
    let mut count = g.emit("Conv", &[padded, kernel], attributes);
    if w.ceil {
        let lengths: Vec<V> = (2..dims.len()).map(|axis| g.length_of(dy, axis)).collect();
        let ends = g.concat(&lengths, 0);
        let (starts, axes) = (g.ints(&vec![0; spatial.len()]), g.ints(&spatial));
        count = g.emit("Slice", &[count, starts, ends, axes], Vec::new());
    }
    let mut dims = vec![Dim::known(1), Dim::known(1)];
    dims.extend(windows[2..].iter().cloned());
    g.value_mut(count).shape = Some(dims.clone());
    let share = g.div(dy, count);
    if !includes {
        return Ok(share);
    }
    // The average of ones is the share of a window that lies inside.
    let attributes = g.node.attributes.clone();
    let inside = g.emit("AveragePool", &[ones], attributes);
    g.value_mut(inside).shape = Some(dims);
    Ok(g.mul(share, inside))
}

/// A kernel of ones for one channel.
fn ones_kernel(g: &mut Grad, w: &Window, like: V) -> Result<V> {
    let total = element_count(&w.kernel).filter(|&n| n <= 1 << 20);
    let total = total.ok_or_else(|| g.error("its window is too large: use a global pooling"))?;
    let mut dims = vec![1, 1];
    dims.extend(&w.kernel);
    let data_type = g.data_type(like);
    Ok(g.constant(tensor::floats(&vec![1.0; total], &dims, data_type)))
}

/// For each element of `x`, the sum of `share` over the windows that hold it.
fn sum_windows(g: &mut Grad, w: &Window, share: V, x: V) -> Result<V> {
    let (dims, windows) = (g.shape_or(x)?, g.shape_or(share)?);
    if w.is_tiling() {
        return tiled(g, w, share, x);
    }
    let mut flat = vec![g.symbols.product(&windows[..2]), Dim::known(1)];
    flat.extend(windows[2..].iter().cloned());
    let planes = g.reshape(share, &flat, None);
    let kernel = ones_kernel(g, w, share)?;
    let back = w.spread(g, planes, kernel, 1, x)?;
    Ok(g.reshape(back, &dims, Some(x)))
}

/// Windows side by side: each element of `share` is repeated, which is what Resize does fastest.
fn tiled(g: &mut Grad, w: &Window, share: V, x: V) -> Result<V> {
    let (dims, windows) = (g.shape_or(x)?, g.shape_or(share)?);
    #[expect(clippy::cast_precision_loss, reason = "lengths of a kernel")]
    let scales: Vec<f64> = [1.0, 1.0]
        .into_iter()
        .chain(w.kernel.iter().map(|&k| k as f64))
        .collect();
    let scales = tensor::floats(&scales, &[to_i64(scales.len())], DataType::Float32);
    let scales = g.constant(scales);
    let attributes = vec![
        attr_str("mode", "nearest"),
        attr_str("coordinate_transformation_mode", "asymmetric"),
        attr_str("nearest_mode", "floor"),
    ];
    let mut back = g.emit_optional("Resize", &[Some(share), None, Some(scales)], attributes);
    let mut covered = windows.clone();
    let mut after = Vec::new();
    for (at, &kernel) in w.kernel.iter().enumerate() {
        covered[at + 2] = g.symbols.mul(&windows[at + 2], &Dim::known(kernel));
        if covered[at + 2] != dims[at + 2] {
            after.push(at + 2);
        }
    }
    g.value_mut(back).shape = Some(covered);
    if !after.is_empty() {
        // What no window covers.
        let mut pads = vec![g.ints(&vec![0; dims.len()])];
        for axis in 0..dims.len() {
            pads.push(if after.contains(&axis) {
                let (all, part) = (g.length_of(x, axis), g.length_of(back, axis));
                g.sub(all, part)
            } else {
                g.ints(&[0])
            });
        }
        let pads = g.concat(&pads, 0);
        let zero = g.scalar(0.0, share);
        back = g.emit("Pad", &[back, pads, zero], Vec::new());
    }
    g.value_mut(back).shape = Some(dims);
    Ok(back)
}

fn norm(g: &mut Grad) -> Result<()> {
    let (dy, x, y) = (g.dy()?, g.x(0)?, g.y(0)?);
    let w = window_of(g, x)?;
    let (p, share) = norm_share(g, dy, y);
    let sum = sum_windows(g, &w, share, x)?;
    let slope = norm_slope(g, x, p);
    g.give_product(0, slope, sum)
}

/// p, and dy y^(1−p), 0 where y is 0.
pub(super) fn norm_share(g: &mut Grad, dy: V, y: V) -> (f64, V) {
    #[expect(clippy::cast_precision_loss, reason = "a small exponent")]
    let p = g.node.int("p", 2) as f64;
    if p == 1.0 {
        return (p, dy);
    }
    let (_, safe) = g.ones_for_zeros(y);
    if p == 2.0 {
        return (p, g.div(dy, safe));
    }
    let exponent = g.scalar(p - 1.0, y);
    let power = g.emit("Pow", &[safe, exponent], Vec::new());
    (p, g.div(dy, power))
}

/// sign(x) |x|^(p−1).
pub(super) fn norm_slope(g: &mut Grad, x: V, p: f64) -> V {
    if p == 2.0 {
        return x;
    }
    let sign = g.unary("Sign", x);
    if p == 1.0 {
        return sign;
    }
    let (size, exponent) = (g.unary("Abs", x), g.scalar(p - 1.0, x));
    let power = g.emit("Pow", &[size, exponent], Vec::new());
    g.mul(sign, power)
}
