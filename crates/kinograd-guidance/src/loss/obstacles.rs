//! Circles on the ground that the root shall stay out of.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::PathLoss;
use crate::{Circle, GuidanceError};

/// Cost of being at a distance from an obstacle's edge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Barrier {
    /// `height · sigmoid(−steepness · distance)`, Shen et al. 2024 (arXiv 2403.12404), second term
    /// of eq. 8. With the published steepness it has a gradient within about 8 cm of the edge only.
    Sigmoid {
        /// Cost deep inside; 100 in the paper.
        height: f64,
        /// Per metre; 50 in the paper.
        steepness: f64,
    },
    /// `weight · max(−distance, 0)`.
    Hinge {
        /// Per metre.
        weight: f64,
    },
    /// `weight · max(−distance, 0)²`, whose gradient is continuous.
    SquaredHinge {
        /// Per square metre.
        weight: f64,
    },
    /// A cost of the signed distance d that begins `reach_m` outside the edge:
    /// `weight · (reach/2 − d)` inside, `weight · (reach − d)² / (2 reach)` within reach
    /// (Zucker et al. 2013, CHOMP, eq. 21).
    SignedDistance {
        /// Per metre.
        weight: f64,
        /// Metres outside the edge.
        reach_m: f64,
    },
}

impl Barrier {
    /// The barrier as published.
    pub const PUBLISHED: Self = Self::Sigmoid {
        height: 100.0,
        steepness: 50.0,
    };

    /// The cost of a depth as a constraint has it.
    pub const CONSTRAINT: Self = Self::SquaredHinge { weight: 1.0 };

    /// Refuses constants that are negative or not finite.
    pub(crate) fn check(self, margin_m: f64) -> Result<(), GuidanceError> {
        let constants = match self {
            Self::Sigmoid { height, steepness } => vec![height, steepness],
            Self::Hinge { weight } | Self::SquaredHinge { weight } => vec![weight],
            Self::SignedDistance { weight, reach_m } => vec![weight, reach_m],
        };
        for (field, value) in constants
            .into_iter()
            .map(|value| ("barrier", value))
            .chain([("margin", margin_m)])
        {
            if !(value.is_finite() && value >= 0.0) {
                return Err(GuidanceError::Field {
                    field,
                    value: value.to_string(),
                    expected: "must be a number that is not negative",
                });
            }
        }
        Ok(())
    }

    /// Cost at a distance from the edge, metres, negative inside, and its derivative.
    pub(crate) fn cost(self, distance_m: f64) -> (f64, f64) {
        match self {
            Self::Sigmoid { height, steepness } => {
                let share = 1.0 / (1.0 + (steepness * distance_m).exp());
                (height * share, -height * steepness * share * (1.0 - share))
            }
            Self::Hinge { weight } if distance_m < 0.0 => (-weight * distance_m, -weight),
            Self::SquaredHinge { weight } if distance_m < 0.0 => {
                (weight * distance_m * distance_m, 2.0 * weight * distance_m)
            }
            Self::SignedDistance { weight, reach_m } if distance_m < 0.0 => {
                (weight * (0.5 * reach_m - distance_m), -weight)
            }
            Self::SignedDistance { weight, reach_m } if distance_m < reach_m => {
                let left = reach_m - distance_m;
                (
                    weight * left * left / (2.0 * reach_m),
                    -weight * left / reach_m,
                )
            }
            Self::Hinge { .. } | Self::SquaredHinge { .. } | Self::SignedDistance { .. } => {
                (0.0, 0.0)
            }
        }
    }
}

/// How the costs of a path's frames are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Their sum, as printed.
    #[default]
    Sum,
    /// Their mean, as in the authors' code.
    Mean,
}

/// A barrier around every obstacle, over all frames of the path.
#[derive(Debug, Clone, PartialEq)]
pub struct Obstacles {
    circles: Vec<Circle>,
    barrier: Barrier,
    margin_m: f64,
    reduction: Reduction,
}

impl Default for Obstacles {
    /// As printed in Shen et al. 2024, around nothing yet.
    fn default() -> Self {
        Self {
            circles: Vec::new(),
            barrier: Barrier::PUBLISHED,
            margin_m: 0.0,
            reduction: Reduction::Sum,
        }
    }
}

impl Obstacles {
    /// A barrier that starts `margin_m` outside every circle.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the margin or a constant of the barrier is negative or not
    /// finite.
    pub fn new(
        barrier: Barrier,
        margin_m: f64,
        reduction: Reduction,
    ) -> Result<Self, GuidanceError> {
        barrier.check(margin_m)?;
        Ok(Self {
            circles: Vec::new(),
            barrier,
            margin_m,
            reduction,
        })
    }

    /// The same barrier around these circles. They are checked by
    /// [`GroundGoals::check`](crate::GroundGoals::check).
    #[must_use]
    pub fn around(self, circles: Vec<Circle>) -> Self {
        Self { circles, ..self }
    }
}

impl PathLoss for Obstacles {
    fn name(&self) -> &str {
        "obstacles"
    }

    fn value_and_grad(
        &self,
        path_m: ArrayView2<'_, f64>,
    ) -> Result<(f64, Array2<f64>), GuidanceError> {
        let scale = match self.reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean => 1.0 / path_m.nrows().max(1) as f64,
        };
        let mut total = 0.0;
        let mut gradient = Array2::zeros(path_m.raw_dim());
        for (point, mut out) in path_m.outer_iter().zip(gradient.outer_iter_mut()) {
            for circle in &self.circles {
                let offset = [point[0] - circle.center_m[0], point[1] - circle.center_m[1]];
                let from_center = offset[0].hypot(offset[1]);
                let (cost, slope) = self
                    .barrier
                    .cost(from_center - circle.radius_m - self.margin_m);
                total += scale * cost;
                // At the very centre no direction leads out faster than another.
                if from_center > 0.0 {
                    for axis in 0..2 {
                        out[axis] += scale * slope * offset[axis] / from_center;
                    }
                }
            }
        }
        Ok((total, gradient))
    }
}
