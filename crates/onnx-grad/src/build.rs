//! Short forms for the nodes that gradient rules add. Each simplifies what it can.

use crate::dim::{Atom, Dim};
use crate::graph::{Graph, V};
use crate::model::DataType;
use crate::proto::AttributeProto;
use crate::tensor;

pub(crate) fn attr_int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: Some(2),
        i: Some(value),
        ..AttributeProto::default()
    }
}

pub(crate) fn attr_float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: Some(1),
        f: Some(value),
        ..AttributeProto::default()
    }
}

pub(crate) fn attr_ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: Some(7),
        ints: values.to_vec(),
        ..AttributeProto::default()
    }
}

pub(crate) fn attr_str(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: Some(3),
        s: Some(value.as_bytes().to_vec().into()),
        ..AttributeProto::default()
    }
}

pub(crate) fn to_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Graph {
    /// A scalar of the element type of `like`.
    pub(crate) fn scalar(&mut self, value: f64, like: V) -> V {
        let data_type = self.data_type(like);
        self.constant(tensor::floats(&[value], &[], data_type))
    }

    pub(crate) fn ints(&mut self, values: &[i64]) -> V {
        self.constant(tensor::ints(values))
    }

    pub(crate) fn unary(&mut self, op: &str, x: V) -> V {
        self.emit(op, &[x], Vec::new())
    }

    pub(crate) fn add(&mut self, a: V, b: V) -> V {
        self.emit("Add", &[a, b], Vec::new())
    }

    pub(crate) fn sub(&mut self, a: V, b: V) -> V {
        self.emit("Sub", &[a, b], Vec::new())
    }

    pub(crate) fn mul(&mut self, a: V, b: V) -> V {
        if self.scalar_value(b) == Some(1.0) && self.rank(b) == Some(0) {
            return a;
        }
        if self.scalar_value(a) == Some(1.0) && self.rank(a) == Some(0) {
            return b;
        }
        self.emit("Mul", &[a, b], Vec::new())
    }

    pub(crate) fn div(&mut self, a: V, b: V) -> V {
        self.emit("Div", &[a, b], Vec::new())
    }

    pub(crate) fn neg(&mut self, x: V) -> V {
        if let Some(node) = self.producer(x)
            && node.is("Neg")
            && let Some(inner) = node.input(0)
        {
            return inner;
        }
        self.unary("Neg", x)
    }

    /// `factor · x`, merged with a scaling that `x` comes from.
    pub(crate) fn scale(&mut self, x: V, factor: f64) -> V {
        if (factor - 1.0).abs() < f64::EPSILON {
            return x;
        }
        if let Some(node) = self.producer(x)
            && node.is("Mul")
            && node.derived
            && let (Some(a), Some(b)) = (node.input(0), node.input(1))
            && self.rank(b) == Some(0)
            && let Some(before) = self.scalar_value(b)
        {
            return self.scale(a, before * factor);
        }
        let factor = self.scalar(factor, x);
        self.mul(x, factor)
    }

    /// `x + offset`.
    pub(crate) fn shift(&mut self, x: V, offset: f64) -> V {
        let offset = self.scalar(offset, x);
        self.add(x, offset)
    }

    pub(crate) fn cast(&mut self, x: V, to: DataType) -> V {
        if self.data_type(x) == to {
            return x;
        }
        self.emit("Cast", &[x], vec![attr_int("to", i64::from(to.code()))])
    }

    pub(crate) fn select(&mut self, condition: V, yes: V, no: V) -> V {
        self.emit("Where", &[condition, yes, no], Vec::new())
    }

    /// Transposes; a transposition that `x` comes from is merged, and `(A B)ᵀ` becomes `Bᵀ Aᵀ`.
    pub(crate) fn transpose(&mut self, x: V, perm: &[i64]) -> V {
        let (x, perm) = self.merged_transpose(x, perm.to_vec());
        if perm.iter().enumerate().all(|(at, &p)| p == to_i64(at)) {
            return x;
        }
        if self.stores_transposed
            && let Some(stored) = self.stored_transposed(x, &perm)
        {
            return stored;
        }
        if let Some(node) = self.producer(x)
            && node.is("MatMul")
            && node.derived
            && is_swap(&perm)
            && let (Some(a), Some(b)) = (node.input(0), node.input(1))
            && self.rank(a) == Some(perm.len())
            && self.rank(b) == Some(perm.len())
            // One level deep: factors that are products themselves are transposed as they are.
            && ![a, b].iter().any(|&v| self.producer(v).is_some_and(|node| node.is("MatMul")))
        {
            let (at, bt) = (self.transpose(a, &perm), self.transpose(b, &perm));
            return self.matmul(bt, at);
        }
        self.emit("Transpose", &[x], vec![attr_ints("perm", &perm)])
    }

    /// The first value of a chain of transpositions, and the whole permutation.
    fn merged_transpose(&self, mut x: V, mut perm: Vec<i64>) -> (V, Vec<i64>) {
        while let Some(node) = self.producer(x)
            && node.is("Transpose")
            && let Some(inner) = node.input(0)
            && let Some(before) = node.ints("perm")
            && before.len() == perm.len()
            && let Some(merged) = perm
                .iter()
                .map(|&p| before.get(usize::try_from(p).ok()?).copied())
                .collect::<Option<Vec<i64>>>()
        {
            (x, perm) = (inner, merged);
        }
        (x, perm)
    }

    /// A matrix of weights, or the cast of one, as an initializer that is transposed already.
    fn stored_transposed(&mut self, x: V, perm: &[i64]) -> Option<V> {
        if perm != [1, 0] {
            return None;
        }
        if let Some(node) = self.producer(x) {
            let (inner, to) = (
                node.input(0).filter(|_| node.is("Cast"))?,
                self.data_type(x),
            );
            let stored = self.stored_transposed(inner, perm)?;
            return Some(self.cast(stored, to));
        }
        let name = self.value(x).name.clone();
        let tensor = tensor::transposed(self.tensor(x)?)?;
        if let Some(&v) = self.transposed.get(&x) {
            return Some(v);
        }
        let name = self.fresh_name(&format!("{name}_transposed"));
        let v = self.add_tensor(name, std::rc::Rc::new(tensor));
        self.transposed.insert(x, v);
        Some(v)
    }

    /// Swaps the last two axes of a tensor of known rank.
    pub(crate) fn swap_last(&mut self, x: V) -> V {
        let rank = self.rank(x).unwrap_or(2);
        let mut perm: Vec<i64> = (0..to_i64(rank)).collect();
        if rank >= 2 {
            perm.swap(rank - 1, rank - 2);
        }
        self.transpose(x, &perm)
    }

    pub(crate) fn matmul(&mut self, a: V, b: V) -> V {
        self.emit("MatMul", &[a, b], Vec::new())
    }

    /// A reduction such as `ReduceSum` over known axes.
    pub(crate) fn reduce(&mut self, op: &str, x: V, axes: &[i64], keep_dims: bool) -> V {
        if axes.is_empty() {
            return x;
        }
        let keep = attr_int("keepdims", i64::from(keep_dims));
        if op == "ReduceSum" || self.opset >= 18 {
            let axes = self.ints(axes);
            return self.emit(op, &[x, axes], vec![keep]);
        }
        self.emit(op, &[x], vec![attr_ints("axes", axes), keep])
    }

    pub(crate) fn squeeze(&mut self, x: V, axes: &[i64]) -> V {
        if axes.is_empty() {
            return x;
        }
        let axes = self.ints(axes);
        self.emit("Squeeze", &[x, axes], Vec::new())
    }

    pub(crate) fn unsqueeze(&mut self, x: V, axes: &[i64]) -> V {
        if axes.is_empty() {
            return x;
        }
        let axes = self.ints(axes);
        self.emit("Unsqueeze", &[x, axes], Vec::new())
    }

    pub(crate) fn concat(&mut self, parts: &[V], axis: i64) -> V {
        if let [only] = parts {
            return *only;
        }
        self.emit("Concat", parts, vec![attr_int("axis", axis)])
    }

    pub(crate) fn shape_of(&mut self, x: V) -> V {
        let known: Option<Vec<i64>> = self
            .shape(x)
            .and_then(|shape| shape.iter().map(Dim::as_known).collect());
        match known {
            Some(dims) => self.ints(&dims),
            None => self.unary("Shape", x),
        }
    }

    /// The length of one axis, as a vector of one integer.
    pub(crate) fn length_of(&mut self, x: V, axis: usize) -> V {
        if let Some(n) = self.shape(x).and_then(|shape| shape.get(axis)?.as_known()) {
            return self.ints(&[n]);
        }
        let shape = self.shape_of(x);
        let axis = self.ints(&[to_i64(axis)]);
        self.emit("Gather", &[shape, axis], Vec::new())
    }

    /// A dimension as a vector of one integer, read from the values at hand.
    pub(crate) fn length(&mut self, dim: &Dim, hints: &[V]) -> Option<V> {
        let dim = self.symbols.resolve(dim);
        if let Some(n) = dim.as_known() {
            return Some(self.ints(&[n]));
        }
        let sources = self.dim_sources.clone();
        for &v in hints.iter().chain(&sources) {
            let found = self.shape(v).and_then(|s| s.iter().position(|d| *d == dim));
            if let Some(axis) = found {
                return Some(self.length_of(v, axis));
            }
        }
        if let Some(atom) = dim.as_atom() {
            return self.length_of_atom(atom, &dim, hints);
        }
        let terms: Vec<(Vec<u32>, i64, i64)> = dim
            .terms()
            .map(|(atoms, num, den)| (atoms.to_vec(), num, den))
            .collect();
        let common = terms
            .iter()
            .try_fold(1i64, |common, (_, _, den)| common.checked_mul(*den))?;
        let mut sum: Option<V> = None;
        for (atoms, num, den) in terms {
            let mut product = self.ints(&[num.checked_mul(common / den)?]);
            for atom in atoms {
                let factor = self.atom_length(atom, hints)?;
                product = self.mul_ints(product, factor);
            }
            sum = Some(match sum {
                None => product,
                Some(sum) => self.add(sum, product),
            });
        }
        let common_value = common;
        let sum = sum?;
        if common_value == 1 {
            return Some(sum);
        }
        let common = self.ints(&[common_value]);
        Some(self.div(sum, common))
    }

    fn mul_ints(&mut self, a: V, b: V) -> V {
        match (self.known_ints(a).as_deref(), self.known_ints(b).as_deref()) {
            (Some([1]), _) => b,
            (_, Some([1])) => a,
            _ => self.emit("Mul", &[a, b], Vec::new()),
        }
    }

    fn atom_length(&mut self, atom: u32, hints: &[V]) -> Option<V> {
        let sources = self.dim_sources.clone();
        for &v in hints.iter().chain(&sources) {
            let found = self
                .shape(v)
                .and_then(|s| s.iter().position(|d| d.as_atom() == Some(atom)));
            if let Some(axis) = found {
                return Some(self.length_of(v, axis));
            }
        }
        let all: Vec<V> = (0..self.values.len())
            .filter_map(|n| Some(V(u32::try_from(n).ok()?)))
            .collect();
        for v in all {
            let found = self
                .value(v)
                .shape
                .as_ref()
                .and_then(|s| s.iter().position(|d| d.as_atom() == Some(atom)));
            if let Some(axis) = found {
                return Some(self.length_of(v, axis));
            }
        }
        None
    }

    fn length_of_atom(&mut self, atom: u32, dim: &Dim, hints: &[V]) -> Option<V> {
        match self.symbols.atom(atom).cloned() {
            Some(Atom::Floor(a, b)) if a != *dim && b != *dim => {
                let (a, b) = (self.length(&a, hints)?, self.length(&b, hints)?);
                Some(self.div(a, b))
            }
            Some(Atom::Broadcast(a, b)) => {
                let (a, b) = (self.length(&a, hints)?, self.length(&b, hints)?);
                Some(self.emit("Max", &[a, b], Vec::new()))
            }
            _ => self.atom_length(atom, hints),
        }
    }

    /// Dimensions as a vector of integers.
    pub(crate) fn shape_tensor(&mut self, dims: &[Dim], hints: &[V]) -> Option<V> {
        let known: Option<Vec<i64>> = dims.iter().map(Dim::as_known).collect();
        if let Some(known) = known {
            return Some(self.ints(&known));
        }
        let wanted = dims.to_vec();
        let sources = self.dim_sources.clone();
        for &v in hints.iter().chain(&sources) {
            if self.shape(v).as_ref() == Some(&wanted) {
                return Some(self.shape_of(v));
            }
        }
        let parts: Option<Vec<V>> = dims.iter().map(|dim| self.length(dim, hints)).collect();
        Some(self.concat(&parts?, 0))
    }

    /// `x` with these dimensions. `shaped` is a value that has them, to fall back on.
    pub(crate) fn reshape(&mut self, x: V, dims: &[Dim], shaped: Option<V>) -> V {
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
            return self.reshape(inner, &dims, shaped);
        }
        let target = self
            .reshape_constant(from.as_deref(), &dims)
            .or_else(|| self.shape_tensor(&dims, &[x]))
            .or_else(|| shaped.map(|v| self.unary("Shape", v)));
        let Some(target) = target else { return x };
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
        let Some(target) = target else { return x };
        let out = self.emit("Expand", &[x, target], Vec::new());
        self.value_mut(out).shape = Some(dims.to_vec());
        out
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
            out = self.sum_where_one(out, to, &open, lead);
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

    /// Sums over those of the `open` axes whose length in `to` turns out to be 1.
    fn sum_where_one(&mut self, x: V, to: V, open: &[usize], lead: usize) -> V {
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
        let mut dims = self.shape(x).unwrap_or_default();
        let target = self.shape(to).unwrap_or_default();
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
        let length = self.length(&total, &[x, like])?;
        let length = self.squeeze(length, &[0]);
        let data_type = self.data_type(like);
        Some(self.cast(length, data_type))
    }
}

/// Whether a permutation swaps the last two axes and nothing else.
fn is_swap(perm: &[i64]) -> bool {
    let n = perm.len();
    n >= 2
        && perm[..n - 2]
            .iter()
            .enumerate()
            .all(|(at, &p)| p == to_i64(at))
        && perm[n - 2] == to_i64(n - 1)
        && perm[n - 1] == to_i64(n - 2)
}
