//! Changes of velocity that are smooth in time.

use ndarray::{Array2, ArrayView1, ArrayViewMut1};

use super::CHANNELS;

/// Length of the smoothing, frames: a change of velocity by 1 m/s is spread so that it accelerates
/// by at most 1 m/s², `1 / (4 · 0.25 s)`.
const LENGTH_FRAMES: f64 = 5.0;

/// `B = (I + L² DᵀD)⁻¹` over the frames that the path depends on, with D the differences of
/// neighbours. `K = B Bᵀ` is the covariance of smooth changes: (1 + |t|/L) exp(−|t|/L) / 4L away from
/// the ends (Matérn 3/2), and a change that is the same in every frame costs what it costs without.
#[derive(Debug, Clone)]
pub(super) struct Smoothing {
    /// What the elimination of Thomas leaves above the diagonal, and the reciprocal pivots.
    above: Vec<f64>,
    pivots: Vec<f64>,
}

impl Smoothing {
    /// For a clip of this many frames; the last one's velocity leads beyond it and stays as it is.
    pub fn new(frames: usize) -> Self {
        let count = frames.saturating_sub(1);
        let stiffness = LENGTH_FRAMES * LENGTH_FRAMES;
        let (mut above, mut pivots) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut before = 0.0;
        for frame in 0..count {
            let neighbours = usize::from(frame > 0) + usize::from(frame + 1 < count);
            let diagonal = 1.0 + stiffness * neighbours as f64;
            let pivot = 1.0 / (diagonal + stiffness * before);
            before = -stiffness * pivot;
            above.push(before);
            pivots.push(pivot);
        }
        Self { above, pivots }
    }

    /// `B v` in place, for `v` of one value per frame.
    fn apply(&self, mut values: ArrayViewMut1<'_, f64>) {
        let stiffness = LENGTH_FRAMES * LENGTH_FRAMES;
        let count = self.pivots.len();
        for frame in 0..count {
            let carried = if frame > 0 { values[frame - 1] } else { 0.0 };
            values[frame] = (values[frame] + stiffness * carried) * self.pivots[frame];
        }
        for frame in (0..count.saturating_sub(1)).rev() {
            values[frame] -= self.above[frame] * values[frame + 1];
        }
    }

    /// `B` of every row of `[rows, frames · 3]`, each channel by itself.
    pub fn rows(&self, matrix: &Array2<f64>) -> Array2<f64> {
        let mut out = matrix.clone();
        for mut row in out.outer_iter_mut() {
            for channel in 0..CHANNELS.min(row.len()) {
                self.apply(row.slice_mut(ndarray::s![channel..;CHANNELS]));
            }
        }
        out
    }

    /// `K` of a covector `[frames · 3]`, each channel by itself.
    pub fn spread(&self, covector: ArrayView1<'_, f64>) -> ndarray::Array1<f64> {
        let mut out = covector.to_owned();
        for channel in 0..CHANNELS.min(covector.len()) {
            let mut values = out.slice_mut(ndarray::s![channel..;CHANNELS]);
            self.apply(values.view_mut());
            self.apply(values);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;

    const FRAMES: usize = 121;

    fn spread(at: impl Fn(usize) -> f64) -> Vec<f64> {
        let covector = Array1::from_shape_fn(FRAMES * CHANNELS, |i| {
            if i % CHANNELS == 1 {
                at(i / CHANNELS)
            } else {
                0.0
            }
        });
        let out = Smoothing::new(FRAMES).spread(covector.view());
        let others = out.iter().skip(2).step_by(CHANNELS);
        assert!(others.clone().all(|value| *value == 0.0));
        out.iter().skip(1).step_by(CHANNELS).copied().collect()
    }

    #[test]
    fn an_even_change_stays_even() {
        let out = spread(|frame| if frame + 1 < FRAMES { 0.7 } else { 0.0 });
        assert!(out[..FRAMES - 1].iter().all(|v| (v - 0.7).abs() < 1e-12));
        assert_eq!(out[FRAMES - 1], 0.0);
    }

    /// Away from the ends the kernel is that of Matérn 3/2 (the sum of the lattice's differs from the
    /// integral by about 1/(24 L²)), and a step of velocity becomes a slope of 1/4L.
    #[test]
    fn a_push_fades_as_its_closed_form() {
        let length = LENGTH_FRAMES;
        let out = spread(|frame| f64::from(u8::from(frame == 60)));
        for (frame, value) in out.iter().enumerate().take(100).skip(20) {
            let away = (frame as f64 - 60.0).abs() / length;
            let expected = (1.0 + away) * (-away).exp() / (4.0 * length);
            assert!((value - expected).abs() < 2e-3, "frame {frame}");
        }
        let step = spread(|frame| f64::from(u8::from(frame >= 60)));
        let steepest = (1..FRAMES - 1).map(|f| step[f] - step[f - 1]);
        let steepest = steepest.fold(0.0, f64::max);
        assert!((steepest * 4.0 * length - 1.0).abs() < 0.02, "{steepest}");
    }

    #[test]
    fn the_shortest_clips_have_no_neighbours() {
        for frames in 0..3 {
            let ones = Array1::ones(frames * CHANNELS);
            let out = Smoothing::new(frames).spread(ones.view());
            assert!(out.iter().all(|v| (v - 1.0).abs() < 1e-12), "{frames}");
        }
    }
}
