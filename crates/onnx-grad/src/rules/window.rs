//! The sliding windows that convolutions and poolings share.

use crate::Result;
use crate::axes::to_i64;
use crate::graph::attribute::{attr_int, attr_ints};
use crate::graph::{Dim, Graph, Node, V};
use crate::proto::AttributeProto;
use crate::rules::grad::Grad;

/// The attributes of a window, completed.
pub(super) struct Window {
    pub(super) kernel: Vec<i64>,
    pub(super) strides: Vec<i64>,
    pub(super) dilations: Vec<i64>,
    pub(super) pads: Pads,
    pub(super) ceil: bool,
}

/// Samples added around each axis.
pub(super) enum Pads {
    /// Before each axis, then after each.
    Known(Vec<i64>),
    /// As many as make ⌈length / stride⌉ windows fit, of lengths that are known at run time; an odd
    /// one goes to the end or to the start.
    Same { upper: bool },
}

/// Where the first window starts before the data.
pub(super) enum Start {
    Known(i64),
    Computed(V),
}

/// Length covered by a dilated kernel; `None` where the numbers are absurd.
pub(super) fn extent(kernel: i64, dilation: i64) -> Option<i64> {
    let covered = kernel
        .checked_sub(1)?
        .checked_mul(dilation)?
        .checked_add(1)?;
    (0..1 << 40).contains(&covered).then_some(covered)
}

/// An attribute with one entry per axis (or per end of an axis).
fn list(n: &Node, name: &str, default: i64, length: usize) -> Option<Vec<i64>> {
    let list = match n.ints(name) {
        Some(given) if !given.is_empty() => given.to_vec(),
        _ => vec![default; length],
    };
    let sane = list.iter().all(|&v| (0..1 << 31).contains(&v));
    (list.len() == length && sane).then_some(list)
}

/// The trailing lengths of a convolution's kernel.
pub(super) fn kernel_of(g: &Graph, weight: V) -> Option<Vec<i64>> {
    g.shape(weight)?
        .get(2..)?
        .iter()
        .map(Dim::as_known)
        .collect()
}

/// The window of a convolution or pooling of input 0.
pub(super) fn window(g: &Graph, n: &Node, kernel: Vec<i64>) -> Option<Window> {
    let count = kernel.len();
    let (strides, dilations) = (
        list(n, "strides", 1, count)?,
        list(n, "dilations", 1, count)?,
    );
    if strides
        .iter()
        .chain(&dilations)
        .chain(&kernel)
        .any(|&v| v < 1)
    {
        return None;
    }
    let pads = match n.string("auto_pad", "NOTSET").as_str() {
        "NOTSET" => Pads::Known(list(n, "pads", 0, 2 * count)?),
        "VALID" => Pads::Known(vec![0; 2 * count]),
        same => {
            let upper = same == "SAME_UPPER";
            let lengths = g.shape(n.input(0)?)?;
            let mut pads = vec![0; 2 * count];
            let mut known = true;
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
                    None => {
                        known = false;
                        0
                    }
                };
                let less = total / 2;
                pads[at] = if upper { less } else { total - less };
                pads[at + count] = total - pads[at];
            }
            if known {
                Pads::Known(pads)
            } else {
                Pads::Same { upper }
            }
        }
    };
    Some(Window {
        kernel,
        strides,
        dilations,
        pads,
        ceil: n.int("ceil_mode", 0) != 0,
    })
}

impl Window {
    pub(super) fn extent(&self, at: usize) -> Option<i64> {
        extent(self.kernel[at], self.dilations[at])
    }

    /// The attributes of a convolution with these pads.
    pub(super) fn attributes(&self, pads: &[i64], group: i64) -> Vec<AttributeProto> {
        vec![
            attr_ints("kernel_shape", &self.kernel),
            attr_ints("strides", &self.strides),
            attr_ints("dilations", &self.dilations),
            attr_ints("pads", pads),
            attr_int("group", group),
        ]
    }

    /// Whether no two windows share a sample.
    pub(super) fn is_disjoint(&self) -> bool {
        (0..self.kernel.len()).all(|at| self.extent(at).is_some_and(|e| e <= self.strides[at]))
    }

