use std::ops::ControlFlow;

use kinograd_diffusion::{
    Denoiser, DifferentiableDenoiser, DiffusionError, Layout, Model, NoiseLevel, NoiseSource,
    Observer, PullBack, Sampler, StepPair, sample,
};
use ndarray::{ArrayD, Axis};
use serde::{Deserialize, Serialize};

use crate::loss::checked;
use crate::method::{GradientGuidance, GuidanceOptions, Linearization, Lookahead};
use crate::{GuidanceError, Loss};

const NAME: &str = "optimize";

/// How far above the reward's present linearisation y is set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Pull {
    /// `y_k = δ + g_kᵀz_k`, as in the released code.
    Constant {
        /// δ.
        delta: f64,
    },
    /// `y_k = g_kᵀx̄0 + (σ² + g_kᵀΣ̄0 g_k)/λ`, with which Algorithm 1 converges linearly: for
    /// Gaussian data the batch's mean becomes `x̄0 + Σ̄0 g_k / λ`. Needs the mean and
    /// covariance of the denoiser's data, as [`LinearScore`](super::LinearScore) has them.
    Regularized {
        /// λ, the weight of the data against the reward.
        lambda: f64,
    },
}

/// What [`Optimizer`] can be tuned by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerOptions {
    /// K, times that the reward is linearised and the batch generated.
    pub rounds: usize,
    /// How the gradient enters the score.
    pub lookahead: Lookahead,
    /// σ, deviation of y.
    pub deviation: f64,
    /// How far y is set ahead.
    pub pull: Pull,
    /// Linearise once, at the batch's mean, as the algorithm is stated; otherwise at every sample,
    /// as in the released code.
    pub at_mean: bool,
    /// Every round starts from the noise of the first, so that a sample stays itself while its reward
    /// rises; otherwise each round draws anew, as the algorithm is stated.
    pub same_noise: bool,
    /// Longest change of x̂0 in one step, as root mean square over a sample's elements; none if
    /// absent.
    pub max_step_rms: Option<f64>,
}

impl Default for OptimizerOptions {
    fn default() -> Self {
        Self {
            rounds: 10,
            lookahead: Lookahead::Loss,
            deviation: GradientGuidance::DEVIATION,
            pull: Pull::Constant { delta: 0.2 },
            at_mean: false,
            same_noise: false,
            max_step_rms: None,
        }
    }
}

/// A finished round.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// Which, from 1; 0 is the unguided batch.
    pub index: usize,
    /// The batch that it generated.
    pub batch: &'a ArrayD<f32>,
    /// f of each sample.
    pub rewards: &'a [f64],
}

/// Told of every round; `Break` stops with the last batch.
pub type RoundObserver<'a> = dyn FnMut(&Round<'_>) -> ControlFlow<()> + 'a;

/// The last batch and the history of the rewards.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// `[batch, ...]`.
    pub batch: ArrayD<f32>,
    /// `[rounds + 1][batch]`, first the unguided batch's.
    pub rewards: Vec<Vec<f64>>,
}

/// A denoiser that learns from what was generated with it.
pub trait AdaptiveDenoiser: DifferentiableDenoiser {
    /// Given the unguided batch before the first round, as a stand-in for the data that the score was
    /// fitted to. Ignored by scores that know their data.
    fn begin(&mut self, unguided: &ArrayD<f32>) {
        let _ = unguided;
    }

    /// Updates the score on the batch of a round, besides those of all rounds before.
    ///
    /// # Errors
    /// [`DiffusionError`] if the batch doesn't fit or the update fails.
    fn adapt(&mut self, generated: &ArrayD<f32>) -> Result<(), DiffusionError>;

    /// `gᵀx̄` and `gᵀΣ̄g` of the data that it has learnt, for [`Pull::Regularized`]; `None` if
    /// unknown.
    fn moments_along(&self, gradient: &[f64]) -> Option<(f64, f64)> {
        let _ = gradient;
        None
    }
}

/// How a batch is generated.
pub struct Sampling<'a> {
    /// The sampler.
    pub sampler: &'a mut dyn Sampler,
    /// Its steps.
    pub steps: &'a [StepPair],
    /// Shape of the batch.
    pub layout: &'a Layout,
    /// Noise, asked anew in every round.
    pub noise: &'a mut dyn NoiseSource,
    /// Told of every step of every round; `Break` ends the run as cancelled.
    pub observer: &'a mut dyn Observer,
}

