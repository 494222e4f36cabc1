//! Arithmetic on vectors of lengths that is done at once where they are known.

use crate::graph::{Graph, V};

impl Graph {
    /// Vectors of integers, one after the other.
    pub(super) fn concat_ints(&mut self, parts: &[V]) -> V {
        let known: Option<Vec<Vec<i64>>> = parts.iter().map(|&v| self.known_ints(v)).collect();
        match known {
            Some(known) => self.ints(&known.concat()),
            None => self.concat(parts, 0),
        }
    }

    /// `a − b`, one integer each.
    pub(super) fn sub_ints(&mut self, a: V, b: V) -> V {
        match (self.known_ints(a).as_deref(), self.known_ints(b).as_deref()) {
            (Some([a]), Some([b])) => {
                let difference = a.saturating_sub(*b);
                self.ints(&[difference])
            }
            (_, Some([0])) => a,
            _ => self.sub(a, b),
        }
    }

    /// 0, 1, … `length` − 1.
    pub(super) fn counting(&mut self, length: V) -> V {
        if let Some([n @ 0..=64]) = self.known_ints(length).as_deref() {
            let all: Vec<i64> = (0..*n).collect();
            return self.ints(&all);
        }
        let end = self.squeeze(length, &[0]);
        let scalar = |g: &mut Self, n: f64| {
            let tensor = crate::tensor::floats(&[n], &[], crate::DataType::Int64);
            g.constant(tensor)
        };
        let (start, step) = (scalar(self, 0.0), scalar(self, 1.0));
        self.emit("Range", &[start, end, step], Vec::new())
    }
}