    /// Whether windows lie side by side from the first sample on.
    pub(super) fn is_tiling(&self) -> bool {
        self.kernel == self.strides
            && self.dilations.iter().all(|&d| d == 1)
            && !self.ceil
            && matches!(&self.pads, Pads::Known(pads) if pads.iter().all(|&p| p == 0))
    }

    /// The number of windows along an axis of this length.
    pub(super) fn count(&self, g: &mut Graph, at: usize, length: &Dim) -> Option<Dim> {
        let (covered, stride) = (self.extent(at)?, Dim::known(self.strides[at]));
        let rounding = Dim::known(self.strides[at] - 1);
        let Pads::Known(pads) = &self.pads else {
            let padded = g.symbols.add(length, &rounding);
            return Some(g.symbols.floor_div(&padded, &stride));
        };
        let (before, after) = (pads[at], pads[at + self.kernel.len()]);
        let slack = Dim::known(before.checked_add(after)?.checked_sub(covered)?);
        let free = g.symbols.add(length, &slack);
        if !self.ceil {
            let steps = g.symbols.floor_div(&free, &stride);
            return Some(g.symbols.add(&steps, &Dim::known(1)));
        }
        let free = g.symbols.add(&free, &rounding);
        let steps = g.symbols.floor_div(&free, &stride);
        match (length.as_known(), steps.as_known()) {
            (Some(length), Some(steps)) => {
                // A window that starts behind the data does not count.
                let behind = steps.checked_mul(self.strides[at])? >= length.checked_add(before)?;
                Some(Dim::known(steps + i64::from(!behind)))
            }
            _ if self.strides[at] <= covered - after => Some(g.symbols.add(&steps, &Dim::known(1))),
            _ => None,
        }
    }

    /// The samples before the first of an axis, `x` being the padded value.
    pub(super) fn start(&self, g: &mut Graph, at: usize, x: V) -> Option<Start> {
        match &self.pads {
            Pads::Known(pads) => Some(Start::Known(pads[at])),
            Pads::Same { upper } => {
                let total = self.same_total(g, at, x)?;
                let two = g.ints(&[2]);
                let half = g.div(total, two);
                Some(Start::Computed(if *upper {
                    half
                } else {
                    g.sub(total, half)
                }))
            }
        }
    }

    /// Samples that `SAME_UPPER` and `SAME_LOWER` add to an axis.
    fn same_total(&self, g: &mut Graph, at: usize, x: V) -> Option<V> {
        let covered = self.extent(at)?;
        let (length, stride) = (g.length_of(x, at + 2), g.ints(&[self.strides[at]]));
        let rounding = g.ints(&[self.strides[at] - 1]);
        let padded = g.add(length, rounding);
        let count = g.div(padded, stride);
        let reached = g.emit("Mul", &[count, stride], Vec::new());
        let rest = g.ints(&[covered - self.strides[at]]);
        let end = g.add(reached, rest);
        let total = g.sub(end, length);
        let zero = g.ints(&[0]);
        Some(g.emit("Max", &[total, zero], Vec::new()))
    }

    /// `x` with its pads put in, and as much more at the end as `ceil_mode` may reach.
    pub(super) fn padded(&self, g: &mut Graph, x: V, fill: f64) -> Option<V> {
        let count = self.kernel.len();
        let fill = g.scalar(fill, x);
        let extra = |at: usize| if self.ceil { self.strides[at] - 1 } else { 0 };
        if let Pads::Known(pads) = &self.pads {
            let mut all = vec![0; 2];
            all.extend(&pads[..count]);
            all.extend([0, 0]);
            all.extend((0..count).map(|at| pads[at + count] + extra(at)));
            if all.iter().all(|&p| p == 0) {
                return Some(x);
            }
            let pads = g.ints(&all);
            return Some(g.emit("Pad", &[x, pads, fill], Vec::new()));
        }
        let none = g.ints(&[0, 0]);
        let (mut before, mut after) = (vec![none], vec![none]);
        for at in 0..count {
            let total = self.same_total(g, at, x)?;
            if let Start::Computed(start) = self.start(g, at, x)? {
                before.push(start);
                after.push(g.sub(total, start));
            }
        }
        before.extend(after);
        let pads = g.concat(&before, 0);
        Some(g.emit("Pad", &[x, pads, fill], Vec::new()))
    }

