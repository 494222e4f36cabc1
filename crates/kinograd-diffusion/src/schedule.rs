//! Noise schedules as data: one ᾱ per training step.

use std::f64::consts::FRAC_PI_2;

use crate::{DiffusionError, NoiseLevel, Spacing, StepPair};

/// Largest β of the cosine schedule (Nichol & Dhariwal 2021, section 3.2).
const COSINE_MAX_BETA: f64 = 0.999;
/// Offset `s` of the cosine schedule (Nichol & Dhariwal 2021, eq. 17).
const COSINE_OFFSET: f64 = 0.008;
/// ᾱ that stands for none: a flow's time is then 1 to the last bit of an `f32`.
const MIN_ALPHA_BAR: f64 = 1e-16;

/// The cumulative signal share ᾱ of every training step, from little noise to much.
///
/// # Example
/// ```
/// use kinograd_diffusion::{NoiseSchedule, Spacing};
/// let schedule = NoiseSchedule::cosine(1000)?;
/// let steps = schedule.steps(Spacing::Trailing, 20)?;
/// assert_eq!(steps.len(), 20);
/// assert_eq!(steps[0].from.timestep, 999.0);
/// assert_eq!(steps[19].to.alpha_bar, 1.0);
/// # Ok::<(), kinograd_diffusion::DiffusionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct NoiseSchedule {
    alpha_bars: Vec<f64>,
}

impl NoiseSchedule {
    /// Cosine schedule (Nichol & Dhariwal 2021, eq. 17), each β at most 0.999.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if `train_steps` is 0.
    pub fn cosine(train_steps: usize) -> Result<Self, DiffusionError> {
        let share = |t: f64| {
            let angle = (t + COSINE_OFFSET) / (1.0 + COSINE_OFFSET) * FRAC_PI_2;
            angle.cos().powi(2)
        };
        let count = train_steps as f64;
        let betas = (0..train_steps).map(|step| {
            let (from, to) = (step as f64 / count, (step as f64 + 1.0) / count);
            (1.0 - share(to) / share(from)).min(COSINE_MAX_BETA)
        });
        Self::from_betas(betas)
    }

    /// β rising linearly from `beta_start` to `beta_end` (Ho et al. 2020 use 1e-4 and 0.02 for
    /// 1000 steps).
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if `train_steps` is 0 or a β is not within `(0, 1)`.
    pub fn linear(
        train_steps: usize,
        beta_start: f64,
        beta_end: f64,
    ) -> Result<Self, DiffusionError> {
        let last = train_steps.saturating_sub(1).max(1) as f64;
        let betas =
            (0..train_steps).map(|step| beta_start + (beta_end - beta_start) * step as f64 / last);
        Self::from_betas(betas)
    }

    /// √β rising linearly, as latent diffusion does it (Rombach et al. 2022 use 0.00085 and 0.012
    /// for 1000 steps).
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if `train_steps` is 0 or a β is not within `(0, 1)`.
    pub fn scaled_linear(
        train_steps: usize,
        beta_start: f64,
        beta_end: f64,
    ) -> Result<Self, DiffusionError> {
        let last = train_steps.saturating_sub(1).max(1) as f64;
        let (first, rise) = (beta_start.sqrt(), beta_end.sqrt() - beta_start.sqrt());
        Self::from_betas((0..train_steps).map(|step| (first + rise * step as f64 / last).powi(2)))
    }

