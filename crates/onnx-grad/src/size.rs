//! Bytes of tensors whose lengths are expressions in free dimensions.

use crate::model::{Dimension, TensorInfo};
use crate::request::{SavedInfo, Split};
use crate::{Error, Result};

/// Deepest nesting of an expression.
const MAX_DEPTH: usize = 32;

impl Dimension {
    /// The length where the free dimensions have these lengths; `None` where one is missing.
    ///
    /// ```
    /// use onnx_grad::Dimension;
    /// let dim = Dimension::Named("1 + floor((frames)/(4))".into());
    /// assert_eq!(dim.length(&[("frames", 198)]), Some(50));
    /// assert_eq!(dim.length(&[("batch", 1)]), None);
    /// ```
    #[must_use]
    pub fn length(&self, lengths: &[(&str, i64)]) -> Option<i64> {
        match self {
            Self::Fixed(n) => Some(*n),
            Self::Unknown => None,
            Self::Named(text) => {
                if let Some((_, n)) = lengths.iter().find(|(name, _)| name == text) {
                    return Some(*n);
                }
                let mut parser = Parser { text, lengths };
                let value = parser.sum(0)?;
                (parser.text.trim().is_empty() && value.den == 1)
                    .then(|| i64::try_from(value.num).ok())?
            }
        }
    }
}

impl TensorInfo {
    /// The bytes that it takes where the free dimensions have these lengths; `None` where one is
    /// missing, the rank is unknown or elements have no fixed size.
    #[must_use]
    pub fn bytes(&self, lengths: &[(&str, i64)]) -> Option<u64> {
        let size = u64::try_from(self.data_type.size()?).ok()?;
        self.shape.as_ref()?.iter().try_fold(size, |bytes, dim| {
            bytes.checked_mul(u64::try_from(dim.length(lengths)?).ok()?)
        })
    }

    /// [`TensorInfo::bytes`], or an error that names the tensor.
    pub(crate) fn known_bytes(&self, lengths: &[(&str, i64)]) -> Result<u64> {
        self.bytes(lengths).ok_or_else(|| Error::Request {
            reason: format!(
                "the size of `{}` with shape {:?} does not follow from the lengths {lengths:?}",
                self.name, self.shape
            ),
        })
    }
}

impl Split {
    /// The bytes of the activations that the forward graph keeps, where the free dimensions have
    /// these lengths.
    ///
    /// ```no_run
    /// # fn show(split: &onnx_grad::Split) -> onnx_grad::Result<()> {
    /// let bytes = split.saved_bytes(&[("batch", 1), ("frames", 196)])?;
    /// # let _ = bytes; Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Request`] naming the tensor and the length that is missing.
    pub fn saved_bytes(&self, lengths: &[(&str, i64)]) -> Result<u64> {
        self.saved.iter().try_fold(0u64, |sum, saved| {
            let sum = sum.checked_add(saved.bytes(lengths)?);
            sum.ok_or_else(|| Error::Request {
                reason: format!("with the lengths {lengths:?} its bytes exceed 64 bits"),
            })
        })
    }

    /// An estimate of the most bytes that one of the two graphs needs at once, where the free
    /// dimensions have these lengths: inputs, outputs, kept activations and what lies between, each
    /// from the node that computes it to the last that reads it. Weights are left out. Engines that
    /// compute in place or fuse nodes need less, those that run nodes side by side more.
    ///
    /// # Errors
    /// As [`Split::saved_bytes`].
    pub fn peak_bytes(&self, lengths: &[(&str, i64)]) -> Result<u64> {
        let [forward, backward] = &self.footprints;
        Ok(forward.peak(lengths)?.max(backward.peak(lengths)?))
    }
}

impl SavedInfo {
    /// As [`Split::saved_bytes`], of one activation.
    ///
    /// # Errors
    /// As [`Split::saved_bytes`].
    pub fn bytes(&self, lengths: &[(&str, i64)]) -> Result<u64> {
        self.tensor.known_bytes(lengths)
    }
}

/// A fraction.
#[derive(Clone, Copy)]
struct Value {
    num: i128,
    den: i128,
}