    /// The adjoint of taking windows: `ConvTranspose(dy, weight)`, cut to the lengths of `x`.
    pub(super) fn spread(&self, g: &mut Grad, dy: V, weight: V, group: i64, x: V) -> Result<V> {
        let (from, to) = (g.shape_or(x)?, g.shape_or(dy)?);
        let count = self.kernel.len();
        let mut pads = vec![0; 2 * count];
        let mut extra = vec![0; count];
        let mut cuts: Vec<(usize, Start)> = Vec::new();
        for at in 0..count {
            let stride = self.strides[at];
            let (Some(start), Some(covered)) = (self.start(g, at, x), self.extent(at)) else {
                return Err(g.error("its window is absurd"));
            };
            if let (Start::Known(before), Pads::Known(given)) = (&start, &self.pads) {
                // Samples behind the last window; negative where it reaches over the end.
                let stretched = g.symbols.mul(&to[at + 2], &Dim::known(stride));
                let length = g
                    .symbols
                    .add(&from[at + 2], &Dim::known(before + stride - covered));
                let uncovered = g.symbols.sub(&length, &stretched).as_known();
                let uncovered = match uncovered {
                    None if stride == 1 => Some(-given[at + count]),
                    other => other
                        .filter(|rest| (-(1 << 31)..stride.max(self.dilations[at])).contains(rest)),
                };
                if let Some(rest) = uncovered {
                    pads[at] = *before;
                    pads[at + count] = (-rest).max(0);
                    extra[at] = rest.max(0);
                    continue;
                }
            }
            extra[at] = stride - 1;
            cuts.push((at, start));
        }
        let mut attributes = self.attributes(&pads, group);
        if extra.iter().any(|&p| p != 0) {
            attributes.push(attr_ints("output_padding", &extra));
        }
        let mut back = g.emit("ConvTranspose", &[dy, weight], attributes);
        for (at, start) in cuts {
            let length = g.length_of(x, at + 2);
            let (start, end) = match start {
                Start::Known(0) => (g.ints(&[0]), length),
                Start::Known(n) => {
                    let start = g.ints(&[n]);
                    (start, g.add(start, length))
                }
                Start::Computed(start) => (start, g.add(start, length)),
            };
            let axes = g.ints(&[to_i64(at + 2)]);
            back = g.emit("Slice", &[back, start, end, axes], Vec::new());
        }
        let channels = g.shape(back).and_then(|dims| dims.get(1).cloned());
        let mut dims = from;
        dims[0] = to[0].clone();
        if let Some(channels) = channels {
            dims[1] = channels;
        }
        g.value_mut(back).shape = Some(dims);
        Ok(back)
    }

    /// The places of the kernel in row-major order; `None` where there are too many.
    pub(super) fn places(&self, most: i64) -> Option<Vec<Vec<i64>>> {
        let total = self
            .kernel
            .iter()
            .try_fold(1i64, |n, &k| n.checked_mul(k))
            .filter(|&n| n <= most)?;
        let place = |index: i64| {
            let (mut place, mut rest) = (vec![0; self.kernel.len()], index);
            for at in (0..place.len()).rev() {
                place[at] = rest % self.kernel[at];
                rest /= self.kernel[at];
            }
            place
        };
        Some((0..total).map(place).collect())
    }

