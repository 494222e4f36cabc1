//! [Resize](https://onnx.ai/onnx/operators/onnx__Resize.html) is linear in x, axis by axis, in every
//! mode: y = x R along each resized axis, so dx = dy Rᵀ. R is what Resize makes of the identity,
//! which engines compute once where lengths are fixed. Nearest-neighbour upsampling by whole factors
//! repeats elements, so that dx is a sum pooling of dy.
//!
//! Opsets 13 to 24 (defined in 13, 18, 19).

use super::axis_map::{along, identity};
use super::op::{Cost, Grad, Op, Result};
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::attribute::{attr_float, attr_ints};
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::proto::TensorProto;
use crate::tensor;

pub(super) const OPS: &[Op] = &[Op::new("Resize", shape, rule, Cost::Heavy)
    .limits("keep_aspect_ratio_policy `stretch` where sizes are given")];

/// The elements of a short `f32` vector that is constant.
pub(super) fn known_floats(g: &Graph, v: V) -> Option<Vec<f32>> {
    let tensor: &TensorProto = g.tensor(v)?;
    if tensor.dims.len() != 1 || tensor.data_type != Some(DataType::Float32.code()) {
        return None;
    }
    let count = usize::try_from(tensor.dims[0]).ok().filter(|&n| n <= 64)?;
    let values: Vec<f32> = match tensor.raw_data.as_deref().filter(|raw| !raw.is_empty()) {
        Some(raw) => raw
            .chunks_exact(4)
            .filter_map(|b| Some(f32::from_le_bytes(b.try_into().ok()?)))
            .collect(),
        None => tensor.float_data.clone(),
    };
    (values.len() == count).then_some(values)
}

fn is_empty(g: &Graph, v: V) -> bool {
    g.shape(v).is_some_and(|dims| dims.iter().any(|d| d.is(0)))
}

/// The resized axes in the order of `scales` and `sizes`.
fn axes_of(n: &Node, rank: usize) -> Option<Vec<usize>> {
    match n.ints("axes") {
        Some(axes) if !axes.is_empty() => axes.iter().map(|&a| normalized(a, rank)).collect(),
        _ => Some((0..rank).collect()),
    }
}

fn inputs(g: &Graph, n: &Node) -> (Option<V>, Option<V>) {
    let given = |at: usize| n.input(at).filter(|&v| !is_empty(g, v));
    (given(2), given(3))
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let mut dims = g.shape(x)?;
    let axes = axes_of(n, dims.len())?;
    let (scales, sizes) = inputs(g, n);
    let stretch = n.string("keep_aspect_ratio_policy", "stretch") == "stretch";
    let known = scales.and_then(|v| known_floats(g, v));
    let content = sizes.filter(|_| stretch).and_then(|v| g.content(v));
    for (at, &axis) in axes.iter().enumerate() {
        let size = content.as_ref().and_then(|c| c.get(at).cloned());
        let scale = known.as_ref().and_then(|k| k.get(at).copied());
        dims[axis] = match (size, scale) {
            (Some(size), _) => size,
            (None, Some(scale)) => {
                scaled(g, &dims[axis], scale).unwrap_or_else(|| g.symbols.fresh())
            }
            (None, None) => g.symbols.fresh(),
        };
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

/// ⌊length · scale⌋.
fn scaled(g: &mut Graph, length: &Dim, scale: f32) -> Option<Dim> {
    if let Some(factor) = whole(scale) {
        return Some(g.symbols.mul(length, &Dim::known(factor)));
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "as engines compute it"
    )]
    if let Some(n) = length.as_known() {
        let size = (n as f32 * scale).floor();
        return (0.0..1e12)
            .contains(&size)
            .then_some(Dim::known(size as i64));
    }
    let divisor = whole(1.0 / scale).filter(|&d| d.count_ones() == 1)?;
    Some(g.symbols.floor_div(length, &Dim::known(divisor)))
}

/// The whole number that this is.
fn whole(scale: f32) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "within the range")]
    (scale.fract() == 0.0 && (1.0..1e6).contains(&scale)).then_some(scale as i64)
}