/// A denoiser that stays as it is, for Algorithm 1.
pub struct Frozen<'a>(pub &'a mut dyn DifferentiableDenoiser);

impl Denoiser for Frozen<'_> {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.0.denoise(x_t, level)
    }
}

impl DifferentiableDenoiser for Frozen<'_> {
    fn linearize<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError> {
        self.0.linearize(x_t, level)
    }
}

impl AdaptiveDenoiser for Frozen<'_> {
    fn adapt(&mut self, _generated: &ArrayD<f32>) -> Result<(), DiffusionError> {
        Err(DiffusionError::Parameter {
            name: "denoiser",
            value: "frozen".to_owned(),
            expected: "must be one that learns",
        })
    }
}

/// Algorithms 1 and 2 of Guo et al. 2024; the [module](super) says what they do.
///
/// ```
/// use std::ops::ControlFlow;
/// use kinograd_diffusion::{Ddim, Layout, NoObserver, NoiseSchedule, SeededNoise, Spacing};
/// use kinograd_guidance::ClosureLoss;
/// use kinograd_guidance::optimize::{LinearScore, Optimizer, OptimizerOptions, Sampling};
/// use ndarray::{Array1, Array2, ArrayD};
///
/// // f(x) = x₀, on normal data.
/// let reward = ClosureLoss::new("right", |x: &ArrayD<f32>| {
///     let mut gradient = ArrayD::zeros(x.raw_dim());
///     gradient[[0, 0]] = -1.0;
///     Ok((vec![-f64::from(x[[0, 0]])], gradient))
/// });
/// let mut denoiser = LinearScore::new(Array1::zeros(2), Array2::eye(2))?;
/// let result = Optimizer::new(OptimizerOptions { rounds: 4, ..Default::default() }, reward)?.run(
///     &mut denoiser,
///     &mut Sampling {
///         sampler: &mut Ddim::default(),
///         steps: &NoiseSchedule::cosine(1000)?.steps(Spacing::Trailing, 20)?,
///         layout: &Layout::full(&[1, 2])?,
///         noise: &mut SeededNoise::new(vec![1]),
///         observer: &mut NoObserver,
///     },
///     &mut |_| ControlFlow::Continue(()),
/// )?;
/// assert!(result.rewards[4][0] > result.rewards[0][0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Optimizer<'a> {
    options: OptimizerOptions,
    cost: Box<dyn Loss + 'a>,
}

impl<'a> Optimizer<'a> {
    /// `cost`: −f.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if an option is out of range.
    pub fn new(options: OptimizerOptions, cost: impl Loss + 'a) -> Result<Self, GuidanceError> {
        let (field, value) = match options.pull {
            Pull::Constant { delta } => ("delta", delta),
            Pull::Regularized { lambda } => ("lambda", lambda),
        };
        let regularized = matches!(options.pull, Pull::Regularized { .. });
        for (field, value, positive) in [
            (field, value, regularized),
            ("deviation", options.deviation, false),
            ("max_step_rms", options.max_step_rms.unwrap_or(0.0), false),
        ] {
            if !(value.is_finite() && value >= 0.0 && !(positive && value == 0.0)) {
                return Err(GuidanceError::Field {
                    field,
                    value: value.to_string(),
                    expected: "must be a number that is not negative (lambda: positive)",
                });
            }
        }
        Ok(Self {
            options,
            cost: Box::new(cost),
        })
    }

    /// Algorithm 1: the denoiser stays as it is.
    ///
    /// # Errors
    /// What the denoiser and the sampler return; [`DiffusionError::Guidance`], naming the round as
    /// its timestep, if the reward fails or is not finite.
    pub fn run(
        &mut self,
        denoiser: &mut dyn AdaptiveDenoiser,
        sampling: &mut Sampling<'_>,
        observer: &mut RoundObserver<'_>,
    ) -> Result<Trajectory, DiffusionError> {
        self.rounds(denoiser, sampling, observer, false)
    }

