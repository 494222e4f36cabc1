use kinograd_diffusion::{DiffusionError, Guidance, Layout, Model, StepInfo};
use ndarray::{Array2, ArrayD, Axis};

use super::edit::{confine, not_negative};
use super::{GuidanceOptions, TimestepInterval};
use crate::GuidanceError;
use crate::projection::solve_positive;

const NAME: &str = "linear-projection";

/// One linear equation on a sample: `Σ coefficient · x̂0[index] = value`, within a deviation.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearConstraint {
    /// Indices into the sample, row-major, and their coefficients.
    pub terms: Vec<(usize, f64)>,
    /// The value it shall have, in the sample's units.
    pub value: f64,
    /// Variance of the value; 0 if it shall hold exactly.
    pub variance: f64,
}

impl LinearConstraint {
    fn of(&self, x0: &[f32]) -> f64 {
        let term = |&(index, coefficient): &(usize, f64)| coefficient * f64::from(x0[index]);
        self.terms.iter().map(term).sum()
    }
}

/// Exact projection on linear constraints, as in ProjFlow (2026) and, with unit metric and no
/// variance, DDNM (Wang et al. 2022):
///
/// `Δ = R⁻¹Aᵀ (A R⁻¹Aᵀ + Σ)⁻¹ (y − A x̂0)`, `x̂0 += Δ`, noised with its old noise.
///
/// The change is the smallest in the norm of the metric R. Needs no gradient of the denoiser.
/// Where the constraint is on a path that is no linear function of the sample, see
/// [`PathProjection`](super::PathProjection), which projects by Gauss–Newton.
pub struct LinearProjection {
    constraints: Vec<Vec<LinearConstraint>>,
    metric: Option<Vec<f64>>,
    options: GuidanceOptions,
    moves: Option<ArrayD<f32>>,
}

impl LinearProjection {
    /// `constraints`: those of each sample of the batch. The options' scale is the share of Δ that
    /// is taken.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a number is not finite, a variance negative or a constraint
    /// without terms.
    pub fn new(
        constraints: Vec<Vec<LinearConstraint>>,
        options: GuidanceOptions,
    ) -> Result<Self, GuidanceError> {
        options.check()?;
        for constraint in constraints.iter().flatten() {
            not_negative("variance", constraint.variance)?;
            let finite = constraint.value.is_finite()
                && constraint.terms.iter().all(|(_, c)| c.is_finite())
                && constraint.terms.iter().any(|(_, c)| *c != 0.0);
            if !finite {
                return Err(GuidanceError::Field {
                    field: "constraint",
                    value: format!("{constraint:?}"),
                    expected: "must have finite numbers and a coefficient that is not zero",
                });
            }
        }
        Ok(Self {
            constraints,
            metric: None,
            options,
            moves: None,
        })
    }

    /// The diagonal of R, one number per element of a sample: large where x̂0 shall stay.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a number is not positive.
    pub fn with_metric(self, metric: Vec<f64>) -> Result<Self, GuidanceError> {
        if let Some(wrong) = metric.iter().find(|m| !(m.is_finite() && **m > 0.0)) {
            return Err(GuidanceError::Field {
                field: "metric",
                value: wrong.to_string(),
                expected: "must be a positive number",
            });
        }
        Ok(Self {
            metric: Some(metric),
            ..self
        })
    }

    /// Where the constraints are projected on.
    #[must_use]
    pub fn interval(&self) -> TimestepInterval {
        self.options.interval
    }

    fn change(&self, x0: &ArrayD<f32>, step: &StepInfo<'_>) -> Result<ArrayD<f32>, GuidanceError> {
        let share = self.options.strength(step.pair);
        let mut change = ArrayD::zeros(x0.raw_dim());
        for (sample, constraints) in self.constraints.iter().enumerate() {
            let values: Vec<f32> = x0.index_axis(Axis(0), sample).iter().copied().collect();
            let delta = self.delta(constraints, &values)?;
            let mut out = change.index_axis_mut(Axis(0), sample);
            for (out, delta) in out.iter_mut().zip(delta) {
                *out = (share * delta) as f32;
            }
        }
        confine(&mut change, step.layout, self.options.max_step_rms, NAME)?;
        Ok(change)
    }

    /// Δ of one sample.
    fn delta(
        &self,
        constraints: &[LinearConstraint],
        x0: &[f32],
    ) -> Result<Vec<f64>, GuidanceError> {
        let inverse = |index: usize| {
            let metric = self.metric.as_ref().and_then(|m| m.get(index));
            1.0 / metric.copied().unwrap_or(1.0)
        };
        let count = constraints.len();
        let mut gram = Array2::<f64>::zeros((count, count));
        let mut row = vec![0.0; x0.len()];
        for (i, first) in constraints.iter().enumerate() {
            for &(index, coefficient) in &first.terms {
                row[index] += coefficient * inverse(index);
            }
            for (j, second) in constraints.iter().enumerate() {
                gram[[i, j]] = second.terms.iter().map(|&(k, c)| c * row[k]).sum();
            }
            gram[[i, i]] += first.variance;
            for &(index, _) in &first.terms {
                row[index] = 0.0;
            }
        }
        let gaps = constraints.iter().map(|c| c.value - c.of(x0)).collect();
        let multipliers = solve_positive(gram, gaps).ok_or_else(|| GuidanceError::Field {
            field: "constraint",
            value: format!("{count} equations"),
            expected: "must be independent of each other",
        })?;
        let mut delta = vec![0.0; x0.len()];
        for (constraint, multiplier) in constraints.iter().zip(multipliers) {
            for &(index, coefficient) in &constraint.terms {
                delta[index] += inverse(index) * coefficient * multiplier;
            }
        }
        Ok(delta)
    }
}

impl Guidance for LinearProjection {
    fn name(&self) -> &str {
        NAME
    }

    fn needs_gradient(&self) -> bool {
        false
    }

    fn begin(&mut self, layout: &Layout) -> Result<(), DiffusionError> {
        self.moves = None;
        let fault = |field, value: String, expected| {
            GuidanceError::Field {
                field,
                value,
                expected,
            }
            .during(NAME, 0.0)
        };
        if self.constraints.len() != layout.batch() {
            return Err(fault(
                "constraints",
                format!("for {} samples", self.constraints.len()),
                "must be one list per sample of the batch",
            ));
        }
        let longest = (0..layout.batch())
            .map(|sample| layout.elements(sample))
            .max();
        if let Some(metric) = &self.metric
            && metric.len() < longest.unwrap_or(0)
        {
            return Err(fault(
                "metric",
                format!("of {} numbers", metric.len()),
                "must cover a sample",
            ));
        }
        for (sample, constraints) in self.constraints.iter().enumerate() {
            let elements = layout.elements(sample);
            let mut indices = constraints.iter().flat_map(|c| &c.terms);
            if let Some((index, _)) = indices.find(|(index, _)| *index >= elements) {
                return Err(fault(
                    "constraint",
                    format!("element {index} of sample {sample}"),
                    "must lie within the sample, padding left out",
                ));
            }
        }
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
        let x0 = model.denoise(x_t, level)?;
        if self.options.interval.contains(step.pair) {
            let change = self
                .change(&x0, step)
                .map_err(|error| error.during(NAME, level.timestep))?;
            let kept = step.pair.to.alpha_bar.sqrt();
            self.moves = Some(change.mapv(|c| (kept * f64::from(c)) as f32));
        }
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
