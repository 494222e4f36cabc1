//! What a clip must be to be kept.

use kinograd::ClipReport;
use serde::{Deserialize, Serialize};

/// Limits that a clip must keep; what was not measured of a clip is not held against it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Filters {
    /// Largest share of frames in which a foot slides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_skate: Option<f64>,
    /// Largest distance from any goal, in the goal's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_goal_error: Option<f64>,
    /// Deepest penetration of an obstacle, metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_penetration: Option<f64>,
    /// Least cosine of the clip's and the prompt's embeddings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_text_score: Option<f64>,
    /// Least cosine distance, 0 to 2, of a clip's motion embedding to that of every clip of the same model
    /// that its shard has kept. It depends on the order and the number of shards, and is not among what
    /// [`reject`](Self::reject) looks at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_distance: Option<f64>,
}

impl Filters {
    /// Why a clip is not kept by its report alone, if it is not.
    #[must_use]
    pub fn reject(&self, report: &ClipReport) -> Option<String> {
        let above = |what: &str, value: Option<f64>, limit: Option<f64>| {
            let (value, limit) = (value?, limit?);
            // A number that is none is no reason to keep.
            (value > limit || value.is_nan()).then(|| format!("{what} {value:.3} > {limit}"))
        };
        let errors = report.goals.iter().map(|goal| goal.off);
        let worst = errors.chain(report.target_error_m).reduce(f64::max);
        above("skate", Some(report.foot_skate_ratio), self.max_skate)
            .or_else(|| above("goal error", worst, self.max_goal_error))
            .or_else(|| {
                above(
                    "penetration",
                    report.max_penetration_m,
                    self.max_penetration,
                )
            })
            .or_else(|| {
                let score = report.text_score.map(|score| -score);
                let limit = self.min_text_score.map(|limit| -limit);
                above("text score", score, limit).map(|_| {
                    let [score, limit] =
                        [report.text_score, self.min_text_score].map(Option::unwrap_or_default);
                    format!("text score {score:.3} < {limit}")
                })
            })
    }
}
