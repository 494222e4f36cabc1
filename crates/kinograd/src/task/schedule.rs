//! When a method acts within a run, and how much it may do: the same options for every method.

use kinograd_diffusion::{Guidance, SamplerKind};
use kinograd_guidance::{
    GuidanceOptions, Method, NoiseOptions, StepSchedule, TimeTravel, TimestepInterval,
};
use serde::{Deserialize, Serialize};

use super::limits::{MAX_ITERATIONS, MAX_RESAMPLING};
use super::refuse::refuse;
use crate::Error;

/// Options that every method has beside its strength; the default leaves it as it is.
///
/// Timesteps count from 0, clean, to the model's training steps, noise.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GuidanceSchedule {
    /// The steps that are steered; `None` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<TimestepInterval>,
    /// How the strength changes over the run.
    #[serde(skip_serializing_if = "is_constant")]
    pub strength: StepSchedule,
    /// Longest move of a sample in one step, as root mean square over its normalised elements;
    /// `None` is the method's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_step_rms: Option<f64>,
    /// Steps that are taken several times; `None` is once each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resampling: Option<Resampling>,
    /// Steps of a method that [optimises the noise](Method::optimizes_noise), each of which costs two runs
    /// and their gradient; `None` is [`DEFAULT_ITERATIONS`](Self::DEFAULT_ITERATIONS).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iterations: Option<usize>,
}

/// Resampling, or time travel: each step of a window is taken several times, noised back in between
/// (RePaint, Lugmayr et al. 2022; Yu et al. 2023). Every time costs the model's calls again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resampling {
    /// How often each step is taken, 1 to 100.
    pub count: usize,
    /// The steps that are; `None` is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<TimestepInterval>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_constant(schedule: &StepSchedule) -> bool {
    *schedule == StepSchedule::Constant
}

impl GuidanceSchedule {
    /// Steps of a method that optimises the noise, where nothing is said.
    pub const DEFAULT_ITERATIONS: usize = 50;

    /// Whether nothing differs from the methods' own ways.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The options of a method that optimises the noise.
    pub(crate) fn noise_options(&self, scale: f64) -> NoiseOptions {
        let default = NoiseOptions::default();
        NoiseOptions {
            iterations: self.iterations.unwrap_or(Self::DEFAULT_ITERATIONS),
            learning_rate: scale * default.learning_rate,
            ..default
        }
    }

    /// Whether this fits a method and a sampler: what changes steps has none to change where the noise
    /// of a whole run is optimised, and the other way round.
    fn check_for(&self, method: Method, sampler: Option<SamplerKind>) -> Result<(), Error> {
        if let Some(iterations) = self.iterations {
            if !method.optimizes_noise() {
                let message = format!("{iterations}: {method} acts step by step");
                return Err(refuse("guidance.schedule.iterations", message));
            }
            if !(1..=MAX_ITERATIONS).contains(&iterations) {
                let message = format!("{iterations} is outside 1 to {MAX_ITERATIONS}");
                return Err(refuse("guidance.schedule.iterations", message));
            }
        }
        if !method.optimizes_noise() {
            return Ok(());
        }
        let own = Self {
            iterations: self.iterations,
            ..Self::default()
        };
        if *self != own {
            let message =
                format!("{method} optimises the noise of a whole run and takes iterations only");
            return Err(refuse("guidance.schedule", message));
        }
        match sampler {
            None | Some(SamplerKind::Ddim) => Ok(()),
            Some(other) => {
                let message =
                    format!("{other}: {method} optimises through ddim, which draws no noise");
                Err(refuse("sampling.sampler", message))
            }
        }
    }

    pub(crate) fn check(&self, method: Method, sampler: Option<SamplerKind>) -> Result<(), Error> {
        self.check_for(method, sampler)?;
        let windows = [
            ("guidance.schedule.interval", self.interval),
            (
                "guidance.schedule.resampling.window",
                self.resampling.and_then(|resampling| resampling.window),
            ),
        ];
        for (path, window) in windows {
            let Some(TimestepInterval {
                from_timestep: from,
                to_timestep: to,
            }) = window
            else {
                continue;
            };
            if !(from >= 0.0 && to >= from && to.is_finite()) {
                return Err(refuse(
                    path,
                    format!("{from}..{to} must be two timesteps, the smaller first"),
                ));
            }
        }
        if let Some(Resampling { count, .. }) = self.resampling
            && !(1..=MAX_RESAMPLING).contains(&count)
        {
            return Err(refuse(
                "guidance.schedule.resampling.count",
                format!("{count} is outside 1 to {MAX_RESAMPLING}"),
            ));
        }
        match self.max_step_rms {
            Some(rms) if !(rms.is_finite() && rms >= 0.0) => Err(refuse(
                "guidance.schedule.max_step_rms",
                format!("{rms} must be a number that is not negative"),
            )),
            _ => Ok(()),
        }
    }

    pub(crate) fn options(&self, scale: f64) -> GuidanceOptions {
        GuidanceOptions {
            scale,
            interval: self.interval.unwrap_or(TimestepInterval::ALL),
            max_step_rms: self.max_step_rms,
            schedule: self.strength,
        }
    }

    /// The method's own steps, taken several times where the schedule says so.
    pub(crate) fn resampled<'a>(
        &self,
        guidance: Box<dyn Guidance + 'a>,
    ) -> Result<Box<dyn Guidance + 'a>, Error> {
        Ok(match self.resampling {
            Some(Resampling { count, window }) if count > 1 => Box::new(TimeTravel::new(
                guidance,
                count,
                window.unwrap_or(TimestepInterval::ALL),
            )?),
            _ => guidance,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: TimestepInterval = TimestepInterval {
        from_timestep: 100.0,
        to_timestep: 600.0,
    };

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let back = TimestepInterval {
            from_timestep: 5.0,
            to_timestep: 1.0,
        };
        let times = |count, window| GuidanceSchedule {
            resampling: Some(Resampling { count, window }),
            ..GuidanceSchedule::default()
        };
        for (schedule, part) in [
            (
                GuidanceSchedule {
                    interval: Some(back),
                    ..GuidanceSchedule::default()
                },
                "interval: 5..1 must be",
            ),
            (times(0, None), "resampling.count: 0 is outside"),
            (times(101, None), "resampling.count: 101"),
            (times(2, Some(back)), "resampling.window: 5..1 must be"),
            (
                GuidanceSchedule {
                    max_step_rms: Some(f64::NAN),
                    ..GuidanceSchedule::default()
                },
                "max_step_rms: NaN must be",
            ),
        ] {
            let message = schedule
                .check(Method::Dps, None)
                .expect_err(part)
                .to_string();
            assert!(message.contains(part), "{message} lacks {part}");
        }
    }

    #[test]
    fn only_what_differs_is_written() {
        let schedule = GuidanceSchedule {
            interval: Some(LATE),
            strength: StepSchedule::Rising,
            max_step_rms: Some(0.25),
            resampling: Some(Resampling {
                count: 3,
                window: Some(LATE),
            }),
            iterations: None,
        };
        let json = serde_json::to_string(&schedule).unwrap();
        assert_eq!(
            serde_json::from_str::<GuidanceSchedule>(&json).unwrap(),
            schedule
        );
        let default = GuidanceSchedule::default();
        assert_eq!(serde_json::to_string(&default).unwrap(), "{}");
        assert!(serde_json::from_str::<GuidanceSchedule>("{\"intervall\": null}").is_err());
    }
}
