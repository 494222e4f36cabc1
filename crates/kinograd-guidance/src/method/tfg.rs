use kinograd_diffusion::{
    DiffusionError, Guidance, Layout, Model, SeededNoise, StepInfo, StepPair,
};
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

use super::edit::{add_scaled, confine, not_negative, same_shape};
use super::registry::{MethodInfo, Scales};
use super::{GuidanceOptions, MonteCarlo, StepSchedule};
use crate::{GuidanceError, Loss};

/// Longest move, where the options name none.
const MAX_MOVE: f64 = 0.3;

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "tfg",
    "Training-free guidance with rising strengths (Ye et al. 2024)",
    |objective, options| {
        let loss = objective.into_loss()?;
        let options = options.bounded(MAX_MOVE);
        Ok(Box::new(Tfg::new(TfgOptions::default(), loss, options)?))
    },
)
.scaled(Scales {
    path: 0.0625,
    text: 22.62741699796952,
    seg: 4096.000000000001,
    sketch: 512.0,
});

const NAME: &str = "tfg";

/// A strength and how it changes over the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strength {
    /// Its size.
    pub size: f64,
    /// How it changes over the run.
    pub schedule: StepSchedule,
}

impl Strength {
    /// Nothing.
    pub const ZERO: Self = Self {
        size: 0.0,
        schedule: StepSchedule::Constant,
    };

    /// Divides the size by the schedule's mean over a run, so that the size is a mean (Ye et al.
    /// 2024, section 4.2).
    #[must_use]
    pub fn over(self, steps: &[StepPair]) -> Self {
        let mean = self.schedule.mean(steps);
        Self {
            size: if mean > 0.0 { self.size / mean } else { 0.0 },
            ..self
        }
    }

    fn value(self, pair: StepPair) -> f64 {
        self.size * self.schedule.value(pair)
    }
}

/// What becomes of the noise when x̂0 is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditNoise {
    /// It stays: `x_{t−1} += √ᾱ_{t−1} Δ0` (TFG, MPGD).
    #[default]
    Keep,
    /// It becomes what the edited x̂0 leaves in x_t:
    /// `x_{t−1} += (√ᾱ_{t−1} − √((1 − ᾱ_{t−1}) ᾱ_t / (1 − ᾱ_t))) Δ0` under DDIM (UGD).
    Follow,
}

/// What [`Tfg`] can be tuned by. The scale and its schedule multiply ρ and μ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TfgOptions {
    /// ρ_t, of the gradient through the denoiser; size 0 leaves it out.
    pub rho: Strength,
    /// μ_t, of the steps on x̂0.
    pub mu: Strength,
    /// σ_t, radius of the Monte Carlo smoothing.
    pub sigma: Strength,
    /// N_iter, steps on x̂0.
    pub iterations: usize,
    /// N_recur, how often each guided step is taken.
    pub recurrences: usize,
    /// Draws of the smoothing.
    pub draws: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// What becomes of the noise.
    pub noise: EditNoise,
}

impl Default for TfgOptions {
    fn default() -> Self {
        Self {
            rho: Strength {
                size: 1.0,
                schedule: StepSchedule::Rising,
            },
            mu: Strength {
                size: 0.1,
                schedule: StepSchedule::Rising,
            },
            sigma: Strength {
                size: 0.1,
                schedule: StepSchedule::Noise,
            },
            iterations: 4,
            recurrences: 1,
            draws: 1,
            seed: 0,
            noise: EditNoise::Keep,
        }
    }
}

type Course = Box<dyn Fn(StepPair) -> f64>;

/// Training-free guidance as one family (Ye et al. 2024, algorithm 1). With L = −ℓ:
///
/// - `Δ_t = ρ_t ∇_{x_t} log E_ξ exp L(x̂0 + σ_t ξ)`;
/// - N_iter times `x̂0 += μ_t ∇_{x̂0} log E_ξ exp L(x̂0 + σ_t ξ)`, which gives Δ0;
/// - `x_{t−1} = DDIM(x_t, x̂0) + Δ_t/√α_t + √ᾱ_{t−1} Δ0`, α_t = ᾱ_t/ᾱ_{t−1};
/// - N_recur recurrences.
///
/// DPS, LGD-MC, FreeDoM, MPGD and, with [`EditNoise::Follow`], UGD are special cases: see
/// [`Tfg::with_schedules`].
pub struct Tfg<'a> {
    loss: Box<dyn Loss + 'a>,
    smoothing: MonteCarlo,
    seeded: SeededNoise,
    family: TfgOptions,
    options: GuidanceOptions,
    rho: Course,
    mu: Course,
    sigma: Course,
    moves: Option<ArrayD<f32>>,
}

impl<'a> Tfg<'a> {
    /// # Errors
    /// [`GuidanceError::Field`] if an option is out of range.
    pub fn new(
        family: TfgOptions,
        loss: impl Loss + 'a,
        options: GuidanceOptions,
    ) -> Result<Self, GuidanceError> {
        options.check()?;
        for (field, strength) in [
            ("rho", family.rho),
            ("mu", family.mu),
            ("sigma", family.sigma),
        ] {
            not_negative(field, strength.size)?;
        }
        if family.recurrences == 0 {
            return Err(GuidanceError::Field {
                field: "recurrences",
                value: "0".to_owned(),
                expected: "must take each step at least once",
            });
        }
        let TfgOptions { rho, mu, sigma, .. } = family;
        Ok(Self {
            loss: Box::new(loss),
            smoothing: MonteCarlo::new(family.draws, family.seed)?,
            seeded: SeededNoise::new(Vec::new()),
            family,
            options,
            rho: Box::new(move |pair| rho.value(pair)),
            mu: Box::new(move |pair| mu.value(pair)),
            sigma: Box::new(move |pair| sigma.value(pair)),
            moves: None,
        })
    }

