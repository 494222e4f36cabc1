//! [GridSample](https://onnx.ai/onnx/operators/onnx__GridSample.html): each output element is a sum
//! over taps, y = Σ Π_a w_a x[i]: one tap per axis for nearest, two for linear, four for cubic
//! (Keys 1981, a = −3/4). dx adds dy Π w at the taps; the grid takes dy x[i] w'_a Π_{b≠a} w_b per
//! axis. Taps of all axes are kept as `[n, taps…, points]`.
//!
//! Opsets 16 to 24 (defined in 16, 20, 22).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::attribute::{attr_int, attr_str};
use crate::graph::{Dim, Graph, Info, Node, V};
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

impl Mode {
    /// Taps per axis.
    fn taps(self) -> i64 {
        match self {
            Self::Nearest => 1,
            Self::Linear => 2,
            Self::Cubic => 4,
        }
    }
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

/// The node's attributes.
struct Sampler {
    mode: Mode,
    padding: Padding,
    align: bool,
}

/// The lengths that sampling deals with.
struct Sizes {
    /// Spatial axes.
    axes: usize,
    /// Places per sample that are looked up.
    points: Dim,
    /// `[batch, channels, taps · points]`.
    whole: [Dim; 3],
    /// `[batch, channels, elements]` of the input.
    flat: [Dim; 3],
    /// `[batch, channels, 1…, points]`.
    apart: Vec<Dim>,
}

impl Sizes {
    /// `taps` are those per axis.
    fn new(g: &mut Grad, dims: &[Dim], out: &[Dim], taps: i64) -> Result<Self> {
        let axes = dims
            .len()
            .checked_sub(2)
            .filter(|&axes| axes > 0 && out.len() == dims.len());
        let Some(axes) = axes else {
            return Err(g.error("its input needs a spatial axis, and its grid as many"));
        };
        let count = (0..axes).try_fold(1i64, |count, _| count.checked_mul(taps));
        let count = count.ok_or_else(|| g.error(format!("{axes} axes have too many taps")))?;
        let points = g.symbols.product(&out[2..]);
        let all = g.symbols.mul(&Dim::known(count), &points);
        let area = g.symbols.product(&dims[2..]);
        let (batch, channels) = (dims[0].clone(), dims[1].clone());
        let mut apart = vec![batch.clone(), channels.clone()];
        apart.extend(vec![Dim::known(1); axes]);
        apart.push(points.clone());
        Ok(Self {
            axes,
            whole: [batch.clone(), channels.clone(), all],
            flat: [batch, channels, area],
            points,
            apart,
        })
    }
}

fn sampler(g: &Grad) -> Result<Sampler> {
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
    Ok(Sampler {
        mode,
        padding,
        align: g.node.int("align_corners", 0) != 0,
    })
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, grid) = (g.dy()?, g.x(0)?, g.x(1)?);
    let (dims, out) = (g.shape_or(x)?, g.shape_or(dy)?);
    let sampler = sampler(g)?;
    let sizes = Sizes::new(g, &dims, &out, sampler.mode.taps())?;
    let slopes = g.wants(1) && sampler.mode != Mode::Nearest;
    let mut taps = Vec::with_capacity(sizes.axes);
    for axis in 0..sizes.axes {
        taps.push(sampler.taps(g, (x, grid), axis, &sizes, slopes)?);
    }
    let number = numbers(g, x, &taps, &sizes)?;
    let cotangent = g.reshape(dy, &sizes.apart, None);
    if g.wants(0) {
        let weights: Vec<V> = taps.iter().map(|t| t.weight).collect();
        let weight = product(g, &weights)?;
        let weight = g.unsqueeze(weight, &[1]);
        let part = g.mul(cotangent, weight);
        let part = g.reshape(part, &sizes.whole, None);
        let zero = g.scalar(0.0, dy);
        let zeros = g.expand(zero, &sizes.flat, None);
        let attributes = vec![attr_int("axis", 2), attr_str("reduction", "add")];
        let back = g.emit("ScatterElements", &[zeros, number, part], attributes);
        let back = g.reshape(back, &dims, Some(x));
        g.give(0, back)?;
    }
    if !g.wants(1) {
        return Ok(());
    }
    if sampler.mode == Mode::Nearest {
        let zero = g.scalar(0.0, grid);
        return g.give(1, zero);
    }
    give_grid(g, number, cotangent, &taps, &sizes, sampler.mode)
}

/// Row-major numbers of the elements that the taps read, `[n, channels, taps · points]`.
fn numbers(g: &mut Grad, x: V, taps: &[Taps], sizes: &Sizes) -> Result<V> {
    let mut number: Option<V> = None;
    for (axis, taps) in taps.iter().enumerate() {
        let here = spread(g, taps.index, axis, sizes.axes);
        number = Some(match number {
            None => here,
            Some(number) => {
                let length = g.length_of(x, axis + 2);
                let scaled = g.emit("Mul", &[number, length], Vec::new());
                g.add(scaled, here)
            }
        });
    }
    let number = number.ok_or_else(|| g.internal("it has no axes"))?;
    let [batch, _, all] = sizes.whole.clone();
    let number = g.reshape(number, &[batch, Dim::known(1), all], None);
    Ok(g.expand(number, &sizes.whole, None))
}

