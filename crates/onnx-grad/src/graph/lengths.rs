//! Lengths of axes as values: constants where they are known, computed where they are not.

use super::dim::Dim;
use super::symbols::Atom;
use super::{Graph, V};
use crate::axes::to_i64;
use crate::tensor;

impl Graph {
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
        if let Some((v, axis)) = self.axis_where(hints, |d| *d == dim) {
            return Some(self.length_of(v, axis));
        }
        if let Some(atom) = dim.as_atom() {
            return self.atom_length(atom, hints);
        }
        let terms: Vec<(Vec<usize>, i64, i64)> = dim
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
        let sum = sum?;
        if common == 1 {
            return Some(sum);
        }
        let common = self.ints(&[common]);
        Some(self.div(sum, common))
    }

    fn mul_ints(&mut self, a: V, b: V) -> V {
        match (self.known_ints(a).as_deref(), self.known_ints(b).as_deref()) {
            (Some([1]), _) => b,
            (_, Some([1])) => a,
            _ => self.emit("Mul", &[a, b], Vec::new()),
        }
    }

    fn atom_length(&mut self, atom: usize, hints: &[V]) -> Option<V> {
        let is = |d: &Dim| d.as_atom() == Some(atom);
        let found = self.axis_where(hints, is).or_else(|| {
            let mut all = (0..self.values.len()).map(V);
            all.find_map(|v| Some((v, self.shape(v)?.iter().position(is)?)))
        });
        if let Some((v, axis)) = found {
            return Some(self.length_of(v, axis));
        }
        let parts = match self.symbols.atom(atom)? {
            Atom::Floor(a, b) | Atom::Broadcast(a, b) => [a.clone(), b.clone()],
            _ => return None,
        };
        // What is made of itself, as a model that contradicts itself can say, has no length.
        let parts = parts.map(|part| self.symbols.resolve(&part));
        let reads_itself = |part: &Dim| part.terms().any(|(atoms, _, _)| atoms.contains(&atom));
        if parts.iter().any(reads_itself) {
            return None;
        }
        let [a, b] = parts;
        let is_floor = matches!(self.symbols.atom(atom), Some(Atom::Floor(..)));
        let (a, b) = (self.length(&a, hints)?, self.length(&b, hints)?);
        Some(if is_floor {
            self.div(a, b)
        } else {
            self.emit("Max", &[a, b], Vec::new())
        })
    }

    /// An axis of a value at hand whose length is the one that is looked for.
    fn axis_where(&self, hints: &[V], is: impl Fn(&Dim) -> bool) -> Option<(V, usize)> {
        let mut at_hand = hints.iter().chain(&self.dim_sources);
        at_hand.find_map(|&v| Some((v, self.shape(v)?.iter().position(&is)?)))
    }

    /// Dimensions as a vector of integers.
    pub(crate) fn shape_tensor(&mut self, dims: &[Dim], hints: &[V]) -> Option<V> {
        let known: Option<Vec<i64>> = dims.iter().map(Dim::as_known).collect();
        if let Some(known) = known {
            return Some(self.ints(&known));
        }
        let mut at_hand = hints.iter().chain(&self.dim_sources);
        let like = at_hand.find(|&&v| self.shape(v).as_deref() == Some(dims));
        if let Some(&v) = like {
            return Some(self.shape_of(v));
        }
        let parts: Option<Vec<V>> = dims.iter().map(|dim| self.length(dim, hints)).collect();
        Some(self.concat(&parts?, 0))
    }

    /// Vectors of integers, one after the other.
    pub(crate) fn concat_ints(&mut self, parts: &[V]) -> V {
        let known: Option<Vec<Vec<i64>>> = parts.iter().map(|&v| self.known_ints(v)).collect();
        match known {
            Some(known) => self.ints(&known.concat()),
            None => self.concat(parts, 0),
        }
    }

    /// `a − b`, one integer each.
    pub(crate) fn sub_ints(&mut self, a: V, b: V) -> V {
        let (x, y) = (self.known_ints(a), self.known_ints(b));
        if let (Some([x]), Some([y])) = (x.as_deref(), y.as_deref())
            && let Some(difference) = x.checked_sub(*y)
        {
            return self.ints(&[difference]);
        }
        if y.as_deref() == Some(&[0]) {
            return a;
        }
        self.sub(a, b)
    }

    /// 0, 1, … `length` − 1.
    pub(crate) fn counting(&mut self, length: V) -> V {
        if let Some([n @ 0..=64]) = self.known_ints(length).as_deref() {
            let all: Vec<i64> = (0..*n).collect();
            return self.ints(&all);
        }
        let end = self.squeeze(length, &[0]);
        self.range(end)
    }

    /// 0, 1, … below `end`, a scalar.
    pub(crate) fn range(&mut self, end: V) -> V {
        let (start, step) = (self.int(0), self.int(1));
        self.emit("Range", &[start, end, step], Vec::new())
    }

    /// An integer without axes.
    pub(crate) fn int(&mut self, value: i64) -> V {
        let mut tensor = tensor::ints(&[value]);
        tensor.dims.clear();
        self.constant(tensor)
    }
}
