//! Goals on the ground by projection.

use kinograd_diffusion::{DiffusionError, Guidance, Layout, Model, StepInfo};
use ndarray::{Array2, ArrayD, Axis};
use serde::{Deserialize, Serialize};

use super::further_moves::{extra_moves, leave_way};
use super::loss_guidance::norm;
use super::registry::{MethodInfo, Scales};
use super::{GuidanceOptions, Objective};
use crate::loss::checked;
use crate::projection::{CHANNELS, Correction, MotionSolver, PathSolver, Side, correction_on_x0};
use crate::{GroundGoals, GuidanceError, Loss, MotionDecoder, MotionLossAdapter};

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "projection",
    "Least change of the root's path that meets the goals, the body following through the network's gradient",
    |objective, options| {
        let guidance = PathProjection::following(objective, options, ProjectionOptions::default())?;
        Ok(Box::new(guidance))
    },
)
.scaled(Scales { path: 0.125, text: 1.0, seg: 1.0, sketch: 1.0 });

/// What [`PathProjection`] can be tuned by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectionOptions {
    /// Longest move through the network, as a share of `√n · σ_t`; 0 leaves the network's gradient
    /// out.
    pub cap: f64,
    /// Largest share of the step that would give the change if x̂0 were linear in x_t. A whole step
    /// overshoots and takes the clip away from its text; none leaves feet to slide where the way is
    /// bent far.
    pub pull_back: f64,
    /// Size of the change, `⟨δ*, δ⟩` a frame in normalised units, from which that share is taken where
    /// all goals are on the ground. Of smaller changes, which the last step can make by itself, the
    /// share falls in proportion; 0 takes it of all.
    pub whole_pull_back_from: f64,
    /// The network is asked once ᾱ_t is at least this, for the goals and for a further loss. Before,
    /// x̂0 is near the mean of all motions, and a move against it costs the gait rather than the way.
    pub network_from_alpha_bar: f64,
    /// x̂0 itself is corrected in the last step and wherever ᾱ_t is at least this.
    pub edit_from_alpha_bar: f64,
    /// Metres kept from obstacles beyond their edge.
    pub margin_m: f64,
    /// How willingly the heading velocity is changed, against the planar velocities.
    pub turn_weight: f64,
    /// An obstacle's side is decided once ᾱ_t is at least this.
    pub decide_side_from_alpha_bar: f64,
    /// x̂0's joints are corrected once ᾱ_t is at least this, where there are goals for them: the
    /// network mends in the steps that follow what the correction tears.
    pub edit_joints_from_alpha_bar: f64,
}

impl Default for ProjectionOptions {
    fn default() -> Self {
        Self {
            cap: 0.15,
            pull_back: 0.25,
            whole_pull_back_from: 0.5,
            network_from_alpha_bar: 0.2,
            edit_from_alpha_bar: 0.9,
            margin_m: 0.05,
            turn_weight: 0.1,
            decide_side_from_alpha_bar: 0.2,
            edit_joints_from_alpha_bar: 0.2,
        }
    }
}

impl ProjectionOptions {
    fn check(&self) -> Result<(), GuidanceError> {
        for (field, value, positive) in [
            ("cap", self.cap, false),
            ("pull_back", self.pull_back, false),
            ("whole_pull_back_from", self.whole_pull_back_from, false),
            ("network_from_alpha_bar", self.network_from_alpha_bar, false),
            ("edit_from_alpha_bar", self.edit_from_alpha_bar, false),
            ("margin", self.margin_m, false),
            ("turn_weight", self.turn_weight, true),
            (
                "decide_side_from_alpha_bar",
                self.decide_side_from_alpha_bar,
                false,
            ),
            (
                "edit_joints_from_alpha_bar",
                self.edit_joints_from_alpha_bar,
                false,
            ),
        ] {
            if !value.is_finite() || value < 0.0 || (positive && value == 0.0) {
                return Err(GuidanceError::Field {
                    field,
                    value: value.to_string(),
                    expected: "must be a number that is not negative (a weight: positive)",
                });
            }
        }
        Ok(())
    }

    /// The share of the step through the network, of a change with this `⟨δ*, δ⟩` a frame.
    fn share(&self, gain: f64) -> f64 {
        if gain < self.whole_pull_back_from {
            self.pull_back * gain / self.whole_pull_back_from
        } else {
            self.pull_back
        }
    }
}

