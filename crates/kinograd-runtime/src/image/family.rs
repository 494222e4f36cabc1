//! Families of networks as x0-predictors of variance-preserving samples.

use kinograd_diffusion::NoiseLevel;

use crate::denoiser::{Affine, affine};
use crate::package::{Prediction, ScheduleKind, ScheduleSpec, TimeInput};
use crate::{Manifest, RuntimeError};

/// What a network predicts, of what sample and at what time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    prediction: Prediction,
    schedule: Option<ScheduleSpec>,
}

/// One noise level in a network's terms: `x̂0 = skip · x_t + scale · f(input · x_t, time)`, so that
/// `Jᵀv = skip · v + input · scale · f′ᵀv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Adapted {
    pub time: f32,
    pub input: f64,
    pub skip: f64,
    pub scale: f64,
}

impl Family {
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            prediction: manifest.prediction,
            schedule: manifest.schedule,
        }
    }

    /// The level as the network sees it.
    ///
    /// A flow's sample is `(1 − σ) x0 + σ noise = x_t / (√ᾱ + √(1 − ᾱ))`, and its output
    /// `noise − x0` gives `x̂0 = sample − σ · output`.
    pub fn at(self, level: NoiseLevel) -> Result<Adapted, RuntimeError> {
        let is_flow = self
            .schedule
            .is_some_and(|schedule| schedule.kind == ScheduleKind::Flow);
        let steps = self
            .schedule
            .map_or(1.0, |schedule| schedule.train_steps as f64);
        let is_continuous = self
            .schedule
            .is_some_and(|schedule| schedule.time == TimeInput::Continuous);
        if is_flow {
            let sigma = level.flow_sigma();
            let input = 1.0 / (level.alpha_bar.sqrt() + level.noise_variance().sqrt());
            return Ok(Adapted {
                time: if is_continuous { sigma } else { sigma * steps } as f32,
                input,
                skip: input,
                scale: -sigma,
            });
        }
        let Affine { skip, scale } = affine(self.prediction, level)?;
        let time = level.timestep;
        Ok(Adapted {
            time: if is_continuous { time / steps } else { time } as f32,
            input: 1.0,
            skip,
            scale,
        })
    }
}
