use kinograd_diffusion::StepPair;
use serde::{Deserialize, Serialize};

use super::StepSchedule;
use crate::GuidanceError;

/// The steps that a method acts on, by the timestep they start from, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimestepInterval {
    /// Cleanest timestep.
    pub from_timestep: f64,
    /// Noisiest timestep.
    pub to_timestep: f64,
}

impl TimestepInterval {
    /// Every step.
    pub const ALL: Self = Self {
        from_timestep: 0.0,
        to_timestep: f64::INFINITY,
    };

    /// Whether a step starts within.
    #[must_use]
    pub fn contains(&self, pair: StepPair) -> bool {
        (self.from_timestep..=self.to_timestep).contains(&pair.from.timestep)
    }

    pub(crate) fn check(&self) -> Result<(), GuidanceError> {
        if self.from_timestep >= 0.0 && self.from_timestep <= self.to_timestep {
            Ok(())
        } else {
            Err(GuidanceError::Field {
                field: "interval",
                value: format!("{}..={}", self.from_timestep, self.to_timestep),
                expected: "must be two timesteps, the smaller first",
            })
        }
    }
}

/// What gradient methods share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GuidanceOptions {
    /// Factor on the method's step.
    pub scale: f64,
    /// Steps that are guided; the others cost a plain denoiser call.
    pub interval: TimestepInterval,
    /// Longest move of a sample in one step, as root mean square over its elements; none if absent.
    /// Of `x_{t−1}`, or of x̂0 for methods that edit x̂0.
    pub max_step_rms: Option<f64>,
    /// How the scale changes over the run.
    pub schedule: StepSchedule,
}

impl Default for GuidanceOptions {
    fn default() -> Self {
        Self {
            scale: 1.0,
            interval: TimestepInterval::ALL,
            max_step_rms: None,
            schedule: StepSchedule::Constant,
        }
    }
}

impl GuidanceOptions {
    /// Scale times schedule at a step.
    #[must_use]
    pub fn strength(&self, pair: StepPair) -> f64 {
        self.scale * self.schedule.value(pair)
    }

    /// With a longest move where none is set: a cosine schedule starts in pure noise, where 1/√ᾱ and
    /// 1/√α know no bound.
    pub(super) fn bounded(self, rms: f64) -> Self {
        Self {
            max_step_rms: Some(self.max_step_rms.unwrap_or(rms)),
            ..self
        }
    }

    /// # Errors
    /// [`GuidanceError::Field`] if a field is out of range.
    pub fn check(&self) -> Result<(), GuidanceError> {
        self.interval.check()?;
        for (field, value) in [
            ("guidance scale", self.scale),
            ("max_step_rms", self.max_step_rms.unwrap_or(0.0)),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(GuidanceError::Field {
                    field,
                    value: value.to_string(),
                    expected: "must be a number that is not negative",
                });
            }
        }
        Ok(())
    }
}
