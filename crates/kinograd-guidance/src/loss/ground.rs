use kinograd_motion::JOINTS;

use super::motion::check_finite;
use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::GuidanceError;

/// Squared depth of joints below the floor, summed over joints, mean over frames, m².
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GroundPenetration {
    floor_m: f64,
}

impl GroundPenetration {
    /// `floor_m`: height of the floor.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if it is not finite.
    pub fn new(floor_m: f64) -> Result<Self, GuidanceError> {
        check_finite("floor_m", &[floor_m])?;
        Ok(Self { floor_m })
    }
}

impl MotionLoss for GroundPenetration {
    fn name(&self) -> &str {
        "ground penetration"
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
            for joint in 0..JOINTS {
                let height = motion.joints_m[[frame, joint, 1]] - self.floor_m;
                if height < 0.0 {
                    total += share * height * height;
                    gradient.add(frame, joint, [0.0, 2.0 * weight * share * height, 0.0]);
                }
            }
        }
        Ok(total)
    }
}
