//! [GridSample](https://onnx.ai/onnx/operators/onnx__GridSample.html): each output element is a sum
//! over taps, y = Σ Π_a w_a x[i]: one tap per axis for nearest, two for linear, four for cubic
//! (Keys 1981, a = −3/4). dx adds dy Π w at the taps; the grid takes dy x[i] w'_a Π_{b≠a} w_b per
//! axis. Taps of all axes are kept as `[n, taps…, points]`.

use super::{Cost, Op};
use crate::Result;
use crate::build::{attr_int, attr_str, to_i64};
use crate::dim::Dim;
use crate::grad::Grad;
use crate::graph::{Graph, Info, Node, V};
use crate::model::DataType;
use crate::tensor;

pub(super) const OPS: &[Op] = &[Op::new("GridSample", shape, rule, Cost::Heavy)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let (from, grid) = (g.shape(x)?, g.shape(n.input(1)?)?);
    let mut dims = from.get(..2)?.to_vec();
    dims.extend(grid.get(1..grid.len().checked_sub(1)?)?.iter().cloned());
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Nearest,
    Linear,
    Cubic,
}

#[derive(Clone, Copy, PartialEq)]
enum Padding {
    Zeros,
    Border,
    Reflection,
}

/// What one axis contributes, each `[n, taps, points]`.
struct Taps {
    /// Integers within the axis.
    index: V,
    weight: V,
    /// Derivative of the weight by the grid's entry.
    slope: Option<V>,
}

struct Sampler {
    mode: Mode,
    padding: Padding,
    align: bool,
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, grid) = (g.dy()?, g.x(0)?, g.x(1)?);
    let (dims, out) = (g.shape_or(x)?, g.shape_or(dy)?);
    let axes = dims.len().saturating_sub(2);
    if axes == 0 || out.len() != dims.len() {
        return Err(g.error("its input needs a spatial axis, and its grid as many"));
    }
    let mode = match g.node.string("mode", "linear").as_str() {
        "linear" | "bilinear" => Mode::Linear,
        "nearest" => Mode::Nearest,
        "cubic" | "bicubic" => Mode::Cubic,
        other => return Err(g.error(format!("mode `{other}` is not known"))),
    };
    let padding = match g.node.string("padding_mode", "zeros").as_str() {
        "zeros" => Padding::Zeros,
        "border" => Padding::Border,
        "reflection" => Padding::Reflection,
        other => return Err(g.error(format!("padding mode `{other}` is not known"))),
    };
    let sampler = Sampler {
        mode,
        padding,
        align: g.node.int("align_corners", 0) != 0,
    };
    let points = g.symbols.product(&out[2..]);
    let slopes = g.wants(1) && mode != Mode::Nearest;
    let taps: Vec<Taps> = (0..axes)
        .map(|axis| sampler.taps(g, x, grid, axis, axes, &points, slopes))
        .collect();
    let per_axis = match mode {
        Mode::Nearest => 1,
        Mode::Linear => 2,
        Mode::Cubic => 4,
    };
    // Row-major numbers of the elements, [n, 1, taps · points].
    let mut number: Option<V> = None;
    for (axis, taps) in taps.iter().enumerate() {
        let here = spread(g, taps.index, axis, axes);
        number = Some(match number {
            None => here,
            Some(number) => {
                let length = g.length_of(x, axis + 2);
                let scaled = g.emit("Mul", &[number, length], Vec::new());
                g.add(scaled, here)
            }
        });
    }
    let number = number.unwrap_or(grid);
    let count = Dim::known(i64::pow(per_axis, u32::try_from(axes).unwrap_or(1)));
    let all = g.symbols.mul(&count, &points);
    let (batch, channels) = (dims[0].clone(), dims[1].clone());
    let number = g.reshape(number, &[batch.clone(), Dim::known(1), all.clone()], None);
    let whole = [batch.clone(), channels.clone(), all.clone()];
    let number = g.expand(number, &whole, None);
    let area = g.symbols.product(&dims[2..]);
    let flat = [batch.clone(), channels.clone(), area];
    // dy and the taps, [n, channels, taps…, points].
    let mut apart = vec![batch.clone(), channels];
    apart.extend(vec![Dim::known(1); axes]);
    apart.push(points.clone());
    let cotangent = g.reshape(dy, &apart, None);
    if g.wants(0) {
        let weights: Vec<V> = taps.iter().map(|t| t.weight).collect();
        let weight = product(g, &weights);
        let weight = g.unsqueeze(weight, &[1]);
        let part = g.mul(cotangent, weight);
        let part = g.reshape(part, &whole, None);
        let zero = g.scalar(0.0, dy);
        let zeros = g.expand(zero, &flat, None);
        let attributes = vec![attr_int("axis", 2), attr_str("reduction", "add")];
        let back = g.emit("ScatterElements", &[zeros, number, part], attributes);
        let back = g.reshape(back, &dims, Some(x));
        g.give(0, back)?;
    }
    if !g.wants(1) {
        return Ok(());
    }
    if mode == Mode::Nearest {
        let zero = g.scalar(0.0, grid);
        return g.give(1, zero);
    }
    let data = g.reshape(x, &flat, None);
    let found = g.emit("GatherElements", &[data, number], vec![attr_int("axis", 2)]);
    let mut taken = apart.clone();
    taken[2..2 + axes].fill(Dim::known(per_axis));
    let found = g.reshape(found, &taken, None);
    let part = g.mul(found, cotangent);
    let part = g.reduce("ReduceSum", part, &[1], false);
    let reduced: Vec<i64> = (1..=to_i64(axes)).collect();
    let mut entries = Vec::new();
    for axis in (0..axes).rev() {
        let factors: Vec<V> = taps
            .iter()
            .enumerate()
            .map(|(at, t)| {
                if at == axis {
                    t.slope.unwrap_or(t.weight)
                } else {
                    t.weight
                }
            })
            .collect();
        let factor = product(g, &factors);
        let slope = g.mul(part, factor);
        let slope = g.reduce("ReduceSum", slope, &reduced, false);
        entries.push(g.unsqueeze(slope, &[2]));
    }
    let back = g.concat(&entries, 2);
    let grid_dims = g.shape_or(grid)?;
    let back = g.reshape(back, &grid_dims, Some(grid));
    g.give(1, back)
}

