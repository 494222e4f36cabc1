use kinograd_diffusion::StepPair;
use serde::{Deserialize, Serialize};

/// How a strength changes over a run. With `α_t = ᾱ_t / ᾱ_{t−1}` of the step taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StepSchedule {
    /// 1.
    #[default]
    Constant,
    /// `α_t`, which rises towards the clean sample ("increase" in Ye et al. 2024, TFG).
    Rising,
    /// `1 − α_t`, which falls towards the clean sample ("decrease" in Ye et al. 2024, TFG).
    Falling,
    /// `√ᾱ_t`, the signal's share.
    Signal,
    /// `√(1 − ᾱ_t)`, the noise's share.
    Noise,
    /// Deviation of the posterior `q(x_{t−1} | x_t, x0)`; 0 in the last step.
    Posterior,
}

impl StepSchedule {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Constant,
        Self::Rising,
        Self::Falling,
        Self::Signal,
        Self::Noise,
        Self::Posterior,
    ];

    /// Its name, as the command line writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Rising => "rising",
            Self::Falling => "falling",
            Self::Signal => "signal",
            Self::Noise => "noise",
            Self::Posterior => "posterior",
        }
    }

    /// What it is, in a line.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::Constant => "Not at all",
            Self::Rising => "From little to all, towards the clean sample",
            Self::Falling => "From all to little",
            Self::Signal => "As the signal's share of the noised sample",
            Self::Noise => "As the noise's share",
            Self::Posterior => "As the sampler's own noise",
        }
    }

    /// Its value at a step.
    ///
    /// ```
    /// use kinograd_diffusion::{NoiseSchedule, Spacing};
    /// use kinograd_guidance::StepSchedule;
    /// let steps = NoiseSchedule::cosine(1000)?.steps(Spacing::Trailing, 10)?;
    /// assert!(StepSchedule::Rising.value(steps[8]) > StepSchedule::Rising.value(steps[1]));
    /// # Ok::<(), kinograd_diffusion::DiffusionError>(())
    /// ```
    #[must_use]
    pub fn value(self, pair: StepPair) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Rising => pair.alpha(),
            Self::Falling => 1.0 - pair.alpha(),
            Self::Signal => pair.from.alpha_bar.sqrt(),
            Self::Noise => pair.from.noise_variance().sqrt(),
            Self::Posterior => pair.posterior_std(),
        }
    }

    /// Mean over a run's steps. Ye et al. 2024 divide by it, so that a strength is a mean strength.
    #[must_use]
    pub fn mean(self, steps: &[StepPair]) -> f64 {
        let sum: f64 = steps.iter().map(|&pair| self.value(pair)).sum();
        sum / steps.len().max(1) as f64
    }
}
