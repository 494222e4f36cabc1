//! A denoiser that learns from the clips that it made: Algorithm 2 of Guo et al. 2024.

use std::time::Instant;

use kinograd_diffusion::{
    Denoiser, DifferentiableDenoiser, DiffusionError, NoiseLevel, NoiseSchedule, NoiseSource,
    PullBack, SeededNoise,
};
use kinograd_guidance::optimize::AdaptiveDenoiser;
use kinograd_runtime::{DenoiserTrainer, OnnxDenoiser, RuntimeError, TrainingClips};
use ndarray::{Array2, ArrayD, Axis, IxDyn, Slice};
use serde::{Deserialize, Serialize};

use crate::Error;

/// How the denoiser is fine-tuned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FineTune {
    /// Steps of Adam after each round; the released code takes one.
    pub steps: usize,
    /// Its learning rate.
    pub learning_rate: f64,
    /// Clips of each step, drawn from all that were made so far.
    pub batch: usize,
    /// Share of the clips that are learnt without their condition, so that classifier-free guidance
    /// keeps its other half.
    pub condition_dropout: f64,
    /// Only weights whose names contain one of these texts; all parameters if empty.
    pub weights: Vec<String>,
}

impl Default for FineTune {
    fn default() -> Self {
        Self {
            steps: 4,
            learning_rate: 2e-5,
            batch: 8,
            condition_dropout: 0.1,
            weights: Vec::new(),
        }
    }
}

impl FineTune {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |field: &str, message: String| {
            Err(Error::Task {
                path: format!("optimization.fine_tune.{field}"),
                message,
            })
        };
        let (rate, dropout) = (self.learning_rate, self.condition_dropout);
        if !(1..=10_000).contains(&self.steps) {
            return refuse("steps", format!("{} is outside 1 to 10000", self.steps));
        }
        if !(1..=1024).contains(&self.batch) {
            return refuse("batch", format!("{} is outside 1 to 1024", self.batch));
        }
        if !(rate.is_finite() && rate > 0.0) {
            let message = format!("{rate}; it must be a number above 0");
            return refuse("learning_rate", message);
        }
        if !(0.0..=1.0).contains(&dropout) {
            let message = format!("{dropout} is outside 0 to 1");
            return refuse("condition_dropout", message);
        }
        Ok(())
    }
}

/// What a round's fine-tuning cost and gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Learnt {
    /// Wall time, seconds.
    pub seconds: f64,
    /// Mean loss over the steps, before each.
    pub loss: f64,
}

/// A denoiser, its trainer and every sample that they have seen.
pub struct Learner<'a> {
    /// The denoiser, whose weights follow the trainer's.
    pub denoiser: OnnxDenoiser,
    /// Takes the steps.
    pub trainer: DenoiserTrainer,
    /// Noise levels.
    pub schedule: &'a NoiseSchedule,
    /// How it is fine-tuned.
    pub options: FineTune,
    /// What the samples are conditioned on, `[1, dims]`.
    pub condition: Array2<f32>,
    /// What stands for no condition, `[1, dims]`.
    pub null_condition: Array2<f32>,
    /// Seed of the draws.
    pub seed: u64,
    /// Batches so far, `[batch, frames, features]`.
    pub seen: Vec<ArrayD<f32>>,
    /// What each round gave.
    pub learnt: Vec<Learnt>,
}