    /// What each window sees at one place of its kernel: a Slice of the padded data. `windows` has
    /// one element per window.
    pub(super) fn samples(&self, g: &mut Graph, padded: V, place: &[i64], windows: V) -> Option<V> {
        let (lengths, counts) = (g.shape(padded)?, g.shape(windows)?);
        let (mut starts, mut axes, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        let (mut known, mut behinds) = (Vec::new(), Vec::new());
        for (at, &tap) in place.iter().enumerate() {
            let (stride, offset) = (self.strides[at], tap.checked_mul(self.dilations[at])?);
            let behind = offset + 1 - stride;
            let reached = g.symbols.mul(counts.get(at + 2)?, &Dim::known(stride));
            let end = g.symbols.add(&reached, &Dim::known(behind));
            let from_end = g.symbols.sub(&end, lengths.get(at + 2)?).as_known();
            if offset == 0 && stride == 1 && from_end == Some(0) {
                continue;
            }
            known.push(match (from_end, end.as_known()) {
                (Some(0), _) => Some(i64::MAX),
                (Some(n), _) if n < 0 => Some(n),
                (_, end) => end,
            });
            behinds.push(behind);
            starts.push(offset);
            axes.push(at + 2);
            steps.push(stride);
        }
        if axes.is_empty() {
            return Some(padded);
        }
        let known: Option<Vec<i64>> = known.into_iter().collect();
        let ends = match known {
            Some(known) => g.ints(&known),
            // All of them, as the built-in engine does not follow a part.
            None => {
                let ends: Vec<V> = (0..axes.len())
                    .map(|at| {
                        let count = g.length_of(windows, axes[at]);
                        let stride = g.ints(&[steps[at]]);
                        let reached = g.emit("Mul", &[count, stride], Vec::new());
                        let behind = g.ints(&[behinds[at]]);
                        g.add(reached, behind)
                    })
                    .collect();
                g.concat(&ends, 0)
            }
        };
        let axes: Vec<i64> = axes.into_iter().map(to_i64).collect();
        let mut inputs = vec![padded, g.ints(&starts), ends, g.ints(&axes)];
        if steps.iter().any(|&s| s != 1) {
            inputs.push(g.ints(&steps));
        }
        let part = g.emit("Slice", &inputs, Vec::new());
        let mut dims = lengths.get(..2)?.to_vec();
        dims.extend(counts.get(2..)?.iter().cloned());
        g.value_mut(part).shape = Some(dims);
        Some(part)
    }

    /// Gives the gradient of the kernel: see [`Window::correlate`].
    pub(super) fn give_kernel(
        &self,
        g: &mut Grad,
        image: V,
        windows: V,
        weight: V,
        group: i64,
    ) -> Result<()> {
        let Some(back) = self.correlate(g, image, windows, weight, group) else {
            return Err(g.error("its kernel is too long to be differentiated, or absurd"));
        };
        g.give(1, back)
    }

    /// The gradient of a kernel `weight`, `[groups·b, a, lengths…]`: for each of its places, the sum
    /// over samples and windows of `image` (`[n, groups·a, …]`, which windows slide over) times
    /// `windows` (`[n, groups·b, …]`, one element per window). The samples of all places are laid
    /// side by side, so that one matrix product remains.
    fn correlate(&self, g: &mut Graph, image: V, windows: V, weight: V, group: i64) -> Option<V> {
        let (to, dims) = (g.shape(windows)?, g.shape(weight)?);
        let (batch, groups) = (to.first()?.clone(), Dim::known(group));
        let (a, b) = (dims.get(1)?.clone(), g.symbols.exact_div(&dims[0], &groups));
        let flat = g.symbols.product(to.get(2..)?);
        let places = self.places(4096)?;
        let grouped = |channels: &Dim| -> Vec<Dim> {
            let mut dims = vec![batch.clone()];
            if group != 1 {
                dims.push(groups.clone());
            }
            dims.extend([channels.clone(), flat.clone()]);
            dims
        };
        let padded = self.padded(g, image, 0.0)?;
        let mut parts = Vec::with_capacity(places.len());
        for place in &places {
            let part = self.samples(g, padded, place, windows)?;
            parts.push(g.reshape(part, &grouped(&a), None));
        }
        let columns = g.concat(&parts, if group == 1 { 1 } else { 2 });
        let rows = g.reshape(windows, &grouped(&b), None);
        let rows = g.swap_last(rows);
        let product = g.matmul(columns, rows);
        let sum = if batch.is(1) {
            g.squeeze(product, &[0])
        } else {
            g.reduce("ReduceSum", product, &[0], false)
        };
        // (groups,) places, a, b → (groups,) b, a, places
        let mut apart = vec![Dim::known(to_i64(places.len())), a, b];
        let mut perm = vec![2, 1, 0];
        if group != 1 {
            apart.insert(0, groups.clone());
            perm = vec![0, 3, 2, 1];
        }
        let apart = g.reshape(sum, &apart, None);
        let moved = g.transpose(apart, &perm);
        Some(g.reshape(moved, &dims, Some(weight)))
    }
}
