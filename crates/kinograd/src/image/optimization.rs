//! How pictures are optimised.

use kinograd_guidance::Lookahead;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::task::refuse::refuse;

/// Most rounds of one run.
const MAX_ROUNDS: usize = 1000;

/// How pictures are optimised. The reward is minus the weighted sum of a task's goals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageOptimization {
    /// Times that the reward is linearised and the pictures generated.
    pub rounds: usize,
    /// δ: how far above the present reward each round aims. A network's reward is so bent that the
    /// aim must lie far beyond what a round reaches.
    pub delta: f64,
    /// σ: how exactly the aim is met, and naturalness given up for it.
    pub sigma: f64,
    /// How the gradient enters the score.
    pub lookahead: Lookahead,
}

impl Default for ImageOptimization {
    fn default() -> Self {
        Self {
            rounds: 10,
            delta: 10.0,
            sigma: 0.1,
            lookahead: Lookahead::Loss,
        }
    }
}

impl ImageOptimization {
    /// `goals`: how many the task has.
    pub(super) fn check(&self, goals: usize) -> Result<(), Error> {
        if !(1..=MAX_ROUNDS).contains(&self.rounds) {
            return Err(refuse(
                "optimization.rounds",
                format!("{} is outside 1 to {MAX_ROUNDS}", self.rounds),
            ));
        }
        if goals == 0 {
            let message = "is empty: there is nothing to optimise; say what the picture shows, or name a loss";
            return Err(refuse("goals", message));
        }
        for (field, value) in [("delta", self.delta), ("sigma", self.sigma)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(refuse(
                    &format!("optimization.{field}"),
                    format!("{value}; it must be a number at least 0"),
                ));
            }
        }
        Ok(())
    }
}
