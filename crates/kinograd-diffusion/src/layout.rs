//! The shape of a batch and how much of each sample is real.

use crate::DiffusionError;

/// Shape of a batch, `[batch, length, ...]`, and each sample's own length along the axis after
/// the batch. What lies beyond a sample's length is padding that nothing may depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    shape: Vec<usize>,
    lengths: Vec<usize>,
}

impl Layout {
    /// All samples are as long as the shape says.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if there are fewer than two axes or one is empty.
    pub fn full(shape: &[usize]) -> Result<Self, DiffusionError> {
        if shape.len() < 2 || shape.contains(&0) {
            return Err(DiffusionError::Parameter {
                name: "shape",
                value: format!("{shape:?}"),
                expected: "must be [batch, length, ...] without an empty axis",
            });
        }
        Ok(Self {
            lengths: vec![shape[1]; shape[0]],
            shape: shape.to_vec(),
        })
    }

    /// One length per sample, each within `1..=shape[1]`.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if the shape or a length is out of range.
    pub fn with_lengths(shape: &[usize], lengths: Vec<usize>) -> Result<Self, DiffusionError> {
        let layout = Self::full(shape)?;
        let fits = lengths.iter().all(|length| (1..=shape[1]).contains(length));
        if lengths.len() != shape[0] || !fits {
            return Err(DiffusionError::Parameter {
                name: "lengths",
                value: format!("{lengths:?}"),
                expected: "must be one length per sample, each at least 1 and within the shape",
            });
        }
        Ok(Self { lengths, ..layout })
    }

    /// `[batch, length, ...]`.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of samples.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.shape[0]
    }

    /// Length of every sample.
    #[must_use]
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Numbers in a sample, padding left out. Arrays are row-major, so these are a sample's
    /// first elements.
    #[must_use]
    pub fn elements(&self, sample: usize) -> usize {
        let per_item: usize = self.shape[2..].iter().product();
        self.lengths
            .get(sample)
            .map_or(0, |length| length * per_item)
    }
}
