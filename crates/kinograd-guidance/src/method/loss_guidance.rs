//! The part that all gradient methods share.

use kinograd_diffusion::{DiffusionError, Guidance, Layout, Model, StepInfo, StepPair};
use ndarray::{ArrayD, ArrayViewD, Axis};

use super::GuidanceOptions;
use crate::loss::checked;
use crate::{GuidanceError, Loss, LossValue};

/// Which gradient a method follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GradientAt {
    /// `∇_{x_t} ℓ = Jᵀ ∂ℓ/∂x̂0`.
    Noisy,
    /// `∂ℓ/∂x̂0`, which needs no gradient of the denoiser.
    Denoised,
}

/// What a rule sees of one sample at one step. Norms leave padding out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleStep {
    /// ℓ(x̂0).
    pub loss: f64,
    /// ‖g‖ of the gradient that the rule asked for.
    pub gradient_norm: f64,
    /// ‖ε‖ of the noise that x̂0 leaves in x_t.
    pub noise_norm: f64,
    /// Numbers in the sample.
    pub elements: usize,
    /// The noise levels of the step.
    pub pair: StepPair,
}

/// How far to move against the gradient: `x_{t−1} −= factor · g`.
pub trait StepRule {
    /// The method's name, as the command line writes it.
    fn name(&self) -> &str;

    /// The gradient it follows.
    fn gradient_at(&self) -> GradientAt {
        GradientAt::Noisy
    }

    /// Forgets the last run.
    fn begin(&mut self, layout: &Layout) {
        let _ = layout;
    }

    /// The loss and its gradient on x̂0, as the method sees them.
    ///
    /// # Errors
    /// What the loss returns, and [`GuidanceError::NonFinite`].
    fn evaluate(
        &mut self,
        loss: &mut dyn Loss,
        x0: &ArrayD<f32>,
        pair: StepPair,
    ) -> Result<LossValue, GuidanceError> {
        let _ = pair;
        checked(loss, x0)
    }

    /// What takes the gradient's place as the direction, element by element.
    fn direction(&mut self, gradient: ArrayD<f32>, pair: StepPair) -> ArrayD<f32> {
        let _ = pair;
        gradient
    }

    /// The factor for one sample with a gradient that is not zero.
    fn factor(&self, at: &SampleStep) -> f64;
}

/// Guidance by the gradient of a loss, moved by a rule, after the sampler's own step.
pub struct LossGuidance<'a, R> {
    rule: R,
    gradient_at: GradientAt,
    loss: Box<dyn Loss + 'a>,
    options: GuidanceOptions,
    moves: Option<ArrayD<f32>>,
    losses: Vec<f64>,
}

impl<'a, R: StepRule> LossGuidance<'a, R> {
    /// # Errors
    /// [`GuidanceError::Field`] if an option is out of range.
    pub fn new(
        rule: R,
        loss: impl Loss + 'a,
        options: GuidanceOptions,
    ) -> Result<Self, GuidanceError> {
        options.check()?;
        Ok(Self {
            gradient_at: rule.gradient_at(),
            rule,
            loss: Box::new(loss),
            options,
            moves: None,
            losses: Vec::new(),
        })
    }

    /// ℓ(x̂0) per sample at the last guided step.
    #[must_use]
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// `−factor · g` per sample.
    fn moves(
        &self,
        mut gradient: ArrayD<f32>,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, GuidanceError> {
        for (sample, mut g) in gradient.axis_iter_mut(Axis(0)).enumerate() {
            let elements = step.layout.elements(sample);
            let gradient_norm = norm(g.view(), elements);
            if !gradient_norm.is_finite() {
                return Err(GuidanceError::NonFinite {
                    loss: format!("gradient of {}", self.loss.name()),
                    sample,
                });
            }
            let at = SampleStep {
                loss: self.losses.get(sample).copied().unwrap_or(0.0),
                gradient_norm,
                noise_norm: noise_norm(x_t, x0, sample, elements, step.pair),
                elements,
                pair: step.pair,
            };
            let mut factor = if gradient_norm > 0.0 {
                self.options.strength(step.pair) * self.rule.factor(&at)
            } else {
                0.0
            };
            if let Some(max_step_rms) = self.options.max_step_rms {
                let longest = max_step_rms * (elements as f64).sqrt();
                if factor * gradient_norm > longest {
                    factor = longest / gradient_norm;
                }
            }
            for (index, element) in g.iter_mut().enumerate() {
                *element = if index < elements {
                    (-factor * f64::from(*element)) as f32
                } else {
                    0.0
                };
            }
        }
        Ok(gradient)
    }
}

/// Norm of a sample's first elements.
pub(super) fn norm(sample: ArrayViewD<'_, f32>, elements: usize) -> f64 {
    let squares = sample.iter().take(elements).map(|&x| f64::from(x).powi(2));
    squares.sum::<f64>().sqrt()
}

/// ‖ε‖ of the noise that x̂0 leaves in a sample's first elements.
pub(super) fn noise_norm(
    x_t: &ArrayD<f32>,
    x0: &ArrayD<f32>,
    sample: usize,
    elements: usize,
    pair: StepPair,
) -> f64 {
    let signal = pair.from.alpha_bar.sqrt();
    let squares = x_t
        .index_axis(Axis(0), sample)
        .into_iter()
        .zip(x0.index_axis(Axis(0), sample))
        .take(elements)
        .map(|(&x, &x0)| (f64::from(x) - signal * f64::from(x0)).powi(2))
        .sum::<f64>();
    (squares / pair.from.noise_variance()).sqrt()
}

impl<R: StepRule> Guidance for LossGuidance<'_, R> {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn needs_gradient(&self) -> bool {
        self.gradient_at == GradientAt::Noisy
    }

    fn begin(&mut self, layout: &Layout) -> Result<(), DiffusionError> {
        self.rule.begin(layout);
        self.moves = None;
        self.losses.clear();
        Ok(())
    }

    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let level = step.pair.from;
        self.moves = None;
        if !self.options.interval.contains(step.pair) {
            return model.denoise(x_t, level);
        }
        let mut evaluate = |x0: &ArrayD<f32>| {
            self.rule
                .evaluate(self.loss.as_mut(), x0, step.pair)
                .map_err(|error| error.during(self.rule.name(), level.timestep))
        };
        let at = self.gradient_at;
        let (x0, gradient) = match at {
            GradientAt::Denoised => {
                let x0 = model.denoise(x_t, level)?;
                let value = evaluate(&x0)?;
                self.losses = value.values;
                (x0, value.gradient)
            }
            GradientAt::Noisy => {
                let (x0, mut pull_back) = model.linearize(x_t, level)?;
                let value = evaluate(&x0)?;
                self.losses = value.values;
                let gradient = pull_back(&value.gradient)?;
                drop(pull_back);
                (x0, gradient)
            }
        };
        if gradient.shape() != x_t.shape() {
            return Err(DiffusionError::Shape {
                what: "pulled-back gradient",
                expected: x_t.shape().to_vec(),
                got: gradient.shape().to_vec(),
            });
        }
        let direction = self.rule.direction(gradient, step.pair);
        let moves = self
            .moves(direction, x_t, &x0, step)
            .map_err(|error| error.during(self.rule.name(), level.timestep))?;
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
}
