//! One sampling step as an explicit pair of noise levels.

use crate::{DiffusionError, NoiseLevel};

/// A step from one noise level to a cleaner one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepPair {
    /// Level of `x_t`.
    pub from: NoiseLevel,
    /// Level of `x_{t−1}`; [`NoiseLevel::CLEAN`] for the last step.
    pub to: NoiseLevel,
}

impl StepPair {
    /// # Errors
    /// [`DiffusionError::Parameter`] if `to` is not cleaner than `from` or a level is not within
    /// `0 < ᾱ ≤ 1`.
    pub fn new(from: NoiseLevel, to: NoiseLevel) -> Result<Self, DiffusionError> {
        if from.alpha_bar > 0.0 && from.alpha_bar < to.alpha_bar && to.alpha_bar <= 1.0 {
            Ok(Self { from, to })
        } else {
            Err(DiffusionError::Parameter {
                name: "step",
                value: format!("ᾱ {} → {}", from.alpha_bar, to.alpha_bar),
                expected: "must go from a noisier to a cleaner level with 0 < ᾱ ≤ 1",
            })
        }
    }

    /// Steps through given values of σ = √((1 − ᾱ)/ᾱ), falling; a last 0 is the clean sample.
    /// Timesteps are the σ themselves, for denoisers that look at ᾱ only.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if the values don't fall or are negative.
    pub fn from_sigmas(sigmas: &[f64]) -> Result<Vec<Self>, DiffusionError> {
        let level = |sigma: f64| NoiseLevel {
            timestep: sigma,
            alpha_bar: 1.0 / (1.0 + sigma * sigma),
        };
        sigmas
            .windows(2)
            .map(|pair| {
                if pair[1] < 0.0 {
                    return Err(DiffusionError::Parameter {
                        name: "sigma",
                        value: pair[1].to_string(),
                        expected: "must not be negative",
                    });
                }
                Self::new(level(pair[0]), level(pair[1]))
            })
            .collect()
    }

    /// Signal kept when noising back over this step: α = ᾱ_t / ᾱ_{t−1}.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.from.alpha_bar / self.to.alpha_bar
    }

    /// Deviation of `q(x_{t−1} | x_t, x0)` (Ho et al. 2020, eq. 7); 0 for the last step.
    #[must_use]
    pub fn posterior_std(&self) -> f64 {
        let share = (1.0 - self.to.alpha_bar) / (1.0 - self.from.alpha_bar);
        (share * (1.0 - self.alpha())).max(0.0).sqrt()
    }
}