/// Kinograd's own method for goals on the ground.
///
/// At every step the smallest change δ of x̂0's root channels that meets all goals is found by
/// Gauss–Newton: waypoints as equations, obstacles as inequalities on the side where the path
/// passes, least in the norm of normalised features. Then
///
/// 1. the network is asked for it: `x_{t−1} += s · g` with `g = Jᵀ δ*`, δ* = W⁻¹δ, and
///    `s = p ⟨δ*, δ⟩ / ‖g‖²`, a share p of the step of Kaczmarz, which would give δ if x̂0 were linear
///    in x_t: [`ProjectionOptions::pull_back`] of large changes, less of small ones if all goals are on
///    the ground. Its length is at most `cap · √n · σ_t`, as in [`CappedPolyak`](super::CappedPolyak). All of the body follows, not the root alone;
/// 2. at low noise, x̂0 is changed by δ itself, noised with its old noise as in
///    [`Mpgd`](super::Mpgd): the last step leaves no residual.
///
/// The parts are known: minimum-norm projection of x̂0 is that of linear inverse problems (DDNM,
/// Wang et al. 2022; ProjFlow), the capped step is a Polyak step with known optimum 0. Their
/// combination on a root path, and the sideways rows for obstacles, are this crate's.
///
/// Goals for joints ([`PathProjection::with_constraints`]) are met in the same two ways: δ is then
/// found for all positions by covariant Polyak steps, in turns with the path's.
///
/// A further loss is followed by a [`CappedPolyak`](super::CappedPolyak) step of its own, without its
/// parts along the network's gradients for the goals in this step and the one before: its steps have one length however near they are, and left to
/// themselves they throw the path to and fro.
pub struct PathProjection<'a> {
    decoder: MotionDecoder,
    goals: GroundGoals,
    solver: PathSolver,
    options: GuidanceOptions,
    projection: ProjectionOptions,
    joints: Option<(MotionSolver, MotionLossAdapter)>,
    extra: Option<(f64, Box<dyn Loss + 'a>)>,
    sides: Vec<Vec<Option<Side>>>,
    moves: Option<ArrayD<f32>>,
    /// The network's gradient for the goals in the step before.
    way_before: Option<ArrayD<f32>>,
}

const NAME: &str = "projection";
/// Turns that goals for joints and goals for the path take, the path's last.
const TURNS: usize = 2;
/// Times through the goals for joints, in a turn of one step and of the last.
const SWEEPS: usize = 6;
const LAST_SWEEPS: usize = 40;

impl<'a> PathProjection<'a> {
    /// # Errors
    /// [`GuidanceError`] if an option or a goal is out of range.
    pub fn new(
        decoder: MotionDecoder,
        goals: GroundGoals,
        options: GuidanceOptions,
        projection: ProjectionOptions,
    ) -> Result<Self, GuidanceError> {
        options.check()?;
        projection.check()?;
        for &length in decoder.lengths() {
            goals.check(length)?;
        }
        let std = decoder.representation().features_std();
        let solver = PathSolver {
            channel_std: [0, 1, 2].map(|channel| f64::from(std[channel])),
            weights: [projection.turn_weight, 1.0, 1.0],
            margin_m: projection.margin_m,
        };
        Ok(Self {
            decoder,
            goals,
            solver,
            options,
            projection,
            joints: None,
            extra: None,
            sides: Vec::new(),
            moves: None,
            way_before: None,
        })
    }

    /// The method with all that a clip shall meet and follow.
    ///
    /// # Errors
    /// [`GuidanceError`] if an option or a goal is out of range, or the objective has no path.
    pub fn following(
        objective: Objective<'a>,
        options: GuidanceOptions,
        projection: ProjectionOptions,
    ) -> Result<Self, GuidanceError> {
        let path = objective.path.ok_or_else(|| GuidanceError::Field {
            field: "method",
            value: INFO.name.to_owned(),
            expected: "must follow a loss; this one takes goals for clips",
        })?;
        let mut guidance = Self::new(path.decoder, path.goals, options, projection)?;
        if let Some(constraints) = objective.constraints {
            guidance = guidance.with_constraints(constraints);
        }
        match Objective::soft(objective.losses)? {
            Some((scale, loss)) => guidance.with_loss(scale, loss),
            None => Ok(guidance),
        }
    }

