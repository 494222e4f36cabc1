//! How much noise repeats itself along time.

use ndarray::{Array2, ArrayView2, Axis, s};

/// Rows at which the halving ends.
const SHORTEST: usize = 2;

/// Correlation of `[frames, channels]` noise with itself one frame later, squared, summed over
/// scales: the noise itself, then the means of neighbouring frames again and again (Karras et al.
/// 2020, StyleGAN2, as Karunratanakul et al. 2024 use it along time). Frames follow one another in a
/// circle. Where their number is odd, the last has no neighbour and is left out of the next scale
/// (the authors' code pads with fresh noise to a power of two instead).
///
/// Returns the value and its gradient.
pub(super) fn decorrelation(noise: ArrayView2<'_, f64>) -> (f64, Array2<f64>) {
    let (frames, channels) = noise.dim();
    let mut gradient = Array2::zeros((frames, channels));
    if frames == 0 || channels == 0 {
        return (0.0, gradient);
    }
    let count = (frames * channels) as f64;
    let before = rolled(noise, 1);
    let mean = (&noise * &before).sum() / count;
    let mut value = mean * mean;
    gradient.scaled_add(2.0 * mean / count, &before);
    gradient.scaled_add(2.0 * mean / count, &rolled(noise, frames - 1));
    if frames > SHORTEST {
        let paired = frames / 2 * 2;
        let halves = (&noise.slice(s![..paired;2, ..]) + &noise.slice(s![1..paired;2, ..])) * 0.5;
        let (coarser, of_halves) = decorrelation(halves.view());
        value += coarser;
        for (row, half) in of_halves.axis_iter(Axis(0)).enumerate() {
            for frame in [2 * row, 2 * row + 1] {
                gradient.row_mut(frame).scaled_add(0.5, &half);
            }
        }
    }
    (value, gradient)
}

/// Each row where the one `by` rows earlier was, in a circle.
fn rolled(noise: ArrayView2<'_, f64>, by: usize) -> Array2<f64> {
    let frames = noise.nrows();
    Array2::from_shape_fn(noise.dim(), |(frame, channel)| {
        noise[[(frame + frames - by) % frames, channel]]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd_testkit::Golden;

    /// `tests/golden/noise_decorrelation/make.py`: the authors' function in torch.
    #[test]
    fn is_the_authors_own_where_nothing_is_padded() {
        let golden = Golden::new("noise_decorrelation");
        for frames in [2, 8, 32] {
            let noise = golden.f64(&format!("noise_{frames}"));
            let noise = noise.into_dimensionality().unwrap();
            let (value, gradient) = decorrelation(noise.view());
            let expected = golden.f64(&format!("value_{frames}")).sum();
            assert!((value - expected).abs() < 1e-12, "{value} {expected}");
            let off = &gradient.into_dyn() - &golden.f64(&format!("gradient_{frames}"));
            assert!(off.iter().all(|off| off.abs() < 1e-12), "{frames}");
        }
    }

    #[test]
    fn the_gradient_is_the_slope_for_any_length() {
        for frames in [1, 2, 3, 7, 12] {
            let noise = Array2::from_shape_fn((frames, 3), |(f, c)| {
                (1.7 * f as f64 + 0.6 * c as f64).sin() + 0.1 * c as f64
            });
            let (_, gradient) = decorrelation(noise.view());
            for frame in 0..frames {
                for channel in 0..3 {
                    let at = |step: f64| {
                        let mut moved = noise.clone();
                        moved[[frame, channel]] += step;
                        decorrelation(moved.view()).0
                    };
                    let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                    let off = slope - gradient[[frame, channel]];
                    assert!(off.abs() < 1e-8, "{frames}: {off}");
                }
            }
        }
        assert_eq!(decorrelation(Array2::zeros((0, 3)).view()).0, 0.0);
    }
}
