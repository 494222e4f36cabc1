//! Random augmentation.

use kinograd_guidance::loss::checked;
use kinograd_guidance::{GuidanceError, Loss, LossValue};
use ndarray::{ArrayD, Axis, concatenate};
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

use crate::ImageAugmentation;

/// The mean of a loss over random augmentations of x̂0 (Shen et al. 2024, arXiv 2403.12404, section
/// 4.2): `1/|T| Σ ℓ(T(x̂0))`, which smooths a network's gradient.
///
/// All samples share a call's augmentations, and the loss sees all of them as one batch of
/// `|T| · batch` samples, so it must not be bound to a batch of one size. Of images
/// `[batch, channels, height, width]`.
pub struct Augmented<L> {
    inner: L,
    augmentation: ImageAugmentation,
    count: usize,
    rng: ChaCha12Rng,
}

impl<L: Loss> Augmented<L> {
    /// |T| in the paper; its ImageNet script has 20.
    pub const PUBLISHED_COUNT: usize = 10;

    /// `count`: |T|.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if there are no augmentations or one is out of range.
    pub fn new(
        inner: L,
        augmentation: ImageAugmentation,
        count: usize,
        seed: u64,
    ) -> Result<Self, GuidanceError> {
        augmentation.check()?;
        if count == 0 {
            return Err(GuidanceError::Field {
                field: "augmentations",
                value: "0".to_owned(),
                expected: "must be at least 1",
            });
        }
        Ok(Self {
            inner,
            augmentation,
            count,
            rng: ChaCha12Rng::seed_from_u64(seed),
        })
    }
}

impl<L: Loss> Loss for Augmented<L> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let &[batch, channels, height, width] = x0.shape() else {
            return Err(GuidanceError::Shape {
                what: "image",
                expected: vec![0; 4],
                got: x0.shape().to_vec(),
            });
        };
        let size = [channels, height, width];
        let draws: Vec<_> = (0..self.count)
            .map(|_| self.augmentation.draw(&mut self.rng, size))
            .collect();
        let images: Vec<_> = draws.iter().map(|draw| draw.apply(x0)).collect();
        let views: Vec<_> = images.iter().map(|image| image.view()).collect();
        let stacked = concatenate(Axis(0), &views).map_err(|_| GuidanceError::Shape {
            what: "image",
            expected: x0.shape().to_vec(),
            got: x0.shape().to_vec(),
        })?;
        let inner = checked(&mut self.inner, &stacked)?;
        let share = 1.0 / self.count as f64;
        let mut values = vec![0.0; batch];
        let mut gradient = ArrayD::zeros(x0.raw_dim());
        for (index, draw) in draws.iter().enumerate() {
            let rows = index * batch..(index + 1) * batch;
            for (sum, value) in values.iter_mut().zip(&inner.values[rows.clone()]) {
                *sum += share * value;
            }
            let part = inner
                .gradient
                .slice_axis(Axis(0), ndarray::Slice::from(rows));
            gradient.scaled_add(share as f32, &draw.adjoint(&part.into_owned()));
        }
        Ok(LossValue { values, gradient })
    }
}
