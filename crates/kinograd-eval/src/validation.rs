//! How well a model tells held-out clips from noise: the loss that it was trained on, in its plain form.

use kinograd::diffusion::{NoiseSource, SeededNoise};
use ndarray::{ArrayD, Axis, s};
use serde::Serialize;

use super::reference::Snippet;
use kinograd::{Error, MotionGenerator};

/// Noise levels of 1,000, from nearly clear to nearly all noise.
const LEVELS: [usize; 8] = [50, 250, 450, 650, 800, 900, 960, 990];
/// Longest stretch of a clip, frames.
const LONGEST: usize = 120;

/// Error of x̂0 on held-out clips.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ValidationReport {
    /// Clips.
    pub clips: usize,
    /// Noise levels, of 1,000.
    pub levels: Vec<usize>,
    /// Mean squared error of x̂0 per level, over frames and features, in standard deviations squared.
    pub mean_squared_error: Vec<f64>,
    /// Mean over the levels.
    pub mean: f64,
}

/// Noises the middle of every snippet, with a seed per snippet and level, and asks for x̂0 with the
/// snippet's caption and without classifier-free guidance.
///
/// # Errors
/// As [`MotionGenerator::generate`].
pub(super) fn validation(
    generator: &mut MotionGenerator,
    held_out: &[Snippet<'_>],
) -> Result<Option<ValidationReport>, Error> {
    let mut squares = [0.0; LEVELS.len()];
    let mut numbers = 0;
    for (index, snippet) in held_out.iter().enumerate() {
        let frames = snippet.features.nrows().min(LONGEST) / 4 * 4;
        let start = (snippet.features.nrows() - frames) / 2;
        let window = snippet.features.slice(s![start..start + frames, ..]);
        let clear = generator
            .representation()
            .normalised(window)?
            .insert_axis(Axis(0))
            .into_dyn();
        let mut noise = SeededNoise::counting_from(index as u64, 1);
        numbers += clear.len();
        for (level, sum) in LEVELS.iter().zip(&mut squares) {
            let mut drawn = ArrayD::zeros(clear.raw_dim());
            noise.fill(&mut drawn)?;
            let predicted = generator.predict(snippet.caption(), &clear, &drawn, *level)?;
            *sum += predicted
                .iter()
                .zip(&clear)
                .map(|(p, c)| f64::from(p - c).powi(2))
                .sum::<f64>();
        }
    }
    if numbers == 0 {
        return Ok(None);
    }
    let errors = squares.map(|sum| sum / numbers as f64);
    Ok(Some(ValidationReport {
        clips: held_out.len(),
        levels: LEVELS.to_vec(),
        mean_squared_error: errors.to_vec(),
        mean: errors.iter().sum::<f64>() / LEVELS.len() as f64,
    }))
}
