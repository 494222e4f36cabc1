//! Standard normal noise, one stream per sample.

use ndarray::{ArrayD, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::DiffusionError;

/// Gives standard normal noise for a batch.
pub trait NoiseSource {
    /// Fills `out`, `[batch, ...]`, with the next draw.
    ///
    /// # Errors
    /// [`DiffusionError::Shape`] if the source is not made for this batch.
    fn fill(&mut self, out: &mut ArrayD<f32>) -> Result<(), DiffusionError>;

    /// Starts over, so that a run can be repeated with the same noise. A source that can't goes on.
    fn rewind(&mut self) {}
}

/// Noise from one seed per sample.
///
/// A sample's noise depends on its own seed and on how many draws came before, not on the batch
/// around it; where samples are padded along the first axis after the batch, the common part is
/// the same too.
///
/// # Example
/// ```
/// use kinograd_diffusion::{NoiseSource, SeededNoise};
/// use ndarray::{ArrayD, Axis, IxDyn};
/// let mut batch = ArrayD::zeros(IxDyn(&[3, 4]));
/// SeededNoise::counting_from(7, 3).fill(&mut batch)?;
/// let mut single = ArrayD::zeros(IxDyn(&[1, 4]));
/// SeededNoise::new(vec![9]).fill(&mut single)?;
/// assert_eq!(batch.index_axis(Axis(0), 2), single.index_axis(Axis(0), 0));
/// # Ok::<(), kinograd_diffusion::DiffusionError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SeededNoise {
    seeds: Vec<u64>,
    draws: u64,
}

impl SeededNoise {
    /// One seed per sample.
    #[must_use]
    pub fn new(seeds: Vec<u64>) -> Self {
        Self { seeds, draws: 0 }
    }

    /// Sample `i` of the batch gets seed `first + i`.
    #[must_use]
    pub fn counting_from(first: u64, batch: usize) -> Self {
        Self::new((0..batch as u64).map(|i| first.wrapping_add(i)).collect())
    }

    /// The seeds, one per sample.
    #[must_use]
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }
}

impl NoiseSource for SeededNoise {
    fn fill(&mut self, out: &mut ArrayD<f32>) -> Result<(), DiffusionError> {
        if out.ndim() == 0 || out.shape()[0] != self.seeds.len() {
            return Err(DiffusionError::Shape {
                what: "noise",
                expected: vec![self.seeds.len()],
                got: out.shape().to_vec(),
            });
        }
        for (mut sample, &seed) in out.axis_iter_mut(Axis(0)).zip(&self.seeds) {
            let mut rng = ChaCha12Rng::seed_from_u64(seed);
            rng.set_stream(self.draws);
            fill_normal(&mut rng, sample.iter_mut());
        }
        self.draws += 1;
        Ok(())
    }

    fn rewind(&mut self) {
        self.draws = 0;
    }
}

fn fill_normal<'a>(rng: &mut impl Rng, values: impl Iterator<Item = &'a mut f32>) {
    for value in values {
        *value = StandardNormal.sample(rng);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{IxDyn, s};

    fn draw(noise: &mut SeededNoise, shape: &[usize]) -> ArrayD<f32> {
        let mut out = ArrayD::zeros(IxDyn(shape));
        noise.fill(&mut out).unwrap();
        out
    }

    #[test]
    fn a_sample_does_not_depend_on_its_batch_or_padding() {
        let mut batch = SeededNoise::counting_from(40, 3);
        let mut alone = SeededNoise::new(vec![41]);
        for _ in 0..3 {
            let wide = draw(&mut batch, &[3, 8, 5]);
            let single = draw(&mut alone, &[1, 6, 5]);
            assert_eq!(wide.slice(s![1..2, ..6, ..]).into_dyn(), single.view());
        }
    }

    #[test]
    fn draws_differ_and_are_standard_normal() {
        let mut noise = SeededNoise::new(vec![1, 2]);
        let first = draw(&mut noise, &[2, 20_000]);
        let second = draw(&mut noise, &[2, 20_000]);
        for (name, product) in [
            ("mean", first.sum()),
            ("between draws", (&first * &second).sum()),
            (
                "between samples",
                (&first.slice(s![0, ..]) * &first.slice(s![1, ..])).sum() * 2.0,
            ),
            ("variance", first.mapv(|x| x * x - 1.0).sum()),
        ] {
            // Five deviations of a sum of 40,000 terms with variance at most 4.
            assert!(product.abs() < 5.0 * 2.0 * 200.0, "{name}: {product}");
        }
    }

    #[test]
    fn rewound_noise_comes_again() {
        let mut noise = SeededNoise::new(vec![3]);
        let draws = [draw(&mut noise, &[1, 4]), draw(&mut noise, &[1, 4])];
        noise.rewind();
        assert_eq!(
            draws,
            [draw(&mut noise, &[1, 4]), draw(&mut noise, &[1, 4])]
        );
    }

    #[test]
    fn a_wrong_batch_is_an_error() {
        let mut out = ArrayD::zeros(IxDyn(&[2, 3]));
        assert!(SeededNoise::new(vec![1]).fill(&mut out).is_err());
        assert!(
            SeededNoise::new(vec![1])
                .fill(&mut ArrayD::zeros(IxDyn(&[])))
                .is_err()
        );
    }
}
