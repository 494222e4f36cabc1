use kinograd_diffusion::{DiffusionError, Guidance, Model, NoiseLevel, StepInfo, StepPair};
use ndarray::ArrayD;

use super::GuidanceOptions;
use super::edit::{add_scaled, confine, not_negative, same_shape};
use super::registry::{MethodInfo, Scales};
use crate::loss::checked;
use crate::{GuidanceError, Loss};

/// Longest edit of x̂0, where the options name none.
const MAX_MOVE: f64 = 0.3;

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "ugd",
    "Universal guidance, forward and backward (Bansal et al. 2023)",
    |objective, options| {
        let loss = objective.into_loss()?;
        let options = options.bounded(MAX_MOVE);
        Ok(Box::new(Ugd::new(UgdOptions::default(), loss, options)?))
    },
)
.scaled(Scales {
    path: 4.0,
    text: 1448.1546878700494,
    seg: 4096.000000000001,
    sketch: 1448.1546878700494,
});

const NAME: &str = "ugd";

/// What [`Ugd`] can be tuned by. The scale and its schedule multiply both strengths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UgdOptions {
    /// Strength s of the forward part; 0 leaves it out, and the denoiser's gradient with it.
    pub forward: f64,
    /// Descent steps m of the backward part; 0 leaves it out.
    pub backward_steps: usize,
    /// Length of a descent step.
    pub backward: f64,
    /// How often each guided step is taken (k).
    pub recurrences: usize,
}

impl Default for UgdOptions {
    fn default() -> Self {
        Self {
            forward: 1.0,
            backward_steps: 1,
            backward: 0.1,
            recurrences: 1,
        }
    }
}

/// Universal guidance (Bansal et al. 2023, algorithm 1). With ε the noise that x̂0 leaves in x_t:
///
/// - forward: `ε̂ = ε + s √(1 − ᾱ) ∇_{x_t} ℓ(x̂0)`;
/// - backward: m descent steps on x̂0 give Δ0, and `ε̂ −= √(ᾱ/(1 − ᾱ)) Δ0`;
/// - the sampler steps with ε̂, and k recurrences noise back and repeat.
///
/// A change of ε is one of x̂0 by `−√((1 − ᾱ)/ᾱ)` times as much, which is how it runs here with
/// any sampler. The forward part grows as 1/√ᾱ: give a schedule or an interval that leaves out the
/// first steps of a schedule that starts in pure noise.
pub struct Ugd<'a> {
    loss: Box<dyn Loss + 'a>,
    universal: UgdOptions,
    options: GuidanceOptions,
}

impl<'a> Ugd<'a> {
    /// # Errors
    /// [`GuidanceError::Field`] if an option is out of range.
    pub fn new(
        universal: UgdOptions,
        loss: impl Loss + 'a,
        options: GuidanceOptions,
    ) -> Result<Self, GuidanceError> {
        options.check()?;
        not_negative("forward", universal.forward)?;
        not_negative("backward", universal.backward)?;
        if universal.recurrences == 0 {
            return Err(GuidanceError::Field {
                field: "recurrences",
                value: "0".to_owned(),
                expected: "must take each step at least once",
            });
        }
        Ok(Self {
            loss: Box::new(loss),
            universal,
            options,
        })
    }

    /// x̂0 as the sampler shall see it.
    fn edited(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let pair = StepPair {
            from: level,
            to: step.pair.to,
        };
        if !self.options.interval.contains(pair) {
            return model.denoise(x_t, level);
        }
        let failed = |error: GuidanceError| error.during(NAME, level.timestep);
        let strength = self.options.strength(pair);
        let (x0, mut change) = if self.universal.forward > 0.0 {
            let (x0, mut pull_back) = model.linearize(x_t, level)?;
            let value = checked(self.loss.as_mut(), &x0).map_err(failed)?;
            let gradient = pull_back(&value.gradient)?;
            same_shape(&gradient, x_t)?;
            let factor = level.noise_variance() / level.alpha_bar.sqrt();
            let mut change = ArrayD::zeros(x_t.raw_dim());
            add_scaled(
                &mut change,
                -strength * self.universal.forward * factor,
                &gradient,
            );
            drop(pull_back);
            (x0, change)
        } else {
            (model.denoise(x_t, level)?, ArrayD::zeros(x_t.raw_dim()))
        };
        let mut descended = x0.clone();
        for _ in 0..self.universal.backward_steps {
            let value = checked(self.loss.as_mut(), &descended).map_err(failed)?;
            add_scaled(
                &mut descended,
                -strength * self.universal.backward,
                &value.gradient,
            );
        }
        change += &(descended - &x0);
        confine(
            &mut change,
            step.layout,
            self.options.max_step_rms,
            self.loss.name(),
        )
        .map_err(failed)?;
        Ok(x0 + change)
    }
}

impl Guidance for Ugd<'_> {
    fn name(&self) -> &str {
        NAME
    }

    fn needs_gradient(&self) -> bool {
        self.universal.forward > 0.0
    }

    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.edited(model, x_t, step.pair.from, step)
    }

    fn predict_again(
        &mut self,
        model: &mut Model<'_>,
        x: &ArrayD<f32>,
        level: NoiseLevel,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.edited(model, x, level, step)
    }

    fn visits(&self, step: &StepInfo<'_>) -> usize {
        if self.options.interval.contains(step.pair) {
            self.universal.recurrences
        } else {
            1
        }
    }
}
