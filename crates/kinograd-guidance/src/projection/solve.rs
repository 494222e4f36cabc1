//! Gauss–Newton with minimum-norm steps.

use kinograd_motion::features::{YAW_VELOCITY, decode_headings, decode_root_path};
use ndarray::{Array1, Array2, ArrayView2, s};

use super::CHANNELS;
use super::constraints::{Bypass, Kind, Row, Side, waypoint_rows};
use super::linear::solve_positive;
use super::smooth::Smoothing;
use crate::{GroundGoals, GuidanceError};

/// Gauss–Newton steps at most; without a turn of more than a right angle three are enough.
const MOST_STEPS: usize = 16;
/// A step turns no heading by more than this, radians: beyond, the rows' slopes mean nothing.
const MOST_TURN_RAD: f64 = 0.7;
/// Gap at which the goals count as met.
const CLOSED_M: f64 = 1e-3;
/// Softness of the rows of obstacles and routes: neighbouring frames ask for nearly the same.
const SOFTNESS: f64 = 0.02;
/// Keeps the system solvable where goals repeat each other.
const JITTER: f64 = 1e-9;

/// A change of normalised features that meets goals.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Correction {
    /// Change of the first channels, `[frames, channels]`: the three of the root, or all.
    pub change: Array2<f64>,
    /// Its covector `W⁻¹ · change`, of the same shape: where the change comes from.
    pub covector: Array2<f64>,
}

impl Correction {
    /// The sum of both; the channels of `other` come first in those of `self`.
    pub fn add(&mut self, other: &Self) {
        let channels = other.change.ncols();
        let mut first = self.change.slice_mut(s![.., ..channels]);
        first += &other.change;
        let mut first = self.covector.slice_mut(s![.., ..channels]);
        first += &other.covector;
    }

    /// `moved` becomes `features`, not normalised, with this change of all their channels.
    pub fn apply(&self, features: ArrayView2<'_, f32>, std: &Array1<f32>, moved: &mut Array2<f32>) {
        ndarray::Zip::from(moved)
            .and(features)
            .and(&self.change)
            .and_broadcast(std)
            .for_each(|moved, &from, &change, &std| {
                *moved = (f64::from(from) + change * f64::from(std)) as f32;
            });
    }
}

/// Finds corrections for one clip after another.
#[derive(Debug, Clone)]
pub(crate) struct PathSolver {
    /// Standard deviations of the three root channels.
    pub channel_std: [f64; CHANNELS],
    /// Squared willingness to change a channel, per channel.
    pub weights: [f64; CHANNELS],
    /// Metres kept from obstacles beyond their edge.
    pub margin_m: f64,
}

impl PathSolver {
    /// For `features` `[frames, 263]`, not normalised. `sides`: one per obstacle, decided before
    /// or left to the path; those left are reported as the path takes them.
    ///
    /// Minimises the norm of the change, in which a channel counts by its weight and velocities that
    /// jump count more than smooth ones ([`Smoothing`]), under the linearised goals, and repeats
    /// where the path has moved to.
    pub fn correct(
        &self,
        features: ArrayView2<'_, f32>,
        goals: &GroundGoals,
        sides: &mut [Option<Side>],
    ) -> Result<Correction, GuidanceError> {
        let frames = features.nrows();
        let mut moved = features.to_owned();
        let mut correction = Correction {
            change: Array2::zeros((frames, CHANNELS)),
            covector: Array2::zeros((frames, CHANNELS)),
        };
        let mut entered = vec![false; goals.obstacles.len()];
        let smoothing = Smoothing::new(frames);
        for _ in 0..MOST_STEPS {
            let path = decode_root_path(moved.view())?;
            let headings = decode_headings(moved.view())?;
            let mut rows = waypoint_rows(goals, path.view())?;
            let obstacles = goals.obstacles.iter().zip(&mut entered);
            for ((circle, entered), side) in obstacles.zip(sides.iter_mut()) {
                let bypass = Bypass::new(circle, self.margin_m, goals, path.view());
                let (distance_m, own_side) = bypass.passes(path.view());
                *entered |= distance_m < 0.0;
                if *entered {
                    let planned = bypass.planned_side(goals, frames);
                    let side = *side.get_or_insert(planned.unwrap_or(own_side));
                    rows.extend(bypass.rows(path.view(), side));
                }
            }
            let binds = |row: &&Row| row.kind != Kind::Route;
            if rows
                .iter()
                .filter(binds)
                .all(|row| row.gap_m.abs() < CLOSED_M)
            {
                break;
            }
            let matrix = self.matrix(&rows, path.view(), &headings);
            let Some(next) = self.minimum_norm(&rows, &matrix, &smoothing, &correction) else {
                return Err(GuidanceError::Field {
                    field: "goals",
                    value: format!("{} waypoints", goals.waypoints.len()),
                    expected: "must be consistent and finite",
                });
            };
            self.step_to(next, &mut correction);
            for frame in 0..frames {
                for channel in 0..CHANNELS {
                    // The planar velocities follow the heading velocity.
                    let column = YAW_VELOCITY + channel;
                    let change = correction.change[[frame, channel]] * self.channel_std[channel];
                    moved[[frame, column]] = (f64::from(features[[frame, column]]) + change) as f32;
                }
            }
        }
        Ok(correction)
    }