/// The grid's gradient: dy x[i] w'_a Π_{b≠a} w_b for each axis a.
fn give_grid(
    g: &mut Grad,
    number: V,
    cotangent: V,
    taps: &[Taps],
    sizes: &Sizes,
    mode: Mode,
) -> Result<()> {
    let (x, grid, axes) = (g.x(0)?, g.x(1)?, sizes.axes);
    let data = g.reshape(x, &sizes.flat, None);
    let found = g.emit("GatherElements", &[data, number], vec![attr_int("axis", 2)]);
    let mut taken = sizes.apart.clone();
    taken[2..2 + axes].fill(Dim::known(mode.taps()));
    let found = g.reshape(found, &taken, None);
    let part = g.mul(found, cotangent);
    let part = g.reduce("ReduceSum", part, &[1], false);
    let reduced: Vec<i64> = (1..=to_i64(axes)).collect();
    let mut entries = Vec::new();
    for axis in (0..axes).rev() {
        let mut factors: Vec<V> = taps.iter().map(|t| t.weight).collect();
        let slope = taps[axis].slope;
        factors[axis] = slope.ok_or_else(|| g.internal("its taps have no slopes"))?;
        let factor = product(g, &factors)?;
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
fn product(g: &mut Grad, factors: &[V]) -> Result<V> {
    let mut out = None;
    for (axis, &factor) in factors.iter().enumerate() {
        let factor = spread(g, factor, axis, factors.len());
        out = Some(match out {
            None => factor,
            Some(out) => g.mul(out, factor),
        });
    }
    out.ok_or_else(|| g.internal("it has no axes"))
}

/// One axis of the data, and where the grid points on it.
struct Axis {
    length: V,
    /// `length` − 1.
    last: V,
    /// The grid's −1 … 1 as a place on the axis, `[n, 1, points]`.
    place: V,
    /// Derivative of the place by the grid's entry.
    rate: V,
}

impl Sampler {
    fn taps(
        &self,
        g: &mut Grad,
        (x, grid): (V, V),
        axis: usize,
        sizes: &Sizes,
        slopes: bool,
    ) -> Result<Taps> {
        let data_type = g.data_type(grid);
        let along = self.axis(g, x, grid, axis, sizes)?;
        if self.mode == Mode::Nearest {
            return Ok(self.nearest(g, &along));
        }
        let low = g.unary("Floor", along.place);
        let t = g.sub(along.place, low);
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
        let (index, inside) = self.within(g, index, &along);
        let mask = |g: &mut Grad, v: V| inside.map_or(v, |inside| g.mul(v, inside));
        let weight = g.concat(&weights, 1);
        let weight = mask(g, weight);
        let rates = match rates {
            Some(rates) => g.concat(&rates, 1),
            None => g.constant(tensor::floats(&[-1.0, 1.0], &[2, 1], data_type)),
        };
        let slope = slopes.then(|| {
            let rates = g.mul(along.rate, rates);
            mask(g, rates)
        });
        Ok(Taps {
            index: g.cast(index, DataType::Int64),
            weight,
            slope,
        })
    }

    fn axis(&self, g: &mut Grad, x: V, grid: V, axis: usize, sizes: &Sizes) -> Result<Axis> {
        let entry = g.int(to_i64(sizes.axes - 1 - axis));
        let at = g.emit("Gather", &[grid, entry], vec![attr_int("axis", -1)]);
        let batch = g.shape_or(grid)?.first().cloned();
        let batch = batch.ok_or_else(|| g.error("its grid is a scalar"))?;
        let at = g.reshape(at, &[batch, Dim::known(1), sizes.points.clone()], None);
        let data_type = g.data_type(grid);
        let length = g.length_of(x, axis + 2);
        let length = g.squeeze(length, &[0]);
        let length = g.cast(length, data_type);
        let last = g.shift(length, -1.0);
        let shifted = g.shift(at, 1.0);
        let reach = if self.align { last } else { length };
        let rate = g.scale(reach, 0.5);
        let mut place = g.mul(shifted, rate);
        if !self.align {
            place = g.shift(place, -0.5);
        }
        let mut along = Axis {
            length,
            last,
            place,
            rate,
        };
        if self.mode != Mode::Cubic && self.padding != Padding::Zeros {
            let (bounded, sign) = self.bounded(g, place, &along);
            along.place = bounded;
            along.rate = g.mul(sign, rate);
        }
        Ok(along)
    }

    fn nearest(&self, g: &mut Grad, along: &Axis) -> Taps {
        let index = g.unary("Round", along.place);
        let (index, inside) = self.within(g, index, along);
        let weight = match inside {
            Some(inside) => inside,
            None => {
                let one = g.scalar(1.0, along.place);
                match g.shape(index) {
                    Some(dims) => g.expand(one, &dims, Some(index)),
                    None => one,
                }
            }
        };
        Taps {
            index: g.cast(index, DataType::Int64),
            weight,
            slope: None,
        }
    }

    /// Indices within the axis, and where they had to be within it.
    fn within(&self, g: &mut Grad, index: V, along: &Axis) -> (V, Option<V>) {
        let index = if self.padding == Padding::Reflection {
            self.bounded(g, index, along).0
        } else {
            index
        };
        let zero = g.scalar(0.0, index);
        let above = g.emit("Max", &[index, zero], Vec::new());
        let clipped = g.emit("Min", &[above, along.last], Vec::new());
        if self.padding != Padding::Zeros {
            return (clipped, None);
        }
        let inside = g.emit("Equal", &[index, clipped], Vec::new());
        let data_type = g.data_type(index);
        (clipped, Some(g.cast(inside, data_type)))
    }

    /// A place moved into the axis, and the derivative of that: 1, −1 or 0.
    fn bounded(&self, g: &mut Grad, place: V, along: &Axis) -> (V, V) {
        let Axis { length, last, .. } = *along;
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
