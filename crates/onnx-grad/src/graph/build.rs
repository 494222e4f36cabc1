//! Short forms for the nodes that gradient rules add. Each simplifies what it can.

use std::rc::Rc;

use super::attribute::{attr_int, attr_ints, attr_type};
use super::{Fault, Graph, V};
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::tensor;

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

    /// The next term of a sum.
    pub(crate) fn plus(&mut self, sum: Option<V>, term: V) -> V {
        match sum {
            Some(sum) => self.add(sum, term),
            None => term,
        }
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
        self.emit("Cast", &[x], vec![attr_type("to", to)])
    }

    pub(crate) fn select(&mut self, condition: V, yes: V, no: V) -> V {
        self.emit("Where", &[condition, yes, no], Vec::new())
    }

    /// 1 where two values are equal and 0 elsewhere, in the type of `like`.
    pub(crate) fn equality(&mut self, a: V, b: V, like: V) -> V {
        let equal = self.emit("Equal", &[a, b], Vec::new());
        let data_type = self.data_type(like);
        self.cast(equal, data_type)
    }

    /// Where `x` is 0, and `x` with 1 in those places, to divide by.
    pub(crate) fn ones_for_zeros(&mut self, x: V) -> (V, V) {
        let (zero, one) = (self.scalar(0.0, x), self.scalar(1.0, x));
        let is_zero = self.emit("Equal", &[x, zero], Vec::new());
        (is_zero, self.select(is_zero, one, x))
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
            && perm.len() >= 2
            && perm == swap_of(perm.len())
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
        let v = self.add_tensor(name, Rc::new(tensor));
        self.transposed.insert(x, v);
        Some(v)
    }

    /// Swaps the last two axes of a tensor of known rank.
    pub(crate) fn swap_last(&mut self, x: V) -> V {
        let Some(rank) = self.rank(x) else {
            self.fail(Fault::Unknown(
                "the rank of a factor is unknown: run shape inference on the model first",
            ));
            return x;
        };
        let perm = swap_of(rank);
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
}

/// The permutation that swaps the last two axes.
pub(crate) fn swap_of(rank: usize) -> Vec<i64> {
    let mut perm: Vec<i64> = (0..to_i64(rank)).collect();
    if rank >= 2 {
        perm.swap(rank - 1, rank - 2);
    }
    perm
}