    /// The levels of a rectified flow `(1 − σ) x0 + σ noise` (Liu et al. 2022, eq. 1) as ᾱ of the
    /// variance-preserving sample with the same ratio of noise to signal.
    ///
    /// Timestep `i` is σ = s u / (1 + (s − 1) u) at u = (i + 1) / `train_steps`, where `shift` s is 1
    /// for an even walk and above it for more steps at much noise (Esser et al. 2024, eq. 23). At σ = 1
    /// a trace of signal, ᾱ = 10⁻¹⁶, is left. With [`Spacing::Trailing`] the steps are those of
    /// diffusers' `FlowMatchEulerDiscreteScheduler` for the sigmas `linspace(1, 1/n, n)`.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if `train_steps` is 0 or `shift` is not positive and finite.
    pub fn flow(train_steps: usize, shift: f64) -> Result<Self, DiffusionError> {
        if !(shift > 0.0 && shift.is_finite()) {
            return Err(DiffusionError::Parameter {
                name: "shift",
                value: shift.to_string(),
                expected: "must be a positive, finite number",
            });
        }
        let share = |step: usize| {
            let u = (step as f64 + 1.0) / train_steps as f64;
            let sigma = shift * u / (1.0 + (shift - 1.0) * u);
            let signal = (1.0 - sigma).powi(2);
            (signal / (signal + sigma.powi(2))).max(MIN_ALPHA_BAR)
        };
        Self::from_alpha_bars((0..train_steps).map(share).collect())
    }