    /// Algorithm 2: the denoiser is updated on the batch of every round.
    ///
    /// # Errors
    /// As [`Optimizer::run`], and what the update returns.
    pub fn run_adaptive(
        &mut self,
        denoiser: &mut dyn AdaptiveDenoiser,
        sampling: &mut Sampling<'_>,
        observer: &mut RoundObserver<'_>,
    ) -> Result<Trajectory, DiffusionError> {
        self.rounds(denoiser, sampling, observer, true)
    }

    fn rounds(
        &mut self,
        denoiser: &mut dyn AdaptiveDenoiser,
        sampling: &mut Sampling<'_>,
        observer: &mut RoundObserver<'_>,
        adaptive: bool,
    ) -> Result<Trajectory, DiffusionError> {
        let mut batch = generate(denoiser, sampling, None)?;
        if adaptive {
            denoiser.begin(&batch);
        }
        let mut rewards = Vec::new();
        for index in 0..=self.options.rounds {
            let failed = |error: GuidanceError| error.during(NAME, index as f64);
            let value = checked(self.cost.as_mut(), &batch).map_err(failed)?;
            rewards.push(value.values.iter().map(|cost| -cost).collect::<Vec<_>>());
            let round = Round {
                index,
                batch: &batch,
                rewards: rewards.last().map_or(&[], Vec::as_slice),
            };
            if observer(&round).is_break() || index == self.options.rounds {
                break;
            }
            let objective = self
                .linearized(&batch, value.gradient, denoiser)
                .map_err(failed)?;
            let mut guidance = GradientGuidance::new(
                self.options.lookahead,
                objective,
                self.options.deviation,
                GuidanceOptions {
                    max_step_rms: self.options.max_step_rms,
                    ..GuidanceOptions::default()
                },
            )
            .map_err(failed)?;
            if self.options.same_noise {
                sampling.noise.rewind();
            }
            batch = generate(denoiser, sampling, Some(&mut guidance))?;
            if adaptive {
                denoiser.adapt(&batch)?;
            }
        }
        Ok(Trajectory { batch, rewards })
    }

    /// g_k and y_k of every sample.
    fn linearized(
        &mut self,
        batch: &ArrayD<f32>,
        cost_gradient: ArrayD<f32>,
        denoiser: &dyn AdaptiveDenoiser,
    ) -> Result<Linearization, GuidanceError> {
        let (points, mut gradient) = if self.options.at_mean {
            // Every sample of a batch of means has the gradient at the mean.
            let mean = batch.mean_axis(Axis(0)).unwrap_or_else(|| batch.clone());
            let mut points = batch.clone();
            for mut sample in points.axis_iter_mut(Axis(0)) {
                sample.assign(&mean);
            }
            let value = checked(self.cost.as_mut(), &points)?;
            (points, value.gradient)
        } else {
            (batch.clone(), cost_gradient)
        };
        gradient.mapv_inplace(|g| -g);
        let variance = self.options.deviation * self.options.deviation;
        let mut values = Vec::new();
        for (z, g) in points.axis_iter(Axis(0)).zip(gradient.axis_iter(Axis(0))) {
            let g: Vec<f64> = g.iter().map(|&g| f64::from(g)).collect();
            values.push(match self.options.pull {
                Pull::Constant { delta } => {
                    delta
                        + z.iter()
                            .zip(&g)
                            .map(|(&z, g)| f64::from(z) * g)
                            .sum::<f64>()
                }
                Pull::Regularized { lambda } => {
                    let (mean, spread) =
                        denoiser
                            .moments_along(&g)
                            .ok_or_else(|| GuidanceError::Field {
                                field: "pull",
                                value: "regularized".to_owned(),
                                expected: "needs a denoiser that knows the mean and covariance of \
                                           its data",
                            })?;
                    mean + (variance + spread) / lambda
                }
            });
        }
        Ok(Linearization { gradient, values })
    }
}

fn generate(
    denoiser: &mut dyn AdaptiveDenoiser,
    sampling: &mut Sampling<'_>,
    guidance: Option<&mut GradientGuidance>,
) -> Result<ArrayD<f32>, DiffusionError> {
    sample(
        &mut Model::differentiable(denoiser),
        sampling.sampler,
        sampling.steps,
        sampling.layout,
        sampling.noise,
        guidance.map(|guidance| guidance as &mut dyn kinograd_diffusion::Guidance),
        sampling.observer,
    )
}
