//! Noise that was drawn elsewhere.

use kinograd_diffusion::{DiffusionError, NoiseSource};
use ndarray::{ArrayD, Axis};

/// Replays recorded draws, `[draws, batch, ...]`, so that a run can be compared with another
/// program's.
#[derive(Debug, Clone)]
pub struct RecordedNoise {
    draws: ArrayD<f32>,
    next: usize,
}

impl RecordedNoise {
    /// `draws`: `[draws, batch, ...]`, standard normal.
    #[must_use]
    pub fn new(draws: ArrayD<f32>) -> Self {
        Self { draws, next: 0 }
    }

    /// How many draws were taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.next
    }
}

impl NoiseSource for RecordedNoise {
    fn fill(&mut self, out: &mut ArrayD<f32>) -> Result<(), DiffusionError> {
        if self.next >= self.draws.len_of(Axis(0)) || self.draws.shape()[1..] != *out.shape() {
            return Err(DiffusionError::Shape {
                what: "recorded noise",
                expected: self.draws.shape().to_vec(),
                got: out.shape().to_vec(),
            });
        }
        out.assign(&self.draws.index_axis(Axis(0), self.next));
        self.next += 1;
        Ok(())
    }
}
