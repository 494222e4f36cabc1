use ndarray::{Array2, ArrayView2};

use super::PathLoss;
use crate::{Frame, GroundPoint, GuidanceError};

/// Squared distance of the root from a point at one frame, m².
///
/// Shen et al. 2024 (arXiv 2403.12404), first term of eq. 8.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RootTarget {
    position_m: GroundPoint,
    frame: Frame,
}

impl RootTarget {
    /// # Errors
    /// [`GuidanceError::Field`] if the point is not finite.
    pub fn new(position_m: GroundPoint, frame: Frame) -> Result<Self, GuidanceError> {
        if position_m.iter().all(|value| value.is_finite()) {
            Ok(Self { position_m, frame })
        } else {
            Err(GuidanceError::Field {
                field: "position_m",
                value: format!("{position_m:?}"),
                expected: "must be two finite numbers of metres",
            })
        }
    }
}

impl PathLoss for RootTarget {
    fn name(&self) -> &str {
        "root target"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.frame.index("target", frames).map(|_| ())
    }

    fn value_and_grad(
        &self,
        path_m: ArrayView2<'_, f64>,
    ) -> Result<(f64, Array2<f64>), GuidanceError> {
        let frame = self.frame.index("target", path_m.nrows())?;
        let mut gradient = Array2::zeros(path_m.raw_dim());
        let mut value = 0.0;
        for axis in 0..2 {
            let offset = path_m[[frame, axis]] - self.position_m[axis];
            value += offset * offset;
            gradient[[frame, axis]] = 2.0 * offset;
        }
        Ok((value, gradient))
    }
}
