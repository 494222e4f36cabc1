use super::motion::{check_finite, check_not_negative};
use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::{GroundPoint, GuidanceError};

/// Keeps the root within a range of distances from another person's, mean over frames of the
/// squared excess, m². The other person is given and does not move for it.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonDistance {
    path_m: Vec<GroundPoint>,
    least_m: f64,
    most_m: Option<f64>,
}

impl PersonDistance {
    /// `path_m`: the other person's root on the ground per frame; it stays at its last point.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the path is empty or not finite, a distance negative, or
    /// `most_m` below `least_m`.
    pub fn new(
        path_m: Vec<GroundPoint>,
        least_m: f64,
        most_m: Option<f64>,
    ) -> Result<Self, GuidanceError> {
        check_finite("path_m", &path_m.concat())?;
        check_not_negative("least_m", least_m)?;
        check_not_negative("most_m", most_m.unwrap_or(0.0))?;
        if path_m.is_empty() || most_m.is_some_and(|most| most < least_m) {
            return Err(GuidanceError::Field {
                field: "person distance",
                value: format!("{} points, {least_m} to {most_m:?} m", path_m.len()),
                expected: "must have a path, and a range that does not end before it starts",
            });
        }
        Ok(Self {
            path_m,
            least_m,
            most_m,
        })
    }
}

impl MotionLoss for PersonDistance {
    fn name(&self) -> &str {
        "person distance"
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let share = 1.0 / motion.frames().max(1) as f64;
        let mut total = 0.0;
        for frame in 0..motion.frames() {
            let other = self.path_m[frame.min(self.path_m.len() - 1)];
            let root = motion.joint_m(frame, 0);
            let [x, z] = [root[0] - other[0], root[2] - other[1]];
            let distance = x.hypot(z);
            let most = self.most_m.unwrap_or(f64::INFINITY);
            let excess = (distance - most).max(0.0) + (distance - self.least_m).min(0.0);
            total += share * excess * excess;
            // In the very same place no direction leads apart faster than another.
            if distance > 0.0 {
                let factor = 2.0 * weight * share * excess / distance;
                gradient.add(frame, 0, [factor * x, 0.0, factor * z]);
            }
        }
        Ok(total)
    }
}