    /// ρ_t, μ_t and σ_t as functions of the step in place of the options' strengths. ρ is left out
    /// of the run only if the options' ρ is 0.
    ///
    /// With `s` another method's step size:
    ///
    /// | method | ρ_t | μ_t | σ_t | N_iter |
    /// |---|---|---|---|---|
    /// | DPS, ℓ the residual's norm | s √α_t | 0 | 0 | 0 |
    /// | LGD-MC | s √α_t | 0 | √(1 − ᾱ_t) | 0 |
    /// | FreeDoM | s √(ᾱ_t α_t) | 0 | 0 | 0 |
    /// | MPGD | 0 | s | 0 | 1 |
    /// | UGD, noise follows | s √(1 − ᾱ_t) κ_t √α_t | its own | 0 | m |
    ///
    /// with κ_t = √(ᾱ_{t−1}(1 − ᾱ_t)/ᾱ_t) − √(1 − ᾱ_{t−1}).
    #[must_use]
    pub fn with_schedules(
        self,
        rho: impl Fn(StepPair) -> f64 + 'static,
        mu: impl Fn(StepPair) -> f64 + 'static,
        sigma: impl Fn(StepPair) -> f64 + 'static,
    ) -> Self {
        Self {
            rho: Box::new(rho),
            mu: Box::new(mu),
            sigma: Box::new(sigma),
            ..self
        }
    }

    /// Another source for the smoothing's draws.
    #[must_use]
    pub fn with_smoothing(self, smoothing: MonteCarlo) -> Self {
        Self { smoothing, ..self }
    }

    /// Δ0 after the steps on x̂0.
    fn descended(
        &mut self,
        x0: &ArrayD<f32>,
        pair: StepPair,
    ) -> Result<ArrayD<f32>, GuidanceError> {
        let (size, radius) = (
            self.options.strength(pair) * (self.mu)(pair),
            (self.sigma)(pair),
        );
        let mut point = x0.clone();
        for _ in 0..self.family.iterations {
            let value =
                self.smoothing
                    .evaluate(&mut self.seeded, self.loss.as_mut(), &point, radius)?;
            add_scaled(&mut point, -size, &value.gradient);
        }
        Ok(point - x0)
    }
}

impl Guidance for Tfg<'_> {
    fn name(&self) -> &str {
        NAME
    }

    fn needs_gradient(&self) -> bool {
        self.family.rho.size > 0.0
    }

    fn begin(&mut self, layout: &Layout) -> Result<(), DiffusionError> {
        self.moves = None;
        self.seeded = self.smoothing.begin(layout);
        Ok(())
    }

    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let pair = step.pair;
        let level = pair.from;
        self.moves = None;
        if !self.options.interval.contains(pair) {
            return model.denoise(x_t, level);
        }
        let failed = |error: GuidanceError| error.during(NAME, level.timestep);
        let mut moves = ArrayD::zeros(x_t.raw_dim());
        let x0 = if self.needs_gradient() {
            let (x0, mut pull_back) = model.linearize(x_t, level)?;
            let radius = (self.sigma)(pair);
            let value = self
                .smoothing
                .evaluate(&mut self.seeded, self.loss.as_mut(), &x0, radius)
                .map_err(failed)?;
            let gradient = pull_back(&value.gradient)?;
            same_shape(&gradient, x_t)?;
            let size = self.options.strength(pair) * (self.rho)(pair) / pair.alpha().sqrt();
            add_scaled(&mut moves, -size, &gradient);
            drop(pull_back);
            x0
        } else {
            model.denoise(x_t, level)?
        };
        if self.family.iterations > 0 {
            let change = self.descended(&x0, pair).map_err(failed)?;
            let kept = pair.to.alpha_bar.sqrt();
            let share = match self.family.noise {
                EditNoise::Keep => kept,
                EditNoise::Follow => {
                    let noise = pair.to.noise_variance() / level.noise_variance();
                    kept - (noise * level.alpha_bar).sqrt()
                }
            };
            add_scaled(&mut moves, share, &change);
        }
        confine(
            &mut moves,
            step.layout,
            self.options.max_step_rms,
            self.loss.name(),
        )
        .map_err(failed)?;
        self.moves = Some(moves);
        Ok(x0)
    }

    fn correct(
        &mut self,
        x_next: &mut ArrayD<f32>,
        _x_t: &ArrayD<f32>,
        _x0: &ArrayD<f32>,
        _step: &StepInfo<'_>,
    ) -> Result<(), DiffusionError> {
        if let Some(moves) = self.moves.take() {
            *x_next += &moves;
        }
        Ok(())
    }

    fn visits(&self, step: &StepInfo<'_>) -> usize {
        if self.options.interval.contains(step.pair) {
            self.family.recurrences
        } else {
            1
        }
    }
}