    /// Adds goals for joints, whose losses are 0 where they are met: places, poses, shapes to keep
    /// in or out of, facing, speed. Their weights don't matter.
    #[must_use]
    pub fn with_constraints(self, constraints: MotionLossAdapter) -> Self {
        let std = self.decoder.representation().features_std();
        let solver = MotionSolver::new(std, self.solver.weights);
        Self {
            joints: (!constraints.is_empty()).then_some((solver, constraints)),
            ..self
        }
    }

    /// Adds a loss to follow besides. `scale` multiplies its moves; their length does not depend on
    /// the loss's own scale.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if `scale` is negative or not finite.
    pub fn with_loss(self, scale: f64, loss: impl Loss + 'a) -> Result<Self, GuidanceError> {
        if !(scale.is_finite() && scale >= 0.0) {
            return Err(GuidanceError::Field {
                field: "scale of the further loss",
                value: scale.to_string(),
                expected: "must be a number that is not negative",
            });
        }
        Ok(Self {
            extra: Some((scale, Box::new(loss))),
            ..self
        })
    }

    /// Whether the corrections are pulled back through the network in this step.
    fn pulls_corrections(&self, step: &StepInfo<'_>) -> bool {
        !(self.goals.is_empty() && self.joints.is_none())
            && self.projection.cap > 0.0
            && step.pair.posterior_std() > 0.0
            && self.asks_network(step)
    }

    fn asks_network(&self, step: &StepInfo<'_>) -> bool {
        step.pair.from.alpha_bar >= self.projection.network_from_alpha_bar
            && self.options.interval.contains(step.pair)
    }

    fn uses_network(&self, step: &StepInfo<'_>) -> bool {
        (self.extra.is_some() && self.asks_network(step)) || self.pulls_corrections(step)
    }