/// `[n, taps, points]` with the taps on axis `axis` of several: `[n, 1…, taps, …1, points]`.
fn spread(g: &mut Grad, v: V, axis: usize, axes: usize) -> V {
    let at: Vec<i64> = (0..axes)
        .filter(|&other| other != axis)
        .map(|other| to_i64(other + 1))
        .collect();
    g.unsqueeze(v, &at)
}

/// The product of one factor per axis, `[n, taps…, points]`.
fn product(g: &mut Grad, factors: &[V]) -> V {
    let mut out = None;
    for (axis, &factor) in factors.iter().enumerate() {
        let factor = spread(g, factor, axis, factors.len());
        out = Some(match out {
            None => factor,
            Some(out) => g.mul(out, factor),
        });
    }
    out.unwrap_or(V(0))
}

impl Sampler {
    #[expect(clippy::too_many_arguments, reason = "one call")]
    fn taps(
        &self,
        g: &mut Grad,
        x: V,
        grid: V,
        axis: usize,
        axes: usize,
        points: &Dim,
        slopes: bool,
    ) -> Taps {
        let entry = f64::from(u32::try_from(axes - 1 - axis).unwrap_or(0));
        let entry = g.constant(tensor::floats(&[entry], &[], DataType::Int64));
        let at = g.emit("Gather", &[grid, entry], vec![attr_int("axis", -1)]);
        let batch = g.shape(grid).and_then(|d| d.first().cloned());
        let batch = batch.unwrap_or(Dim::known(1));
        let at = g.reshape(at, &[batch, Dim::known(1), points.clone()], None);
        let data_type = g.data_type(grid);
        let length = g.length_of(x, axis + 2);
        let length = g.squeeze(length, &[0]);
        let length = g.cast(length, data_type);
        let last = g.shift(length, -1.0);
        // The grid's −1 … 1 as a place on the axis, and its derivative.
        let shifted = g.shift(at, 1.0);
        let reach = if self.align { last } else { length };
        let rate = g.scale(reach, 0.5);
        let mut place = g.mul(shifted, rate);
        if !self.align {
            place = g.shift(place, -0.5);
        }
        let mut slope = None;
        if self.mode != Mode::Cubic && self.padding != Padding::Zeros {
            let (bounded, sign) = self.bounded(g, place, length, last);
            place = bounded;
            slope = Some(sign);
        }
        let slope = match slope {
            None => rate,
            Some(sign) => g.mul(sign, rate),
        };
        if self.mode == Mode::Nearest {
            let index = g.unary("Round", place);
            let (index, inside) = self.within(g, index, length, last);
            let weight = match inside {
                Some(inside) => inside,
                None => g.scalar(1.0, grid),
            };
            let weight = if inside.is_some() {
                weight
            } else {
                ones_like(g, weight, index)
            };
            return Taps {
                index: g.cast(index, DataType::Int64),
                weight,
                slope: None,
            };
        }
        let low = g.unary("Floor", place);
        let t = g.sub(place, low);
        let (offsets, weights, rates) = if self.mode == Mode::Linear {
            let rest = g.neg(t);
            let first = g.shift(rest, 1.0);
            (vec![0.0, 1.0], vec![first, t], None)
        } else {
            let (weights, rates) = cubic(g, t, slopes);
            (vec![-1.0, 0.0, 1.0, 2.0], weights, rates)
        };
        let count = to_i64(offsets.len());
        let offsets = g.constant(tensor::floats(&offsets, &[count, 1], data_type));
        let index = g.add(low, offsets);
        let (index, inside) = self.within(g, index, length, last);
        let mask = |g: &mut Grad, v: V| inside.map_or(v, |inside| g.mul(v, inside));
        let weight = g.concat(&weights, 1);
        let weight = mask(g, weight);
        let rates = match rates {
            Some(rates) => g.concat(&rates, 1),
            None => g.constant(tensor::floats(&[-1.0, 1.0], &[2, 1], data_type)),
        };
        let slope = slopes.then(|| {
            let rates = g.mul(slope, rates);
            mask(g, rates)
        });
        Taps {
            index: g.cast(index, DataType::Int64),
            weight,
            slope,
        }
    }

