//! Giving values other shapes: reshaping, broadcasting and its adjoint.

use super::attribute::attr_int;
use super::dim::Dim;
use super::{Fault, Graph, V};
use crate::axes::to_i64;

/// A length that no value at hand has.
const NO_LENGTHS: Fault = Fault::Unknown(
    "the lengths of a tensor cannot be computed: run shape inference on the model first",
);

impl Graph {
    /// `x` with these dimensions. `shaped` is a value that has them, to fall back on.
    pub(crate) fn reshape(&mut self, x: V, dims: &[Dim], shaped: Option<V>) -> V {
        self.reshape_or(x, dims, |g| shaped.map(|v| g.unary("Shape", v)))
    }

    /// `x` with these dimensions; `target` says them where they do not follow from what is at hand.
    pub(crate) fn reshape_or(
        &mut self,
        x: V,
        dims: &[Dim],
        target: impl FnOnce(&mut Self) -> Option<V>,
    ) -> V {
        let dims: Vec<Dim> = dims.iter().map(|d| self.symbols.resolve(d)).collect();
        let from = self.shape(x);
        if from.as_ref() == Some(&dims) {
            return x;
        }
        // A chain of reshapes is its last.
        if let Some(node) = self.producer(x)
            && node.is("Reshape")
            && node.derived
            && let Some(inner) = node.input(0)
        {
            return self.reshape_or(inner, &dims, target);
        }
        let target = self
            .reshape_constant(from.as_deref(), &dims)
            .or_else(|| self.shape_tensor(&dims, &[x]))
            .or_else(|| target(self));
        let Some(target) = target else {
            self.fail(NO_LENGTHS);
            return x;
        };
        // 0 means "as before" unless this says otherwise.
        let attributes = if dims.iter().any(|d| d.is(0)) && self.opset >= 14 {
            vec![attr_int("allowzero", 1)]
        } else {
            Vec::new()
        };
        let out = self.emit("Reshape", &[x, target], attributes);
        self.value_mut(out).shape = Some(dims);
        out
    }

    /// A constant target: known lengths, 0 for "as before", at most one -1.
    fn reshape_constant(&mut self, from: Option<&[Dim]>, dims: &[Dim]) -> Option<V> {
        if dims.iter().any(|d| d.is(0)) {
            return None;
        }
        let mut free = 0;
        let entries: Vec<i64> = dims
            .iter()
            .enumerate()
            .map(|(at, dim)| {
                if let Some(n) = dim.as_known() {
                    return n;
                }
                if from.and_then(|from| from.get(at)) == Some(dim) {
                    return 0;
                }
                free += 1;
                -1
            })
            .collect();
        (free <= 1).then(|| self.ints(&entries))
    }

    /// `x` broadcast to these dimensions.
    pub(crate) fn expand(&mut self, x: V, dims: &[Dim], shaped: Option<V>) -> V {
        if self.shape(x).as_deref() == Some(dims) {
            return x;
        }
        let target = self
            .shape_tensor(dims, &[x])
            .or_else(|| shaped.map(|v| self.unary("Shape", v)));
        let Some(target) = target else {
            self.fail(NO_LENGTHS);
            return x;
        };
        let out = self.emit("Expand", &[x, target], Vec::new());
        self.value_mut(out).shape = Some(dims.to_vec());
        out
    }

    /// Zeros with the type and shape of `v`.
    pub(crate) fn zeros_like(&mut self, v: V) -> V {
        let zero = self.scalar(0.0, v);
        match self.shape(v) {
            Some(dims) => self.expand(zero, &dims, Some(v)),
            None => {
                let shape = self.unary("Shape", v);
                self.emit("Expand", &[zero, shape], Vec::new())
            }
        }
    }

    /// Sums `x` over the axes along which a value of shape `to` was broadcast to it.
    /// `None` where a rank is unknown.
    pub(crate) fn unbroadcast(&mut self, x: V, to: V) -> Option<V> {
        let (from, target) = (self.shape(x)?, self.shape(to)?);
        if from == target {
            return Some(x);
        }
        let lead = from.len().checked_sub(target.len())?;
        let mut axes: Vec<i64> = (0..to_i64(lead)).collect();
        let mut open = Vec::new();
        for (at, dim) in target.iter().enumerate() {
            let other = &from[lead + at];
            if dim == other || other.is(1) || dim.as_known().is_some_and(|n| n != 1) {
                continue;
            }
            if dim.is(1) {
                axes.push(to_i64(lead + at));
            } else {
                open.push(at);
            }
        }
        let mut out = x;
        if !open.is_empty() {
            out = self.sum_where_one(out, &from, to, &target, &open);
        }
        if axes.len() == lead {
            out = self.reduce("ReduceSum", out, &axes, false);
        } else {
            out = self.reduce("ReduceSum", out, &axes, true);
            let leading: Vec<i64> = (0..to_i64(lead)).collect();
            out = self.squeeze(out, &leading);
        }
        if out != x {
            self.value_mut(out).shape = Some(target);
        }
        Some(out)
    }

    /// Sums over those of the `open` axes of `to` whose length turns out to be 1; `from` and `target`
    /// are the lengths of `x` and `to`.
    fn sum_where_one(&mut self, x: V, from: &[Dim], to: V, target: &[Dim], open: &[usize]) -> V {
        let lead = from.len() - target.len();
        let shape = self.shape_of(to);
        let axes: Vec<i64> = open.iter().map(|&at| to_i64(at)).collect();
        let index = self.ints(&axes);
        let lengths = self.emit("Gather", &[shape, index], Vec::new());
        let one = self.ints(&[1]);
        let is_one = self.emit("Equal", &[lengths, one], Vec::new());
        let axes: Vec<i64> = open.iter().map(|&at| to_i64(lead + at)).collect();
        let axes = self.ints(&axes);
        let chosen = self.emit("Compress", &[axes, is_one], vec![attr_int("axis", 0)]);
        let attributes = vec![attr_int("keepdims", 1), attr_int("noop_with_empty_axes", 1)];
        let out = self.emit("ReduceSum", &[x, chosen], attributes);
        let mut dims = from.to_vec();
        for &at in open {
            dims[lead + at] = target[at].clone();
        }
        self.value_mut(out).shape = Some(dims);
        out
    }

    /// The number of elements along `axes` as a float scalar of the type of `like`.
    pub(crate) fn count(&mut self, x: V, axes: &[i64], like: V) -> Option<V> {
        let shape = self.shape(x)?;
        let dims: Option<Vec<Dim>> = axes
            .iter()
            .map(|&axis| shape.get(usize::try_from(axis).ok()?).cloned())
            .collect();
        let total = self.symbols.product(&dims?);
        #[expect(clippy::cast_precision_loss, reason = "lengths of axes")]
        if let Some(n) = total.as_known() {
            return Some(self.scalar(n as f64, like));
        }
        let length = match self.length(&total, &[x, like]) {
            Some(length) => self.squeeze(length, &[0]),
            None => {
                let (shape, index) = (self.unary("Shape", x), self.ints(axes));
                let lengths = self.emit("Gather", &[shape, index], Vec::new());
                self.reduce("ReduceProd", lengths, &[0], false)
            }
        };
        let data_type = self.data_type(like);
        Some(self.cast(length, data_type))
    }
}
