//! What a denoiser was trained to predict, of which noise levels.

use kinograd_diffusion::{DiffusionError, NoiseSchedule, Spacing};
use serde::{Deserialize, Serialize};

/// What a denoiser's output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prediction {
    /// The clean sample.
    #[default]
    X0,
    /// The noise (Ho et al. 2020).
    Epsilon,
    /// `√ᾱ · noise − √(1−ᾱ) · x0` (Salimans & Ho 2022).
    V,
    /// `noise − x0`, the velocity of a rectified flow (Liu et al. 2022).
    Flow,
}

/// A schedule's family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Nichol & Dhariwal 2021, eq. 17.
    Cosine,
    /// β rising linearly, Ho et al. 2020.
    Linear,
    /// √β rising linearly, Rombach et al. 2022.
    ScaledLinear,
    /// No β: the network is trained on `(1 − σ) x0 + σ noise`, gets that as `x_t` and σ as its time.
    Flow,
}

/// What a denoiser's input `timestep` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeInput {
    /// The timestep, `0..train_steps`, fractional where a sampler evaluates between two; of a flow
    /// `σ · train_steps`.
    #[default]
    Discrete,
    /// That divided by `train_steps`: `timestep / train_steps` in 0..1, of a flow σ in 0..=1.
    Continuous,
}

/// The noise schedule of a training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScheduleSpec {
    /// The family.
    pub kind: ScheduleKind,
    /// Number of noise levels; of a flow the factor between σ and the network's time.
    pub train_steps: usize,
    /// First β of a linear schedule: 1e-4 if not given, 0.00085 if it is linear in the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta_start: Option<f64>,
    /// Last β of a linear schedule: 0.02 if not given, 0.012 if it is linear in the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta_end: Option<f64>,
    /// The levels were shifted so that the last has no signal (Lin et al. 2023, algorithm 1).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub zero_snr: bool,
    /// How a flow is sampled: `σ = s u / (1 + (s − 1) u)` for even u; 1 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<f64>,
    /// What the network is told of the time.
    #[serde(default, skip_serializing_if = "TimeInput::is_discrete")]
    pub time: TimeInput,
    /// How many of the levels, evenly spread, a network was distilled for that knows no others (Luo et al.
    /// 2023).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distilled_levels: Option<usize>,
}

impl TimeInput {
    pub(super) fn is_discrete(&self) -> bool {
        *self == Self::Discrete
    }
}

impl ScheduleSpec {
    /// Which of the levels a run of fewer steps visits.
    #[must_use]
    pub fn spacing(&self) -> Spacing {
        self.distilled_levels
            .map_or(Spacing::Trailing, |levels| Spacing::Distilled { levels })
    }

    /// The noise levels.
    ///
    /// # Errors
    /// As the constructors of [`NoiseSchedule`] and [`NoiseSchedule::with_zero_terminal_snr`].
    pub fn levels(&self) -> Result<NoiseSchedule, DiffusionError> {
        let steps = self.train_steps;
        let betas = |start, end| {
            let given = (self.beta_start, self.beta_end);
            (given.0.unwrap_or(start), given.1.unwrap_or(end))
        };
        let levels = match self.kind {
            ScheduleKind::Cosine => NoiseSchedule::cosine(steps),
            ScheduleKind::Linear => {
                let (start, end) = betas(1e-4, 0.02);
                NoiseSchedule::linear(steps, start, end)
            }
            ScheduleKind::ScaledLinear => {
                let (start, end) = betas(0.00085, 0.012);
                NoiseSchedule::scaled_linear(steps, start, end)
            }
            ScheduleKind::Flow => NoiseSchedule::flow(steps, self.shift.unwrap_or(1.0)),
        }?;
        if self.zero_snr {
            return levels.with_zero_terminal_snr();
        }
        Ok(levels)
    }
}