impl Value {
    fn new(num: i128, den: i128) -> Option<Self> {
        if den == 0 || num.unsigned_abs() > 1 << 100 || den.unsigned_abs() > 1 << 60 {
            return None;
        }
        let (mut a, mut b) = (num.abs(), den.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = a.max(1) * den.signum();
        Some(Self {
            num: num / divisor,
            den: den / divisor,
        })
    }

    fn add(self, other: Self, sign: i128) -> Option<Self> {
        let left = self.num.checked_mul(other.den)?;
        let right = other.num.checked_mul(self.den)?.checked_mul(sign)?;
        Self::new(left.checked_add(right)?, self.den.checked_mul(other.den)?)
    }

    fn mul(self, num: i128, den: i128) -> Option<Self> {
        Self::new(self.num.checked_mul(num)?, self.den.checked_mul(den)?)
    }
}

/// Reads what [`crate::graph::dim::Symbols::text`] writes.
struct Parser<'a> {
    text: &'a str,
    lengths: &'a [(&'a str, i64)],
}

impl Parser<'_> {
    fn take(&mut self, token: &str) -> bool {
        let text = self.text.trim_start();
        match text.strip_prefix(token) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self, depth: usize) -> Option<Value> {
        let negative = self.take("-");
        let mut sum = self.product(depth)?;
        if negative {
            sum = sum.mul(-1, 1)?;
        }
        loop {
            let sign = if self.take("+") {
                1
            } else if self.take("-") {
                -1
            } else {
                return Some(sum);
            };
            sum = sum.add(self.product(depth)?, sign)?;
        }
    }

    fn product(&mut self, depth: usize) -> Option<Value> {
        let mut product = self.factor(depth)?;
        loop {
            if self.take("*") {
                let factor = self.factor(depth)?;
                product = product.mul(factor.num, factor.den)?;
            } else if self.take("/") {
                let divisor = self.factor(depth)?;
                product = product.mul(divisor.den, divisor.num)?;
            } else {
                return Some(product);
            }
        }
    }

    fn factor(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.take("(") {
            let value = self.sum(depth + 1)?;
            return self.take(")").then_some(value);
        }
        if self.take("floor(") {
            let value = self.sum(depth + 1)?;
            let floor = value.num.div_euclid(value.den);
            return self.take(")").then(|| Value::new(floor, 1))?;
        }
        if self.take("broadcast(") {
            let left = self.sum(depth + 1)?;
            let right = self.take(",").then(|| self.sum(depth + 1))??;
            let value = if left.num == left.den { right } else { left };
            return self.take(")").then_some(value);
        }
        let text = self.text.trim_start();
        let end = text
            .find(['+', '-', '*', '/', '(', ')', ',', ' '])
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        self.text = rest;
        let given = self.lengths.iter().find(|(given, _)| *given == name);
        let value = given.map_or_else(|| name.parse().ok(), |(_, n)| Some(*n))?;
        Value::new(i128::from(value), 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DataType;

    fn length(text: &str, lengths: &[(&str, i64)]) -> Option<i64> {
        Dimension::Named(text.into()).length(lengths)
    }

    #[test]
    fn expressions_have_the_lengths_that_they_say() {
        let at = [("batch", 2), ("frames", 197), ("odd name", 5)];
        assert_eq!(length("batch*frames", &at), Some(394));
        assert_eq!(length("-1 + frames - 4*batch", &at), Some(188));
        assert_eq!(length("1 + floor((frames - 1)/(4))", &at), Some(50));
        assert_eq!(length("batch/2", &at), Some(1));
        assert_eq!(length("broadcast(1, frames)", &at), Some(197));
        assert_eq!(length("odd name", &at), Some(5));
        assert_eq!(length("frames/2", &at), None);
        assert_eq!(length("batch/0", &at), None);
        assert_eq!(length("batch)", &at), None);
        assert_eq!(length(&"(".repeat(100_000), &at), None);
        assert_eq!(length("9223372036854775807*9223372036854775807", &at), None);
    }

    #[test]
    fn bytes_count_elements_and_their_size() {
        let info = TensorInfo {
            name: "a".into(),
            data_type: DataType::Float16,
            shape: Some(vec![Dimension::Named("batch".into()), Dimension::Fixed(3)]),
        };
        assert_eq!(info.bytes(&[("batch", 4)]), Some(24));
        assert_eq!(info.bytes(&[]), None);
        assert_eq!(info.bytes(&[("batch", -4)]), None);
        assert_eq!(info.bytes(&[("batch", i64::MAX)]), None);
    }
}