    /// Goes towards the next correction as far as headings may turn in a step.
    fn step_to(&self, next: Correction, correction: &mut Correction) {
        let turns = &next.change.column(0) - &correction.change.column(0);
        let (mut turned, mut most) = (0.0_f64, 0.0_f64);
        for turn in turns {
            // A heading is −2 times the sum of the heading velocities before it.
            turned += 2.0 * self.channel_std[0] * turn;
            most = most.max(turned.abs());
        }
        if most <= MOST_TURN_RAD {
            *correction = next;
            return;
        }
        let share = MOST_TURN_RAD / most;
        for (now, next) in [
            (&mut correction.change, next.change),
            (&mut correction.covector, next.covector),
        ] {
            *now *= 1.0 - share;
            now.scaled_add(share, &next);
        }
    }

    /// `∂(normal · path at the row's frame) / ∂(normalised channels)`, `[rows, frames · 3]`.
    ///
    /// With heading θ_t = −2 Σ_{s<t} f_s, a change of f_s turns the rest of the path about its
    /// point at s; a velocity enters the path turned by the heading of the next frame.
    fn matrix(&self, rows: &[Row], path: ArrayView2<'_, f64>, headings: &[f64]) -> Array2<f64> {
        let mut matrix = Array2::zeros((rows.len(), path.nrows() * CHANNELS));
        let turns: Vec<(f64, f64)> = headings.iter().map(|yaw| yaw.sin_cos()).collect();
        for (row, mut out) in rows.iter().zip(matrix.outer_iter_mut()) {
            let [nx, nz] = row.normal;
            for frame in 0..row.frame {
                let ahead = [
                    path[[row.frame, 0]] - path[[frame, 0]],
                    path[[row.frame, 1]] - path[[frame, 1]],
                ];
                let (sin, cos) = turns[frame + 1];
                let slopes = [
                    -2.0 * (nx * ahead[1] - nz * ahead[0]),
                    nx * cos - nz * sin,
                    nx * sin + nz * cos,
                ];
                for (channel, slope) in slopes.into_iter().enumerate() {
                    out[frame * CHANNELS + channel] = slope * self.channel_std[channel];
                }
            }
        }
        matrix
    }

    /// The total change of least weighted norm that closes the gaps to first order: obstacle rows
    /// that would pull the path inwards are dropped.
    fn minimum_norm(
        &self,
        rows: &[Row],
        matrix: &Array2<f64>,
        smoothing: &Smoothing,
        so_far: &Correction,
    ) -> Option<Correction> {
        let mut weighted = smoothing.rows(matrix);
        for ((_, column), value) in weighted.indexed_iter_mut() {
            *value *= self.weights[column % CHANNELS].sqrt();
        }
        let gram = weighted.dot(&weighted.t());
        let mean_diagonal = gram.diag().sum() / rows.len().max(1) as f64;
        let shift = matrix.dot(&so_far.change.flatten());
        let mut kept: Vec<usize> = (0..rows.len()).collect();
        let multipliers = loop {
            let system = Array2::from_shape_fn((kept.len(), kept.len()), |(i, j)| {
                let softness = match (i == j, rows[kept[i]].kind) {
                    (true, Kind::Place) => JITTER,
                    (true, _) => SOFTNESS + JITTER,
                    (false, _) => 0.0,
                };
                gram[[kept[i], kept[j]]] + softness * mean_diagonal
            });
            let gaps = kept.iter().map(|&row| rows[row].gap_m + shift[row]);
            let multipliers = solve_positive(system, gaps.collect())?;
            let pulls_in = |(i, &row): (usize, &usize)| {
                rows[row].kind == Kind::Obstacle && multipliers[i] < 0.0
            };
            if !kept.iter().enumerate().any(pulls_in) {
                break multipliers;
            }
            let mut multipliers = multipliers.iter();
            kept.retain(|&row| {
                let multiplier = multipliers.next().copied().unwrap_or(0.0);
                !(rows[row].kind == Kind::Obstacle && multiplier < 0.0)
            });
        };
        let mut covector = so_far.change.flatten().into_owned();
        covector.fill(0.0);
        for (&row, multiplier) in kept.iter().zip(multipliers) {
            covector.scaled_add(multiplier, &matrix.row(row));
        }
        let mut change = smoothing.spread(covector.view());
        for (column, value) in change.iter_mut().enumerate() {
            *value *= self.weights[column % CHANNELS];
        }
        let shape = so_far.change.raw_dim();
        Some(Correction {
            change: change.into_shape_with_order(shape).ok()?,
            covector: covector.into_shape_with_order(shape).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd_motion::features::{FEATURES, decode_root_path_vjp};

    #[test]
    fn the_matrix_is_the_paths_jacobian() {
        let features = Array2::from_shape_fn((9, FEATURES), |(frame, column)| {
            (0.8 * frame as f32 + 1.7 * column as f32).sin() * 0.1
        });
        let path = decode_root_path(features.view()).unwrap();
        let headings = decode_headings(features.view()).unwrap();
        let solver = PathSolver {
            channel_std: [0.5, 2.0, 3.0],
            weights: [1.0; CHANNELS],
            margin_m: 0.0,
        };
        let row = Row {
            frame: 7,
            normal: [0.6, -0.8],
            gap_m: 0.0,
            kind: Kind::Place,
        };
        let matrix = solver.matrix(&[row], path.view(), &headings);
        let mut cotangent = Array2::zeros((9, 2));
        cotangent[[7, 0]] = 0.6;
        cotangent[[7, 1]] = -0.8;
        let expected = decode_root_path_vjp(features.view(), cotangent.view()).unwrap();
        for frame in 0..9 {
            for channel in 0..CHANNELS {
                let got = matrix[[0, frame * CHANNELS + channel]];
                let expected = expected[[frame, channel]] * solver.channel_std[channel];
                assert!((got - expected).abs() < 1e-12, "{frame}, {channel}");
            }
        }
    }
}
