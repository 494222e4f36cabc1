//! Families of networks as x0-predictors of variance-preserving samples.

use kinograd_diffusion::NoiseLevel;

use crate::package::{Prediction, ScheduleKind, ScheduleSpec, TimeInput};
use crate::{Manifest, RuntimeError};

/// What a network predicts, of what sample and at what time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    /// What the output is.
    pub prediction: Prediction,
    /// The schedule of its training, where it decides what the network gets.
    pub schedule: Option<ScheduleSpec>,
}

/// One noise level in a network's terms: `x̂0 = skip · x_t + scale · f(input · x_t, time)`, so that
/// `Jᵀv = skip · v + input · scale · f′ᵀv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Adapted {
    pub time: f32,
    pub input: f64,
    pub skip: f64,
    pub scale: f64,
}

impl From<Prediction> for Family {
    /// Of a network that gets the variance-preserving sample and the timestep.
    fn from(prediction: Prediction) -> Self {
        Self {
            prediction,
            schedule: None,
        }
    }
}

impl Family {
    /// That of a package.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            prediction: manifest.prediction,
            schedule: manifest.schedule,
        }
    }

    /// Time and factor of x_t that the network gets at a level.
    ///
    /// A flow's sample is `(1 − σ) x0 + σ noise = x_t / (√ᾱ + √(1 − ᾱ))`.
    pub(crate) fn input(self, level: NoiseLevel) -> (f32, f64) {
        let sigma = level.flow_sigma();
        let steps = self.schedule.map_or(1.0, |s| s.train_steps as f64);
        let is_flow = self.schedule.is_some_and(|s| s.kind == ScheduleKind::Flow);
        let is_continuous = self
            .schedule
            .is_some_and(|s| s.time == TimeInput::Continuous);
        let time = match (is_flow, is_continuous) {
            (true, true) => sigma,
            (true, false) => sigma * steps,
            (false, true) => level.timestep / steps,
            (false, false) => level.timestep,
        };
        let input = if self.prediction == Prediction::Flow {
            1.0 / (level.alpha_bar.sqrt() + level.noise_variance().sqrt())
        } else {
            1.0
        };
        (time as f32, input)
    }

    /// The level as the network sees it.
    ///
    /// A flow's output `noise − x0` gives `x̂0 = sample − σ · output`.
    pub(crate) fn at(self, level: NoiseLevel) -> Result<Adapted, RuntimeError> {
        let (time, input) = self.input(level);
        let (signal, noise) = (level.alpha_bar.sqrt(), level.noise_variance().sqrt());
        let (skip, scale) = match self.prediction {
            Prediction::X0 => (0.0, 1.0),
            Prediction::Epsilon if signal > 0.0 => (1.0 / signal, -noise / signal),
            Prediction::Epsilon => {
                return Err(RuntimeError::Parameter {
                    name: "alpha_bar",
                    value: level.alpha_bar.to_string(),
                    expected: "a noise-predicting model needs some signal".into(),
                });
            }
            Prediction::V => (signal, -noise),
            Prediction::Flow => (input, -level.flow_sigma()),
        };
        Ok(Adapted {
            time,
            input,
            skip,
            scale,
        })
    }
}
