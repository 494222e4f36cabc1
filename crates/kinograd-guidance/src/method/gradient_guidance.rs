use kinograd_diffusion::{DiffusionError, Guidance, Layout, Model, NoiseLevel, StepInfo};
use ndarray::{ArrayD, Axis};
use serde::{Deserialize, Serialize};

use super::GuidanceOptions;
use super::edit::{confine, not_negative, same_shape};
use crate::GuidanceError;

/// How a linearised objective enters the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lookahead {
    /// `G = β (y − gᵀx̂0) g` with `β = √ᾱ/(σ² + h‖g‖²)`: leaves the subspace of the data.
    Naive,
    /// `G_loss = −β ∇_{x_t}(y − gᵀx̂0)²` with `β = (ᾱ/2)/(ᾱσ² + h‖∇_{x_t} gᵀx̂0‖²)`: stays in it.
    #[default]
    Loss,
    /// As `Loss`, but `β = 1/(2(σ² + (h/√ᾱ) gᵀJᵀg))`, whose denominator is the variance of y given
    /// x_t by Tweedie's second-order formula. Then the score is that of the data given y for
    /// any Gaussian data, where `Loss` is so only if the covariance is a projection.
    Posterior,
}

/// A linearised objective: `gᵀx` shall have the value y.
#[derive(Debug, Clone, PartialEq)]
pub struct Linearization {
    /// g per sample, `[batch, ...]`.
    pub gradient: ArrayD<f32>,
    /// y per sample.
    pub values: Vec<f64>,
}

/// Gradient guidance for optimisation (Guo et al. 2024): the score plus G, with `h = 1 − ᾱ` and σ
/// the deviation of y. One pull-back gives G and its β.
///
/// A change G of the score is one of x̂0 by `(h/√ᾱ) G`, which is how it runs with any sampler.
pub struct GradientGuidance {
    lookahead: Lookahead,
    objective: Linearization,
    deviation: f64,
    options: GuidanceOptions,
}

impl GradientGuidance {
    /// σ in the authors' code.
    pub const DEVIATION: f64 = 0.1;

    /// # Errors
    /// [`GuidanceError::Field`] if an option or a number of the objective is out of range.
    pub fn new(
        lookahead: Lookahead,
        objective: Linearization,
        deviation: f64,
        options: GuidanceOptions,
    ) -> Result<Self, GuidanceError> {
        options.check()?;
        not_negative("deviation", deviation)?;
        let batch = objective.gradient.shape().first().copied().unwrap_or(0);
        if batch != objective.values.len() {
            return Err(GuidanceError::Shape {
                what: "values of the objective",
                expected: vec![batch],
                got: vec![objective.values.len()],
            });
        }
        let numbers = objective.gradient.iter().all(|g| g.is_finite());
        if !numbers || objective.values.iter().any(|y| !y.is_finite()) {
            return Err(GuidanceError::Field {
                field: "objective",
                value: "not finite".to_owned(),
                expected: "must have a finite gradient and value",
            });
        }
        Ok(Self {
            lookahead,
            objective,
            deviation,
            options,
        })
    }

    fn edited(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        if !self.options.interval.contains(step.pair) {
            return model.denoise(x_t, level);
        }
        let failed = |error: GuidanceError| error.during(self.name(), level.timestep);
        let (x0, direction) = if self.lookahead == Lookahead::Naive {
            (model.denoise(x_t, level)?, self.objective.gradient.clone())
        } else {
            let (x0, mut pull_back) = model.linearize(x_t, level)?;
            let through = pull_back(&self.objective.gradient)?;
            same_shape(&through, x_t)?;
            (x0, through)
        };
        let strength = self.options.strength(step.pair);
        let mut change = direction.clone();
        for sample in 0..step.layout.batch() {
            let elements = step.layout.elements(sample);
            let factor = strength * self.factor(sample, elements, &x0, &direction, level);
            change
                .index_axis_mut(Axis(0), sample)
                .mapv_inplace(|d| (factor * f64::from(d)) as f32);
        }
        confine(
            &mut change,
            step.layout,
            self.options.max_step_rms,
            "objective",
        )
        .map_err(failed)?;
        Ok(x0 + change)
    }

    /// What multiplies the direction for x̂0's change.
    fn factor(
        &self,
        sample: usize,
        elements: usize,
        x0: &ArrayD<f32>,
        direction: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> f64 {
        let dot = |a: &ArrayD<f32>, b: &ArrayD<f32>| -> f64 {
            let (a, b) = (a.index_axis(Axis(0), sample), b.index_axis(Axis(0), sample));
            let terms = a.iter().zip(b.iter()).take(elements);
            terms.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        let g = &self.objective.gradient;
        let gap = self.objective.values[sample] - dot(g, x0);
        let (signal, h) = (level.alpha_bar.sqrt(), level.noise_variance());
        let variance = self.deviation * self.deviation;
        let (numerator, denominator) = match self.lookahead {
            Lookahead::Naive => (h, variance + h * dot(g, g)),
            Lookahead::Loss => (
                h * signal,
                level.alpha_bar * variance + h * dot(direction, direction),
            ),
            Lookahead::Posterior => (
                h / signal,
                variance + (h / signal * dot(g, direction)).max(0.0),
            ),
        };
        if denominator > 0.0 {
            gap * numerator / denominator
        } else {
            0.0
        }
    }
}

impl Guidance for GradientGuidance {
    fn name(&self) -> &str {
        match self.lookahead {
            Lookahead::Naive => "gradient-naive",
            Lookahead::Loss => "gradient-loss",
            Lookahead::Posterior => "gradient-posterior",
        }
    }

    fn needs_gradient(&self) -> bool {
        self.lookahead != Lookahead::Naive
    }

    fn begin(&mut self, layout: &Layout) -> Result<(), DiffusionError> {
        if self.objective.gradient.shape() == layout.shape() {
            Ok(())
        } else {
            Err(DiffusionError::Shape {
                what: "gradient of the objective",
                expected: layout.shape().to_vec(),
                got: self.objective.gradient.shape().to_vec(),
            })
        }
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
}