    /// Indices within the axis, and where they had to be within it.
    fn within(&self, g: &mut Grad, index: V, length: V, last: V) -> (V, Option<V>) {
        let index = if self.padding == Padding::Reflection {
            self.bounded(g, index, length, last).0
        } else {
            index
        };
        let zero = g.scalar(0.0, index);
        let above = g.emit("Max", &[index, zero], Vec::new());
        let clipped = g.emit("Min", &[above, last], Vec::new());
        if self.padding != Padding::Zeros {
            return (clipped, None);
        }
        let inside = g.emit("Equal", &[index, clipped], Vec::new());
        let data_type = g.data_type(index);
        (clipped, Some(g.cast(inside, data_type)))
    }

    /// A place moved into the axis, and the derivative of that: 1, −1 or 0.
    fn bounded(&self, g: &mut Grad, place: V, length: V, last: V) -> (V, V) {
        let (zero, one) = (g.scalar(0.0, place), g.scalar(1.0, place));
        let mut sign = one;
        let mut place = place;
        if self.padding == Padding::Reflection {
            // A zigzag between the ends: the first and last centres, or the edges half a step out.
            let (start, span) = if self.align {
                (0.0, last)
            } else {
                (-0.5, length)
            };
            let span = g.emit("Max", &[span, one], Vec::new());
            let from_start = g.shift(place, -start);
            let size = g.unary("Abs", from_start);
            let ratio = g.div(size, span);
            let turns = g.unary("Floor", ratio);
            let done = g.mul(turns, span);
            let extra = g.sub(size, done);
            let half = g.scale(turns, 0.5);
            let whole = g.unary("Floor", half);
            let is_even = g.emit("Equal", &[half, whole], Vec::new());
            let other = g.sub(span, extra);
            let folded = g.select(is_even, extra, other);
            place = g.shift(folded, start);
            let minus = g.scalar(-1.0, place);
            let turned = g.select(is_even, one, minus);
            let before = g.emit("Less", &[from_start, zero], Vec::new());
            let side = g.select(before, minus, one);
            sign = g.mul(turned, side);
        }
        let above = g.emit("Greater", &[place, zero], Vec::new());
        let below = g.emit("Less", &[place, last], Vec::new());
        let inside = g.emit("And", &[above, below], Vec::new());
        let sign = g.select(inside, sign, zero);
        let place = g.emit("Max", &[place, zero], Vec::new());
        (g.emit("Min", &[place, last], Vec::new()), sign)
    }
}

fn ones_like(g: &mut Grad, one: V, like: V) -> V {
    match g.shape(like) {
        Some(dims) => g.expand(one, &dims, Some(like)),
        None => one,
    }
}

/// Weights of the four taps around a place `t` behind the second, and their derivatives.
fn cubic(g: &mut Grad, t: V, slopes: bool) -> (Vec<V>, Option<Vec<V>>) {
    const A: f64 = -0.75;
    // Distances of the taps and what they change by with t.
    let taps = [(1.0, 1.0), (0.0, 1.0), (1.0, -1.0), (2.0, -1.0)];
    let (mut weights, mut rates) = (Vec::new(), Vec::new());
    for (at, (offset, sign)) in taps.into_iter().enumerate() {
        let signed = g.scale(t, sign);
        let s = g.shift(signed, offset);
        let near = at == 1 || at == 2;
        let [a3, a2, a1, a0] = if near {
            [A + 2.0, -(A + 3.0), 0.0, 1.0]
        } else {
            [A, -5.0 * A, 8.0 * A, -4.0 * A]
        };
        weights.push(polynomial(g, s, &[a3, a2, a1, a0]));
        if slopes {
            let rate = polynomial(g, s, &[3.0 * a3, 2.0 * a2, a1]);
            rates.push(g.scale(rate, sign));
        }
    }
    (weights, slopes.then_some(rates))
}

/// Horner's scheme, highest power first.
fn polynomial(g: &mut Grad, s: V, coefficients: &[f64]) -> V {
    let mut sum = g.scale(s, coefficients[0]);
    for (at, &coefficient) in coefficients.iter().enumerate().skip(1) {
        if coefficient != 0.0 {
            sum = g.shift(sum, coefficient);
        }
        if at + 1 < coefficients.len() {
            sum = g.mul(sum, s);
        }
    }
    sum
}
