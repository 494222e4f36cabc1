//! The goals and obstacles of Shen et al. 2024 as one loss.

use super::{MotionDecoder, Obstacles, RootPathLossAdapter, Waypoints};
use crate::{GroundGoals, GuidanceError};

impl RootPathLossAdapter {
    /// The loss of Shen et al. 2024 (arXiv 2403.12404), eq. 8: squared distances to the waypoints
    /// and the given barrier around the obstacles; where there is a route, the mean squared distance
    /// from its points besides.
    ///
    /// # Errors
    /// What [`GroundGoals::check`] finds.
    pub fn from_goals(
        decoder: MotionDecoder,
        goals: &GroundGoals,
        barrier: Obstacles,
    ) -> Result<Self, GuidanceError> {
        for &length in decoder.lengths() {
            goals.check(length)?;
        }
        let mut loss = Self::new(decoder);
        if !goals.waypoints.is_empty() {
            loss = loss.with(1.0, Waypoints::new(goals.waypoints.clone())?);
        }
        if !goals.route.is_empty() {
            let share = 1.0 / goals.route.len() as f64;
            loss = loss.with(share, Waypoints::new(goals.route.clone())?);
        }
        if !goals.obstacles.is_empty() {
            loss = loss.with(1.0, barrier.around(goals.obstacles.clone()));
        }
        Ok(loss)
    }
}
