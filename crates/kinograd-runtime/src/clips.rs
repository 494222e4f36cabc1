//! Clips of different lengths in one batch that a graph of patches takes.

use ndarray::{Array2, Array3, ArrayD, ArrayView2, ArrayView3, ArrayViewD, Axis, Ix3, s};

use crate::RuntimeError;

/// How a batch is laid out: `lengths[i]` frames of sample `i` are real.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClipLayout {
    pub lengths: Vec<usize>,
    pub features: usize,
    pub patch_frames: usize,
}

impl ClipLayout {
    /// `x` as `[batch, frames, features]`, if it fits the lengths.
    pub fn view<'a>(&self, x: &'a ArrayD<f32>) -> Result<ArrayView3<'a, f32>, RuntimeError> {
        let longest = self.lengths.iter().copied().max().unwrap_or(0);
        let wrong = || RuntimeError::Tensor {
            what: "clips".into(),
            expected: format!(
                "[{}, at least {longest}, {}]",
                self.lengths.len(),
                self.features
            ),
            got: format!("{:?}", x.shape()),
        };
        let view = x.view().into_dimensionality::<Ix3>().map_err(|_| wrong())?;
        let (batch, frames, features) = view.dim();
        if batch != self.lengths.len() || frames < longest || features != self.features {
            return Err(wrong());
        }
        Ok(view)
    }

    /// The scales of one copy as it is.
    pub fn once(&self) -> Array2<f64> {
        Array2::ones((1, self.lengths.iter().copied().max().unwrap_or(0)))
    }

    /// Frames that the graph gets for `frames` frames: up to the next multiple of a patch.
    pub fn padded(&self, frames: usize) -> usize {
        frames.div_ceil(self.patch_frames) * self.patch_frames
    }

    /// Copies of the batch one after the other, zero where no frame is real; frame `f` of copy `i`
    /// is scaled by `scales[i, f]`, which has as many frames as the longest clip.
    pub fn pad(&self, x: ArrayView3<'_, f32>, scales: ArrayView2<'_, f64>) -> Array3<f32> {
        let (batch, frames, features) = x.dim();
        let mut padded = Array3::zeros((batch * scales.nrows(), self.padded(frames), features));
        for (copy, scales) in scales.outer_iter().enumerate() {
            for (sample, &length) in self.lengths.iter().enumerate() {
                let mut to = padded.slice_mut(s![copy * batch + sample, ..length, ..]);
                to.assign(&x.slice(s![sample, ..length, ..]));
                for (mut row, &scale) in to.outer_iter_mut().zip(scales) {
                    if scale != 1.0 {
                        row.mapv_inplace(|value| (scale * f64::from(value)) as f32);
                    }
                }
            }
        }
        padded
    }

    /// `[copies · batch, frames]`, 1 where a frame is real.
    pub fn mask(&self, frames: usize, copies: usize) -> Array2<f32> {
        let batch = self.lengths.len();
        let mut mask = Array2::zeros((copies * batch, self.padded(frames)));
        for copy in 0..copies {
            for (sample, &length) in self.lengths.iter().enumerate() {
                mask.slice_mut(s![copy * batch + sample, ..length])
                    .fill(1.0);
            }
        }
        mask
    }

    /// `Σ weights[i, f] · copy i` of a graph's output, cut to `frames`, zero where no frame is real.
    pub fn combine(
        &self,
        output: ArrayViewD<'_, f32>,
        frames: usize,
        weights: ArrayView2<'_, f64>,
    ) -> Result<Array3<f32>, RuntimeError> {
        let batch = self.lengths.len();
        let expected = [batch * weights.nrows(), self.padded(frames), self.features];
        let wrong = || RuntimeError::Tensor {
            what: "the model's output".into(),
            expected: format!("{expected:?}"),
            got: format!("{:?}", output.shape()),
        };
        if output.shape() != expected {
            return Err(wrong());
        }
        let output = output
            .view()
            .into_dimensionality::<Ix3>()
            .map_err(|_| wrong())?;
        let mut combined = Array3::zeros((batch, frames, self.features));
        for (sample, &length) in self.lengths.iter().enumerate() {
            let mut to = combined.index_axis_mut(Axis(0), sample);
            let mut to = to.slice_mut(s![..length, ..]);
            for (copy, weights) in weights.outer_iter().enumerate() {
                let from = output.slice(s![copy * batch + sample, ..length, ..]);
                let rows = to.outer_iter_mut().zip(from.outer_iter());
                for ((mut to, from), &weight) in rows.zip(weights) {
                    to.zip_mut_with(&from, |sum, &value| {
                        *sum = (f64::from(*sum) + weight * f64::from(value)) as f32;
                    });
                }
            }
        }
        Ok(combined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> ClipLayout {
        ClipLayout {
            lengths: vec![3, 5],
            features: 2,
            patch_frames: 4,
        }
    }

    #[test]
    fn padding_and_combining_are_adjoint() {
        // ⟨pad(x), y⟩ = ⟨x, combine(y)⟩ for any x and y: what a pull-back through them needs.
        let layout = layout();
        let x = Array3::from_shape_fn((2, 5, 2), |(b, f, c)| {
            (b * 7 + f * 3 + c) as f32 * 0.1 - 1.0
        });
        let y = Array3::from_shape_fn((4, 8, 2), |(b, f, c)| ((b * 5 + f * 2 + c) as f32).sin());
        let weights = Array2::from_shape_fn((2, 5), |(copy, frame)| {
            1.5 - 2.0 * copy as f64 + 0.3 * frame as f64
        });
        let left: f32 = (&layout.pad(x.view(), weights.view()) * &y).sum();
        let combined = layout
            .combine(y.view().into_dyn(), 5, weights.view())
            .unwrap();
        let right: f32 = (&x * &combined).sum();
        assert!((left - right).abs() < 1e-4, "{left} {right}");
    }

    #[test]
    fn masks_count_the_real_frames() {
        let mask = layout().mask(5, 2);
        assert_eq!(mask.dim(), (4, 8));
        assert_eq!(mask.sum_axis(Axis(1)).to_vec(), [3.0, 5.0, 3.0, 5.0]);
        assert_eq!(mask[[0, 2]], 1.0);
        assert_eq!(mask[[0, 3]], 0.0);
    }

    #[test]
    fn clips_that_do_not_fit_are_refused() {
        for shape in [vec![2, 4, 2], vec![1, 5, 2], vec![2, 5, 3], vec![2, 10]] {
            let error = layout()
                .view(&ArrayD::zeros(shape.clone()))
                .unwrap_err()
                .to_string();
            assert!(error.contains("[2, at least 5, 2]"), "{shape:?}: {error}");
        }
    }
}