impl Learner<'_> {
    fn learn(&mut self) -> Result<Learnt, RuntimeError> {
        let started = Instant::now();
        let mut sum = 0.0;
        for step in 0..self.options.steps {
            sum += self.step(step)?;
        }
        if self.options.steps > 0 {
            self.denoiser.set_model(self.trainer.source()?);
        }
        Ok(Learnt {
            seconds: started.elapsed().as_secs_f64(),
            loss: sum / self.options.steps.max(1) as f64,
        })
    }

    fn step(&mut self, step: usize) -> Result<f64, RuntimeError> {
        let drawn = |error: DiffusionError| RuntimeError::Parameter {
            name: "training noise",
            value: error.to_string(),
            expected: "a draw".into(),
        };
        let batch = self.options.batch;
        let sample_shape = self.seen.first().map_or(&[][..], |seen| &seen.shape()[1..]);
        let shape: Vec<usize> = std::iter::once(batch)
            .chain(sample_shape.iter().copied())
            .collect();
        // A stream per round and step, beside those that the clips are made of.
        let round = self.learnt.len() as u64;
        let stream = self.seed ^ 0x5ee5_1ee7 ^ (round << 20) ^ ((step as u64) << 44);
        let mut source = SeededNoise::counting_from(stream, batch);
        let mut noise = ArrayD::zeros(IxDyn(&shape));
        source.fill(&mut noise).map_err(drawn)?;
        let mut choices = ArrayD::zeros(IxDyn(&[batch, 3]));
        source.fill(&mut choices).map_err(drawn)?;
        // Shares of 1, evenly drawn.
        let share = |row: usize, column: usize| {
            let normal = f64::from(choices[[row, column]]);
            let below = 0.5 * (1.0 + erf(normal / std::f64::consts::SQRT_2));
            below.clamp(0.0, 1.0 - 1e-9)
        };
        let total: usize = self.seen.iter().map(|seen| seen.len_of(Axis(0))).sum();
        let mut x0 = ArrayD::zeros(IxDyn(&shape));
        let mut condition = Array2::zeros((batch, self.condition.ncols()));
        let mut levels = Vec::with_capacity(batch);
        for row in 0..batch {
            let sample = (share(row, 0) * total as f64) as usize;
            if let Some(chosen) = self.nth(sample) {
                x0.slice_axis_mut(Axis(0), Slice::from(row..=row))
                    .assign(&chosen);
            }
            let timestep = (share(row, 1) * self.schedule.train_steps() as f64).floor();
            levels.push(self.schedule.level(timestep).map_err(drawn)?);
            let from = if share(row, 2) < self.options.condition_dropout {
                &self.null_condition
            } else {
                &self.condition
            };
            condition.row_mut(row).assign(&from.row(0));
        }
        let frames = shape.get(1).copied().unwrap_or(0);
        self.trainer.step(&TrainingClips {
            x0: &x0,
            noise: &noise,
            lengths: &vec![frames; batch],
            levels: &levels,
            condition: &condition,
        })
    }

    /// One of all samples so far, with a batch axis of 1.
    fn nth(&self, mut sample: usize) -> Option<ArrayD<f32>> {
        for seen in &self.seen {
            let batch = seen.len_of(Axis(0));
            if sample < batch {
                let row = Slice::from(sample..=sample);
                return Some(seen.slice_axis(Axis(0), row).to_owned());
            }
            sample -= batch;
        }
        None
    }
}

/// Abramowitz & Stegun 1964, 7.1.26: within 1.5e-7.
fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let polynomial = t
        * (0.254_829_592
            + t * (-0.284_496_736
                + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    (1.0 - polynomial * (-x * x).exp()).copysign(x)
}

impl Denoiser for Learner<'_> {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.denoiser.denoise(x_t, level)
    }
}

impl DifferentiableDenoiser for Learner<'_> {
    fn linearize<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError> {
        self.denoiser.linearize(x_t, level)
    }
}

impl AdaptiveDenoiser for Learner<'_> {
    fn begin(&mut self, unguided: &ArrayD<f32>) {
        self.seen.push(unguided.clone());
    }

    fn adapt(&mut self, generated: &ArrayD<f32>) -> Result<(), DiffusionError> {
        self.seen.push(generated.clone());
        let learnt = self.learn().map_err(|error| DiffusionError::Model {
            timestep: 0.0,
            source: error.into(),
        })?;
        self.learnt.push(learnt);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_has_the_values_of_its_table() {
        // Abramowitz & Stegun 1964, table 7.1.
        for (x, expected) in [(0.0, 0.0), (0.5, 0.520_499_88), (1.0, 0.842_700_79)] {
            assert!((erf(x) - expected).abs() < 2e-7, "{x}");
            assert!((erf(-x) + expected).abs() < 2e-7, "{x}");
        }
    }
}