    /// The correction of every sample's x̂0.
    fn corrections(
        &mut self,
        x0: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<Vec<Correction>, GuidanceError> {
        let decided = step.pair.from.alpha_bar >= self.projection.decide_side_from_alpha_bar;
        let sweeps = if step.index + 1 == step.total {
            LAST_SWEEPS
        } else {
            SWEEPS
        };
        let std = self.decoder.representation().features_std();
        let mut corrections = Vec::with_capacity(self.sides.len());
        for (sample, decided_sides) in self.sides.iter_mut().enumerate() {
            let features = self.decoder.features(x0, sample)?;
            let mut sides = decided_sides.clone();
            let mut on_path = |features: &Array2<f32>| {
                self.solver
                    .correct(features.view(), &self.goals, &mut sides)
            };
            let correction = match &self.joints {
                None => on_path(&features)?,
                Some((solver, constraints)) => {
                    let std = &std;
                    let mut moved = features.clone();
                    let mut total = Correction {
                        change: Array2::zeros(features.raw_dim()),
                        covector: Array2::zeros(features.raw_dim()),
                    };
                    for _ in 0..TURNS {
                        total.add(&solver.correct(moved.view(), constraints, sweeps)?);
                        total.apply(features.view(), std, &mut moved);
                        total.add(&on_path(&moved)?);
                        total.apply(features.view(), std, &mut moved);
                    }
                    total
                }
            };
            corrections.push(correction_on_x0(
                &self.decoder,
                x0,
                sample,
                correction,
                &std,
            )?);
            if decided {
                *decided_sides = sides;
            }
        }
        Ok(corrections)
    }

    /// `x_{t−1}`'s move, from the corrections and the gradient through the network.
    fn moves(
        &self,
        corrections: &[Correction],
        through_network: Option<&ArrayD<f32>>,
        x0: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> ArrayD<f32> {
        let mut moves = ArrayD::zeros(x0.raw_dim());
        let last = step.index + 1 == step.total;
        let alpha_bar = step.pair.from.alpha_bar;
        let edits_path = last || alpha_bar >= self.projection.edit_from_alpha_bar;
        let edits_joints = last || alpha_bar >= self.projection.edit_joints_from_alpha_bar;
        for (sample, correction) in corrections.iter().enumerate() {
            let mut out = moves.index_axis_mut(Axis(0), sample);
            if let Some(gradient) = through_network {
                let elements = step.layout.elements(sample);
                let gradient = gradient.index_axis(Axis(0), sample);
                let length = norm(gradient.view(), elements);
                let gain = (&correction.change * &correction.covector).sum();
                let cap = self.projection.cap * step.pair.posterior_std();
                let cap = cap.min(self.options.max_step_rms.unwrap_or(f64::INFINITY));
                let longest = cap * (elements as f64).sqrt();
                if length > 0.0 {
                    let share = match self.joints {
                        // What a joint does in a few frames is small over a clip, and no edit of
                        // the last step makes it by itself.
                        Some(_) => self.projection.pull_back,
                        None => {
                            let frames = step.layout.lengths()[sample] as f64;
                            self.projection.share(gain / frames)
                        }
                    };
                    let strength = share * self.options.strength(step.pair);
                    let factor = (strength * gain / length).min(longest) / length;
                    for (out, &g) in out.iter_mut().zip(&gradient).take(elements) {
                        *out += (factor * f64::from(g)) as f32;
                    }
                }
            }
            let signal = step.pair.to.alpha_bar.sqrt();
            for ((frame, channel), change) in correction.change.indexed_iter() {
                let edits = if channel < CHANNELS {
                    edits_path
                } else {
                    edits_joints
                };
                if edits {
                    out[[frame, channel]] += (signal * change) as f32;
                }
            }
        }
        moves
    }
}

/// The covectors of all samples as a cotangent on x̂0.
fn cotangent(covectors: &[Correction], x0: &ArrayD<f32>) -> ArrayD<f32> {
    let mut cotangent = ArrayD::zeros(x0.raw_dim());
    for (sample, correction) in covectors.iter().enumerate() {
        let covector: &Array2<f64> = &correction.covector;
        for ((frame, channel), value) in covector.indexed_iter() {
            cotangent[[sample, frame, channel].as_slice()] = *value as f32;
        }
    }
    cotangent
}

impl Guidance for PathProjection<'_> {
    fn name(&self) -> &str {
        NAME
    }

    fn needs_gradient(&self) -> bool {
        self.projection.cap > 0.0 || self.extra.is_some()
    }

    fn begin(&mut self, layout: &Layout) -> Result<(), DiffusionError> {
        self.moves = None;
        self.way_before = None;
        self.sides = vec![vec![None; self.goals.obstacles.len()]; layout.batch()];
        if layout.lengths() == self.decoder.lengths() {
            Ok(())
        } else {
            Err(DiffusionError::Shape {
                what: "lengths of the batch",
                expected: self.decoder.lengths().to_vec(),
                got: layout.lengths().to_vec(),
            })
        }
    }

    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let level = step.pair.from;
        let failed = |error: GuidanceError| error.during(NAME, level.timestep);
        if !self.uses_network(step) {
            let x0 = model.denoise(x_t, level)?;
            let corrections = self.corrections(&x0, step).map_err(failed)?;
            self.moves = Some(self.moves(&corrections, None, &x0, step));
            return Ok(x0);
        }
        let (x0, mut pull_back) = model.linearize(x_t, level)?;
        let corrections = self.corrections(&x0, step).map_err(failed)?;
        let through_network = if self.pulls_corrections(step) {
            Some(pull_back(&cotangent(&corrections, &x0))?)
        } else {
            None
        };
        let extra = match &mut self.extra {
            Some((scale, loss)) => {
                let value = checked(loss.as_mut(), &x0).map_err(failed)?;
                Some((*scale, pull_back(&value.gradient)?))
            }
            None => None,
        };
        drop(pull_back);
        for gradient in through_network.iter().chain(extra.iter().map(|(_, g)| g)) {
            if gradient.shape() != x_t.shape() {
                return Err(DiffusionError::Shape {
                    what: "pulled-back gradient",
                    expected: x_t.shape().to_vec(),
                    got: gradient.shape().to_vec(),
                });
            }
        }
        let mut moves = self.moves(&corrections, through_network.as_ref(), &x0, step);
        if let Some((scale, gradient)) = extra {
            let scale = scale * self.options.scale;
            let mut further = extra_moves(scale, gradient, x_t, &x0, step);
            // An obstacle that was left in the step before asks for nothing now.
            for goals in self.way_before.iter().chain(&through_network) {
                leave_way(&mut further, goals, step.layout);
            }
            moves += &further;
        }
        self.moves = Some(moves);
        self.way_before = through_network;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_changes_are_pulled_back_less() {
        let options = ProjectionOptions {
            pull_back: 0.2,
            whole_pull_back_from: 0.5,
            ..ProjectionOptions::default()
        };
        for (gain, share) in [(0.0, 0.0), (0.25, 0.1), (0.5, 0.2), (7.0, 0.2)] {
            assert_eq!(options.share(gain), share, "{gain}");
        }
        let whole = ProjectionOptions {
            whole_pull_back_from: 0.0,
            ..options
        };
        assert_eq!(whole.share(0.0), 0.2);
    }
}
