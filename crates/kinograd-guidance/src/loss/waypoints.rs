use ndarray::{Array2, ArrayView2};

use super::{PathLoss, RootTarget};
use crate::{GuidanceError, Waypoint};

/// Sum of the squared distances of the root from points at their frames, m².
#[derive(Debug, Clone, PartialEq)]
pub struct Waypoints {
    targets: Vec<RootTarget>,
}

impl Waypoints {
    /// # Errors
    /// [`GuidanceError::Field`] if a point is not finite.
    pub fn new(waypoints: Vec<Waypoint>) -> Result<Self, GuidanceError> {
        let targets = waypoints
            .into_iter()
            .map(|waypoint| RootTarget::new(waypoint.position_m, waypoint.frame))
            .collect::<Result<_, _>>()?;
        Ok(Self { targets })
    }
}

impl PathLoss for Waypoints {
    fn name(&self) -> &str {
        "waypoints"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.targets
            .iter()
            .try_for_each(|target| target.check(frames))
    }

    fn value_and_grad(
        &self,
        path_m: ArrayView2<'_, f64>,
    ) -> Result<(f64, Array2<f64>), GuidanceError> {
        let mut total = (0.0, Array2::zeros(path_m.raw_dim()));
        for target in &self.targets {
            let (value, gradient) = target.value_and_grad(path_m)?;
            total.0 += value;
            total.1 += &gradient;
        }
        Ok(total)
    }
}