/// How one axis is resized.
struct Resized {
    axis: usize,
    /// Its place in `scales`, `sizes` and half of `roi`.
    at: usize,
    scale: Option<f32>,
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let (dims, to) = (g.shape_or(x)?, g.shape_or(dy)?);
    let node = g.node.clone();
    let axes =
        axes_of(&node, dims.len()).ok_or_else(|| g.error("its axes do not fit its input"))?;
    let (scales, sizes) = inputs(g, &node);
    if scales.is_some_and(|v| g.data_type(v).is_float() && g.wants(2)) {
        return Err(g.error("its scales depend on a chosen input"));
    }
    if sizes.is_some() && node.string("keep_aspect_ratio_policy", "stretch") != "stretch" {
        return Err(g.error("sizes that keep the aspect ratio are not supported: give scales"));
    }
    let crops = node.string("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
    let known = scales.and_then(|v| known_floats(g, v));
    let mut resized = Vec::new();
    for (at, &axis) in axes.iter().enumerate() {
        let scale = known.as_ref().and_then(|k| k.get(at).copied());
        let kept = match (scales, scale) {
            (Some(_), Some(scale)) => scale == 1.0,
            (Some(_), None) => false,
            (None, _) => dims[axis] == to[axis],
        };
        if !kept || crops {
            resized.push(Resized { axis, at, scale });
        }
    }
    if let Some(back) = repeated(g, &resized, &dims, &to) {
        return g.give(0, back);
    }
    let mut back = dy;
    for one in &resized {
        let matrix = matrix(g, one, x, scales, sizes, crops)?;
        back = along(g, matrix, back, one.axis, &dims[one.axis])
            .ok_or_else(|| g.error("the lengths of its input cannot be computed"))?;
    }
    g.value_mut(back).shape = Some(dims);
    g.give(0, back)
}

/// dx where Resize repeats each element a whole number of times.
fn repeated(g: &mut Grad, resized: &[Resized], dims: &[Dim], to: &[Dim]) -> Option<V> {
    let node = &g.node;
    if node.string("mode", "nearest") != "nearest" || !(3..=5).contains(&dims.len()) {
        return None;
    }
    let coordinates = node.string("coordinate_transformation_mode", "half_pixel");
    let rounding = node.string("nearest_mode", "round_prefer_floor");
    let fits = match coordinates.as_str() {
        "asymmetric" | "tf_half_pixel_for_nn" => rounding == "floor",
        "half_pixel" | "half_pixel_symmetric" => rounding.starts_with("round_prefer"),
        _ => false,
    };
    if !fits || resized.is_empty() {
        return None;
    }
    let mut kernel = vec![1; dims.len() - 2];
    for one in resized {
        let factor = match one.scale {
            Some(scale) => whole(scale)?,
            None => to[one.axis]
                .div_exact(&dims[one.axis])
                .and_then(|ratio| ratio.as_known())
                .filter(|&n| n >= 1)?,
        };
        *kernel.get_mut(one.axis.checked_sub(2)?)? = factor;
    }
    let dy = g.dy().ok()?;
    let attributes = vec![
        attr_ints("kernel_shape", &kernel),
        attr_ints("strides", &kernel),
    ];
    let mean = g.emit("AveragePool", &[dy], attributes);
    g.value_mut(mean).shape = Some(dims.to_vec());
    #[expect(clippy::cast_precision_loss, reason = "scale factors")]
    let count: f64 = kernel.iter().map(|&k| k as f64).product();
    Some(g.scale(mean, count))
}

/// The matrix `[length, resized length]` of one axis.
fn matrix(
    g: &mut Grad,
    one: &Resized,
    x: V,
    scales: Option<V>,
    sizes: Option<V>,
    crops: bool,
) -> Result<V> {
    let length = g.length_of(x, one.axis);
    let eye = identity(g, length);
    let image = g.unsqueeze(eye, &[0, 1]);
    let index = g.ints(&[to_i64(one.at)]);
    let float = |g: &mut Grad, values: &[f64]| {
        let tensor = tensor::floats(values, &[to_i64(values.len())], DataType::Float32);
        g.constant(tensor)
    };
    let mut roi = None;
    if crops {
        let given = g.x(1)?;
        let data_type = g.data_type(given);
        let count = g.shape_or(given)?.first().and_then(Dim::as_known);
        let Some(half) = count.map(|n| n / 2) else {
            return Err(g.error("the length of its roi is not known"));
        };
        let end = g.ints(&[half + to_i64(one.at)]);
        let given = g.cast(given, DataType::Float32);
        let start = g.emit("Gather", &[given, index], Vec::new());
        let end = g.emit("Gather", &[given, end], Vec::new());
        let (zeros, ones) = (float(g, &[0.0; 3]), float(g, &[1.0; 3]));
        let all = g.concat(&[zeros, start, ones, end], 0);
        roi = Some(g.cast(all, data_type));
    }
    let mut inputs = vec![Some(image), roi];
    match (scales, sizes) {
        (Some(scales), _) => {
            let all = match one.scale {
                Some(scale) => float(g, &[1.0, 1.0, 1.0, f64::from(scale)]),
                None => {
                    let scale = g.emit("Gather", &[scales, index], Vec::new());
                    let ones = float(g, &[1.0; 3]);
                    g.concat(&[ones, scale], 0)
                }
            };
            inputs.push(Some(all));
        }
        (None, Some(sizes)) => {
            let size = match g.known_ints(sizes).and_then(|s| s.get(one.at).copied()) {
                Some(size) => g.ints(&[size]),
                None => g.emit("Gather", &[sizes, index], Vec::new()),
            };
            let ones = g.ints(&[1, 1]);
            let all = g.concat(&[ones, length, size], 0);
            inputs.extend([None, Some(all)]);
        }
        (None, None) => return Err(g.error("it has neither scales nor sizes")),
    }
    let mut attributes = g.node.attributes.clone();
    let replaced = ["axes", "keep_aspect_ratio_policy", "extrapolation_value"];
    attributes.retain(|a| !replaced.contains(&a.name.as_str()));
    if crops {
        attributes.push(attr_float("extrapolation_value", 0.0));
    }
    let matrix = g.emit_optional("Resize", &inputs, attributes);
    Ok(g.squeeze(matrix, &[0, 1]))
}
