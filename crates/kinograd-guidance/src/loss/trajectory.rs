use ndarray::{Array2, ArrayView2};

use super::PathLoss;
use super::motion::check_finite;
use crate::{Frame, GroundPoint, GuidanceError};

/// Mean squared distance of the root's path from a given one, frame by frame, m².
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    first: usize,
    path_m: Vec<GroundPoint>,
}

impl Trajectory {
    /// `path_m`: the root on the ground at every frame from `first` on; later frames are free.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the path is empty or not finite.
    pub fn new(first: usize, path_m: Vec<GroundPoint>) -> Result<Self, GuidanceError> {
        check_finite("path_m", &path_m.concat())?;
        if path_m.is_empty() {
            return Err(GuidanceError::Field {
                field: "path_m",
                value: "empty".to_owned(),
                expected: "must have at least one point",
            });
        }
        Ok(Self { first, path_m })
    }
}

impl PathLoss for Trajectory {
    fn name(&self) -> &str {
        "trajectory"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        let last = self.first.saturating_add(self.path_m.len() - 1);
        Frame::At(last).index("trajectory", frames).map(|_| ())
    }

    fn value_and_grad(
        &self,
        path_m: ArrayView2<'_, f64>,
    ) -> Result<(f64, Array2<f64>), GuidanceError> {
        self.check(path_m.nrows())?;
        let share = 1.0 / self.path_m.len() as f64;
        let mut gradient = Array2::zeros(path_m.raw_dim());
        let mut total = 0.0;
        for (index, target) in self.path_m.iter().enumerate() {
            for axis in 0..2 {
                let gap = path_m[[self.first + index, axis]] - target[axis];
                total += share * gap * gap;
                gradient[[self.first + index, axis]] = 2.0 * share * gap;
            }
        }
        Ok((total, gradient))
    }
}