    /// Cumulates `1 − β`.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if there is no β or one is not within `(0, 1)`.
    pub fn from_betas(betas: impl IntoIterator<Item = f64>) -> Result<Self, DiffusionError> {
        let mut alpha_bar = 1.0;
        let alpha_bars = betas
            .into_iter()
            .map(|beta| {
                if beta > 0.0 && beta < 1.0 {
                    alpha_bar *= 1.0 - beta;
                    Ok(alpha_bar)
                } else {
                    Err(DiffusionError::Parameter {
                        name: "beta",
                        value: beta.to_string(),
                        expected: "must lie within (0, 1)",
                    })
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::from_alpha_bars(alpha_bars)
    }

    /// A schedule given as a table, falling and within `(0, 1)`.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if the table is empty, rises or leaves `(0, 1)`.
    pub fn from_alpha_bars(alpha_bars: Vec<f64>) -> Result<Self, DiffusionError> {
        let falls = alpha_bars.windows(2).all(|pair| pair[1] < pair[0]);
        let inside = alpha_bars.iter().all(|&a| a > 0.0 && a < 1.0);
        if alpha_bars.is_empty() || !falls || !inside {
            return Err(DiffusionError::Parameter {
                name: "alpha_bars",
                value: format!("a table of {}", alpha_bars.len()),
                expected: "must be a falling, non-empty table within (0, 1)",
            });
        }
        Ok(Self { alpha_bars })
    }

    /// The schedule with √ᾱ shifted and scaled so that the first level stays and the last has no signal
    /// (Lin et al. 2023, algorithm 1; `rescale_betas_zero_snr` in diffusers). A trace, ᾱ = 10⁻¹⁶, is left.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if there is one level only.
    pub fn with_zero_terminal_snr(&self) -> Result<Self, DiffusionError> {
        let [first, .., last] = self.alpha_bars.as_slice() else {
            return Err(DiffusionError::Parameter {
                name: "train_steps",
                value: self.train_steps().to_string(),
                expected: "must be 2 or more where the last level has no signal",
            });
        };
        let (first, last) = (first.sqrt(), last.sqrt());
        let roots = self.alpha_bars.iter().map(|alpha_bar| alpha_bar.sqrt());
        let scaled = roots.map(|root| (root - last) * (first / (first - last)));
        Self::from_alpha_bars(scaled.map(|root| root.powi(2).max(MIN_ALPHA_BAR)).collect())
    }

    /// Number of training steps.
    #[must_use]
    pub fn train_steps(&self) -> usize {
        self.alpha_bars.len()
    }

    /// ᾱ of every training step.
    #[must_use]
    pub fn alpha_bars(&self) -> &[f64] {
        &self.alpha_bars
    }

    /// The noise level at a timestep, `0.0..=train_steps − 1`; the log signal-to-noise ratio is
    /// linear between two training steps.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if the timestep lies outside the table.
    pub fn level(&self, timestep: f64) -> Result<NoiseLevel, DiffusionError> {
        let last = (self.train_steps() - 1) as f64;
        if !(0.0..=last).contains(&timestep) {
            return Err(DiffusionError::Parameter {
                name: "timestep",
                value: timestep.to_string(),
                expected: "must lie within 0..=train_steps − 1",
            });
        }
        let below = timestep.floor() as usize;
        let above = timestep.ceil() as usize;
        let alpha_bar = if below == above {
            self.alpha_bars[below]
        } else {
            let share = timestep - timestep.floor();
            let log_snr = log_snr(self.alpha_bars[below]) * (1.0 - share)
                + log_snr(self.alpha_bars[above]) * share;
            1.0 / (1.0 + (-log_snr).exp())
        };
        Ok(NoiseLevel {
            timestep,
            alpha_bar,
        })
    }

    /// The noise level whose σ = √((1 − ᾱ)/ᾱ) is `sigma`, at the fractional timestep where
    /// [`NoiseSchedule::level`] gives it.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if no timestep of the schedule has this σ.
    pub fn level_at_sigma(&self, sigma: f64) -> Result<NoiseLevel, DiffusionError> {
        let outside = || DiffusionError::Parameter {
            name: "sigma",
            value: sigma.to_string(),
            expected: "must lie within the schedule's range",
        };
        let target = -2.0 * sigma.ln();
        // The table's log-SNR falls: the first entry not above the target closes the interval.
        let above = self
            .alpha_bars
            .partition_point(|&alpha_bar| log_snr(alpha_bar) > target);
        let high = *self.alpha_bars.get(above).ok_or_else(outside)?;
        if above == 0 {
            let exact = (log_snr(high) - target).abs() < 1e-9;
            return if exact {
                self.level(0.0)
            } else {
                Err(outside())
            };
        }
        let low = self.alpha_bars[above - 1];
        let share = (log_snr(low) - target) / (log_snr(low) - log_snr(high));
        self.level(above as f64 - 1.0 + share)
    }

    /// Sampling steps from the noisiest chosen timestep down to the clean sample.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if `count` is 0 or above the number of training steps.
    pub fn steps(&self, spacing: Spacing, count: usize) -> Result<Vec<StepPair>, DiffusionError> {
        self.steps_through(&spacing.timesteps(self.train_steps(), count)?)
    }

    /// Sampling steps through given timesteps, falling, and from the last one to the clean sample.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if the timesteps don't fall or lie outside the schedule.
    pub fn steps_through(&self, timesteps: &[f64]) -> Result<Vec<StepPair>, DiffusionError> {
        let mut levels = timesteps
            .iter()
            .map(|&timestep| self.level(timestep))
            .collect::<Result<Vec<_>, _>>()?;
        levels.push(NoiseLevel::CLEAN);
        levels
            .windows(2)
            .map(|pair| StepPair::new(pair[0], pair[1]))
            .collect()
    }
}

/// log(ᾱ / (1 − ᾱ)).
fn log_snr(alpha_bar: f64) -> f64 {
    alpha_bar.ln() - (-alpha_bar).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_follows_its_closed_form_until_the_clip() {
        let schedule = NoiseSchedule::cosine(1000).unwrap();
        let share = |t: f64| ((t + 0.008) / 1.008 * FRAC_PI_2).cos().powi(2);
        for (step, &alpha_bar) in schedule.alpha_bars().iter().enumerate().take(990) {
            let expected = share((step as f64 + 1.0) / 1000.0) / share(0.0);
            assert!((alpha_bar - expected).abs() < 1e-12, "step {step}");
        }
        let last_two = &schedule.alpha_bars()[998..];
        assert!((last_two[1] / last_two[0] - 0.001).abs() < 1e-12);
    }

    #[test]
    fn linear_is_the_product_of_its_betas() {
        let schedule = NoiseSchedule::linear(3, 0.1, 0.3).unwrap();
        let expected = [0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.7];
        for (got, expected) in schedule.alpha_bars().iter().zip(expected) {
            assert!((got - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn scaled_linear_is_linear_in_the_root() {
        let schedule = NoiseSchedule::scaled_linear(3, 0.01, 0.09).unwrap();
        let expected = [0.99, 0.99 * 0.96, 0.99 * 0.96 * 0.91];
        for (got, expected) in schedule.alpha_bars().iter().zip(expected) {
            assert!((got - expected).abs() < 1e-15);
        }
        assert!(NoiseSchedule::scaled_linear(10, -0.1, 0.1).is_err());
    }

    #[test]
    fn without_terminal_signal_the_roots_are_shifted_and_scaled() {
        let before = NoiseSchedule::scaled_linear(1000, 0.00085, 0.012).unwrap();
        let after = before.with_zero_terminal_snr().unwrap();
        let (old, new) = (before.alpha_bars(), after.alpha_bars());
        assert!((old[0] - new[0]).abs() < 1e-15);
        assert_eq!(new[999], 1e-16);
        // A shift and a scale keep the ratios of differences.
        let ratio = |table: &[f64]| {
            (table[100].sqrt() - table[500].sqrt()) / (table[500].sqrt() - table[900].sqrt())
        };
        assert!((ratio(old) - ratio(new)).abs() < 1e-12);
        let one = NoiseSchedule::linear(1, 0.1, 0.1).unwrap();
        assert!(one.with_zero_terminal_snr().is_err());
    }

    #[test]
    fn a_flow_goes_evenly_from_noise_to_signal_unless_it_is_shifted() {
        let schedule = NoiseSchedule::flow(1000, 1.0).unwrap();
        let steps = schedule.steps(Spacing::Trailing, 4).unwrap();
        for (pair, expected) in steps.iter().zip([1.0, 0.75, 0.5, 0.25]) {
            assert!((pair.from.flow_sigma() - expected).abs() < 2e-8, "{pair:?}");
        }
        assert_eq!(steps[0].from.flow_sigma() as f32, 1.0);
        assert_eq!(NoiseLevel::CLEAN.flow_sigma(), 0.0);
        let shifted = NoiseSchedule::flow(1000, 3.0).unwrap();
        let middle = shifted.level(499.0).unwrap().flow_sigma();
        assert!((middle - 0.75).abs() < 1e-12, "{middle}");
        for shift in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(NoiseSchedule::flow(1000, shift).is_err(), "{shift}");
        }
        assert!(NoiseSchedule::flow(0, 1.0).is_err());
    }

    #[test]
    fn level_and_sigma_are_inverse() {
        let schedule = NoiseSchedule::cosine(1000).unwrap();
        for timestep in [0.0, 0.25, 17.0, 500.5, 998.9, 999.0] {
            let level = schedule.level(timestep).unwrap();
            let back = schedule.level_at_sigma(level.sigma()).unwrap();
            assert!((back.timestep - timestep).abs() < 1e-6, "{back:?}");
        }
        assert!(schedule.level_at_sigma(1e9).is_err());
        assert!(schedule.level_at_sigma(0.0).is_err());
        assert!(schedule.level_at_sigma(f64::NAN).is_err());
    }

    #[test]
    fn bad_parameters_are_named() {
        assert!(NoiseSchedule::cosine(0).is_err());
        assert!(NoiseSchedule::linear(10, 0.0, 0.1).is_err());
        assert!(NoiseSchedule::linear(10, 0.1, f64::NAN).is_err());
        assert!(NoiseSchedule::from_alpha_bars(vec![0.5, 0.6]).is_err());
        let schedule = NoiseSchedule::cosine(10).unwrap();
        assert!(schedule.level(9.5).is_err());
        assert!(schedule.level(f64::NAN).is_err());
        assert!(schedule.steps(Spacing::Leading, 0).is_err());
        assert!(schedule.steps(Spacing::Trailing, 11).is_err());
        assert!(schedule.steps_through(&[3.0, 5.0]).is_err());
    }
}
