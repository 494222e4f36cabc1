//! When a method acts within a run, and how much it may do: the same options for every method.

use kinograd_diffusion::Guidance;
use kinograd_guidance::{GuidanceOptions, Interval, StepSchedule, TimeTravel};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Most visits of one step.
const MAX_VISITS: usize = 100;

/// Options that every method has beside its strength; the default leaves it as it is.
///
/// Timesteps count from 0, clean, to the model's training steps, noise.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Steering {
    /// The steps that are steered; `None` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// How the strength changes over the run.
    #[serde(skip_serializing_if = "is_constant")]
    pub schedule: StepSchedule,
    /// Longest move of a sample in one step, as root mean square over its normalised elements;
    /// `None` is the method's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_move: Option<f64>,
    /// Steps that are taken several times; `None` is once each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_travel: Option<Visits>,
}

/// Time travel: each step of a window is taken several times, noised back in between (Lugmayr et
/// al. 2022; Yu et al. 2023). Every visit costs the model's calls again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visits {
    /// How often each step is taken, 1 to 100.
    pub visits: usize,
    /// The steps that are; `None` is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Interval>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_constant(schedule: &StepSchedule) -> bool {
    *schedule == StepSchedule::Constant
}

impl Steering {
    /// Whether nothing differs from the methods' own ways.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// # Errors
    /// [`Error::Request`] that names the option.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |field, message: String| Err(Error::Request { field, message });
        let windows = [
            ("interval", self.interval),
            ("time travel", self.time_travel.and_then(|t| t.window)),
        ];
        for (field, window) in windows {
            let Some(Interval {
                from_timestep: from,
                to_timestep: to,
            }) = window
            else {
                continue;
            };
            if !(from >= 0.0 && to >= from && to.is_finite()) {
                return refuse(
                    field,
                    format!("{from}..{to} must be two timesteps, the smaller first"),
                );
            }
        }
        if let Some(Visits { visits, .. }) = self.time_travel
            && !(1..=MAX_VISITS).contains(&visits)
        {
            return refuse(
                "time travel",
                format!("{visits} visits are outside 1 to {MAX_VISITS}"),
            );
        }
        match self.max_move {
            Some(rms) if !(rms.is_finite() && rms >= 0.0) => refuse(
                "max move",
                format!("{rms} must be a number that is not negative"),
            ),
            _ => Ok(()),
        }
    }

    pub(crate) fn options(&self, scale: f64) -> GuidanceOptions {
        GuidanceOptions {
            scale,
            interval: self.interval.unwrap_or(Interval::ALL),
            max_move: self.max_move,
            schedule: self.schedule,
        }
    }

    pub(crate) fn travelling<'a>(
        &self,
        guidance: Box<dyn Guidance + 'a>,
    ) -> Result<Box<dyn Guidance + 'a>, Error> {
        Ok(match self.time_travel {
            Some(Visits { visits, window }) if visits > 1 => Box::new(TimeTravel::new(
                guidance,
                visits,
                window.unwrap_or(Interval::ALL),
            )?),
            _ => guidance,
        })
    }

    /// As options of the command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let range = |w: Interval| format!("{}..{}", w.from_timestep, w.to_timestep);
        let mut words = Vec::new();
        if let Some(interval) = self.interval {
            words.push(format!("--interval {}", range(interval)));
        }
        if self.schedule != StepSchedule::Constant {
            words.push(format!("--schedule {}", self.schedule.name()));
        }
        if let Some(rms) = self.max_move {
            words.push(format!("--max-move {rms}"));
        }
        if let Some(Visits { visits, window }) = self.time_travel {
            let window = window.map_or_else(String::new, |w| format!("@{}", range(w)));
            words.push(format!("--time-travel {visits}{window}"));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Interval = Interval {
        from_timestep: 100.0,
        to_timestep: 600.0,
    };

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let back = Interval {
            from_timestep: 5.0,
            to_timestep: 1.0,
        };
        let visits = |visits, window| Steering {
            time_travel: Some(Visits { visits, window }),
            ..Steering::default()
        };
        for (steering, part) in [
            (
                Steering {
                    interval: Some(back),
                    ..Steering::default()
                },
                "interval: 5..1 must be",
            ),
            (visits(0, None), "time travel: 0 visits are outside"),
            (visits(101, None), "time travel: 101 visits"),
            (visits(2, Some(back)), "time travel: 5..1 must be"),
            (
                Steering {
                    max_move: Some(f64::NAN),
                    ..Steering::default()
                },
                "max move: NaN must be",
            ),
        ] {
            let message = steering.check().expect_err(part).to_string();
            assert!(message.contains(part), "{message} lacks {part}");
        }
    }

    #[test]
    fn words_and_record_say_what_differs() {
        let steering = Steering {
            interval: Some(LATE),
            schedule: StepSchedule::Rising,
            max_move: Some(0.25),
            time_travel: Some(Visits {
                visits: 3,
                window: Some(LATE),
            }),
        };
        assert_eq!(
            steering.words().join(" "),
            "--interval 100..600 --schedule rising --max-move 0.25 --time-travel 3@100..600"
        );
        let json = serde_json::to_string(&steering).unwrap();
        assert_eq!(serde_json::from_str::<Steering>(&json).unwrap(), steering);
        assert_eq!(serde_json::to_string(&Steering::default()).unwrap(), "{}");
        assert!(serde_json::from_str::<Steering>("{\"intervall\": null}").is_err());
    }
}
