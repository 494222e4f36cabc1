//! [Slice](https://onnx.ai/onnx/operators/onnx__Slice.html): dx is dy with zeros around it (Pad).
//! Steps of −1 are taken back first; other steps are spread by interleaving zeros. Where bounds,
//! steps or lengths are known at run time only, the same cut of 0, 1, 2, … says where dy goes.
//!
//! Opsets 13 to 24 (defined in 13).

use super::op::{Cost, Grad, Op, Result};
use super::scatter::place;
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::{Dim, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[Op::new("Slice", shape, rule, Cost::Light).limits("constant axes")];

/// One sliced axis.
struct Cut {
    axis: usize,
    start: i64,
    end: i64,
    step: i64,
}

fn cuts(g: &Graph, n: &Node, rank: usize) -> Option<Vec<Cut>> {
    let starts = g.known_ints(n.input(1)?)?;
    let ends = g.known_ints(n.input(2)?)?;
    let axes = match n.input(3) {
        Some(axes) => g.known_ints(axes)?,
        None => (0..to_i64(starts.len())).collect(),
    };
    let steps = match n.input(4) {
        Some(steps) => g.known_ints(steps)?,
        None => vec![1; starts.len()],
    };
    if starts.len() != ends.len() || starts.len() != axes.len() || starts.len() != steps.len() {
        return None;
    }
    if steps.iter().any(|&step| step == 0 || step == i64::MIN) {
        return None;
    }
    (0..starts.len())
        .map(|at| {
            Some(Cut {
                axis: normalized(axes[at], rank)?,
                start: starts[at],
                end: ends[at],
                step: steps[at],
            })
        })
        .collect()
}

/// First element and number of elements, for a known length.
fn span(cut: &Cut, length: i64) -> Option<(i64, i64)> {
    if length < 0 {
        return None;
    }
    let place = |at: i64| {
        if at < 0 { at + length } else { at }
    };
    let (start, end) = if cut.step > 0 {
        (
            place(cut.start).clamp(0, length),
            place(cut.end).clamp(0, length),
        )
    } else {
        let end = if cut.end < -length {
            -1
        } else {
            place(cut.end)
        };
        (
            place(cut.start).clamp(0, (length - 1).max(0)),
            end.clamp(-1, length - 1),
        )
    };
    let distance = end.checked_sub(start)?;
    let count = if distance == 0 || (distance > 0) != (cut.step > 0) {
        0
    } else {
        let (distance, step) = (distance.unsigned_abs(), cut.step.unsigned_abs());
        i64::try_from(distance.div_ceil(step)).ok()?
    };
    Some((start, count))
}

/// The length left by a step-1 cut of an axis of free length.
fn symbolic_length(g: &mut Graph, length: &Dim, start: &Dim, end: &Dim) -> Dim {
    let place = |g: &mut Graph, at: &Dim| match at.as_known() {
        Some(n) if n < 0 => g.symbols.add(length, at),
        _ => at.clone(),
    };
    let end = if end.as_known().is_some_and(|n| n >= i64::from(i32::MAX)) {
        length.clone()
    } else {
        place(g, end)
    };
    let start = place(g, start);
    // An axis of free length is taken to hold at least one element.
    if start.is(0) && end.is(1) {
        return end;
    }
    // Clamping cannot be decided for free lengths unless a bound is the length itself or 0.
    let is_end = end == *length || end.as_known().is_none();
    let from_end = g
        .symbols
        .sub(length, &start)
        .as_known()
        .is_some_and(|n| n >= 0);
    if is_end && (start.is(0) || from_end || start.as_known().is_some_and(|n| n >= 0)) {
        return g.symbols.sub(&end, &start);
    }
    g.symbols.fresh()
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let data_type = g.data_type(x);
    let from = g.shape(x)?;
    let mut dims = from.clone();
    if let Some(cuts) = cuts(g, n, from.len()) {
        for cut in &cuts {
            dims[cut.axis] = match from[cut.axis].as_known() {
                Some(length) => Dim::known(span(cut, length)?.1),
                None if cut.step == 1 => {
                    let (start, end) = (Dim::known(cut.start), Dim::known(cut.end));
                    symbolic_length(g, &from[cut.axis].clone(), &start, &end)
                }
                _ => g.symbols.fresh(),
            };
        }
        let content = sliced_content(g, x, &cuts);
        return Some(vec![Info::new(data_type, Some(dims)).with_content(content)]);
    }
    let axes = match n.input(3) {
        Some(axes) => g.known_ints(axes),
        None => g
            .shape(n.input(1)?)?
            .first()?
            .as_known()
            .map(|count| (0..count).collect()),
    };
    let (starts, ends) = (g.content(n.input(1)?), g.content(n.input(2)?));
    let unit = n.input(4).is_none_or(|steps| {
        g.known_ints(steps)
            .is_some_and(|s| s.iter().all(|&s| s == 1))
    });
    for (at, axis) in axes?.into_iter().enumerate() {
        let axis = normalized(axis, from.len())?;
        let bounds = starts
            .as_ref()
            .and_then(|s| s.get(at))
            .zip(ends.as_ref().and_then(|e| e.get(at)));
        dims[axis] = match bounds {
            Some((start, end)) if unit => symbolic_length(g, &from[axis].clone(), start, end),
            _ => g.symbols.fresh(),
        };
    }
    Some(vec![Info::new(data_type, Some(dims))])
}

fn sliced_content(g: &Graph, x: V, cuts: &[Cut]) -> Option<Vec<Dim>> {
    let content = g.content(x)?;
    let [cut] = cuts else { return None };
    let (start, count) = span(cut, to_i64(content.len()))?;
    (0..count)
        .map(|k| {
            let at = k.checked_mul(cut.step)?.checked_add(start)?;
            content.get(usize::try_from(at).ok()?).cloned()
        })
        .collect()
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape_or(x)?;
    let node = g.node.clone();
    let Some(cuts) = cuts(g, &node, dims.len()) else {
        return dynamic(g);
    };
    let mut part = dy;
    let (mut before, mut after) = (vec![0i64; dims.len()], vec![0i64; dims.len()]);
    for cut in &cuts {
        match dims[cut.axis].as_known() {
            Some(length) => {
                let Some((start, count)) = span(cut, length) else {
                    return Err(g.error("its bounds overflow"));
                };
                let Some((spaced, first, filled)) = spread(g, part, cut, start, count) else {
                    return Err(g.error("its bounds overflow"));
                };
                part = spaced;
                before[cut.axis] = first;
                // The part lies within the axis.
                after[cut.axis] = length - first - filled;
            }
            None if cut.step == 1 => {
                let tail = cut.end >= i64::from(i32::MAX);
                match (cut.start, cut.end) {
                    (0, _) if tail => {}
                    (start, _) if start > 0 && tail => before[cut.axis] = start,
                    (start, end) if start >= 0 && (i64::from(i32::MIN)..0).contains(&end) => {
                        before[cut.axis] = start;
                        after[cut.axis] = -end;
                    }
                    _ => return dynamic(g),
                }
            }
            None => return by_place(g),
        }
    }
    let back = pad(g, part, &before, &after);
    if let Some(shape) = g.shape(x) {
        g.value_mut(back).shape = Some(shape);
    }
    g.give(0, back)
}

/// Undoes the step of a cut. Returns the part, where its first element goes, and its length; `None`
/// where these overflow.
fn spread(g: &mut Graph, part: V, cut: &Cut, start: i64, count: i64) -> Option<(V, i64, i64)> {
    if count == 0 {
        return Some((part, 0, 0));
    }
    let axis = to_i64(cut.axis);
    let (mut part, mut first) = (part, start);
    if cut.step < 0 {
        part = flip(g, part, axis);
        first = (count - 1).checked_mul(cut.step)?.checked_add(start)?;
    }
    let step = cut.step.abs();
    if step == 1 {
        return Some((part, first, count));
    }
    // x → [x, 0, …, 0] along a new axis, then flattened: the last step − 1 zeros are cut off.
    let dims = g.shape(part)?;
    let apart = g.unsqueeze(part, &[axis + 1]);
    let rank = dims.len() + 1;
    let (mut before, mut after) = (vec![0i64; rank], vec![0i64; rank]);
    before[cut.axis + 1] = 0;
    after[cut.axis + 1] = step - 1;
    let spaced = pad(g, apart, &before, &after);
    let mut merged = dims;
    merged[cut.axis] = Dim::known(count.checked_mul(step)?);
    let flat = g.reshape(spaced, &merged, None);
    let filled = (count - 1).checked_mul(step)?.checked_add(1)?;
    let (start, end, axes) = (g.ints(&[0]), g.ints(&[filled]), g.ints(&[axis]));
    let part = g.emit("Slice", &[flat, start, end, axes], Vec::new());
    Some((part, first, filled))
}

/// Reverses an axis.
pub(super) fn flip(g: &mut Graph, x: V, axis: i64) -> V {
    let (start, end) = (g.ints(&[-1]), g.ints(&[i64::MIN + 1]));
    let (axes, steps) = (g.ints(&[axis]), g.ints(&[-1]));
    g.emit("Slice", &[x, start, end, axes, steps], Vec::new())
}

/// Zeros around `x`.
pub(super) fn pad(g: &mut Graph, x: V, before: &[i64], after: &[i64]) -> V {
    if before.iter().chain(after).all(|&n| n == 0) {
        return x;
    }
    let pads: Vec<i64> = before.iter().chain(after).copied().collect();
    let pads = g.ints(&pads);
    let zero = g.scalar(0.0, x);
    g.emit("Pad", &[x, pads, zero], Vec::new())
}

/// The axes that are cut, as they are given.
fn axes_of(g: &Grad) -> Result<Vec<i64>> {
    let axes = match g.node.input(3) {
        Some(axes) => g.known_ints(axes),
        None => {
            let count = g.shape_or(g.x(1)?)?.first().and_then(Dim::as_known);
            count.map(|count| (0..count).collect())
        }
    };
    axes.ok_or_else(|| g.error("its axes have to be constant"))
}

/// Bounds that are only known at run time: a step of 1 and non-negative bounds within the axis.
fn dynamic(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape_or(x)?;
    let all_one = |steps| {
        g.known_ints(steps)
            .is_some_and(|s| s.iter().all(|&s| s == 1))
    };
    let unit = g.node.input(4).is_none_or(all_one);
    let axes = axes_of(g)?;
    if !unit {
        return by_place(g);
    }
    let axes = g.axis_values(axes, dims.len())?;
    // before = start clamped to the axis; after = length − before − length of the part.
    let (before, lengths) = clamped_start(g, &axes, &dims)?;
    let part = g.shape_of(dy);
    let axes_value = g.ints(&axes);
    let part = g.emit("Gather", &[part, axes_value], Vec::new());
    let after = g.sub(lengths, before);
    let after = g.sub(after, part);
    let zero = g.ints(&[0]);
    let mut pads = Vec::new();
    for side in [before, after] {
        for axis in 0..to_i64(dims.len()) {
            let at = axes.iter().position(|&a| a == axis);
            pads.push(match at {
                None => zero,
                Some(at) => {
                    let index = g.ints(&[to_i64(at)]);
                    g.emit("Gather", &[side, index], Vec::new())
                }
            });
        }
    }
    let pads = g.concat(&pads, 0);
    let zero = g.scalar(0.0, dy);
    let back = g.emit("Pad", &[dy, pads, zero], Vec::new());
    g.value_mut(back).shape = Some(dims);
    g.give(0, back)
}

/// The starts as non-negative places within their axes, and the lengths of these.
fn clamped_start(g: &mut Grad, axes: &[i64], dims: &[Dim]) -> Result<(V, V)> {
    let (dy, x, starts) = (g.dy()?, g.x(0)?, g.x(1)?);
    let starts_known = g.known_ints(starts);
    let mut start = g.cast(starts, DataType::Int64);
    let axes_value = g.ints(axes);
    let length = |g: &mut Grad, &axis: &i64| {
        let dim = dims.get(usize::try_from(axis).ok()?)?.clone();
        g.length(&dim, &[dy])
    };
    let lengths: Option<Vec<V>> = axes.iter().map(|axis| length(g, axis)).collect();
    let lengths = match lengths {
        Some(lengths) => g.concat(&lengths, 0),
        None => {
            let shape = g.shape_of(x);
            g.emit("Gather", &[shape, axes_value], Vec::new())
        }
    };
    let zero = g.ints(&[0]);
    if starts_known.is_none_or(|s| s.iter().any(|&s| s < 0)) {
        let negative = g.emit("Less", &[start, zero], Vec::new());
        let from_end = g.add(start, lengths);
        start = g.select(negative, from_end, start);
        start = g.emit("Max", &[start, zero], Vec::new());
        start = g.emit("Min", &[start, lengths], Vec::new());
    }
    Ok((start, lengths))
}

/// Any bounds and steps: dy goes to the elements of 0, 1, 2, … that the same cut takes.
fn by_place(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape_or(x)?;
    let (starts, ends) = (g.x(1)?, g.x(2)?);
    let axes = axes_of(g)?;
    let steps = g.node.input(4);
    let mut part = dy;
    let mut now = g.shape_or(dy)?;
    for (at, axis) in axes.into_iter().enumerate() {
        let axis = g.axis_value(axis, dims.len())?;
        let index = g.ints(&[to_i64(at)]);
        let entry = |g: &mut Grad, v: V| match g.known_ints(v).and_then(|v| v.get(at).copied()) {
            Some(n) => g.ints(&[n]),
            None => {
                let entry = g.emit("Gather", &[v, index], Vec::new());
                g.cast(entry, DataType::Int64)
            }
        };
        let (start, end) = (entry(g, starts), entry(g, ends));
        let mut inputs = vec![start, end, g.ints(&[0])];
        if let Some(steps) = steps {
            inputs.push(entry(g, steps));
        }
        let length = g.length_of(x, axis);
        inputs.insert(0, g.counting(length));
        let places = g.emit("Slice", &inputs, Vec::new());
        g.value_mut(places).shape = Some(vec![now[axis].clone()]);
        now[axis] = dims[axis].clone();
        part = place(g, x, &now, places, part, axis)?;
    }
    g.value_mut(part).shape = Some(dims);
    g.give(0, part)
}
