use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::GuidanceError;

/// Minus the way that the root has come along +Z, where a clip faces at its start, metres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForwardDistance;

impl MotionLoss for ForwardDistance {
    fn name(&self) -> &str {
        "forward distance"
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let Some(last) = motion.frames().checked_sub(1) else {
            return Ok(0.0);
        };
        gradient.add(last, 0, [0.0, 0.0, -weight]);
        gradient.add(0, 0, [0.0, 0.0, weight]);
        Ok(motion.joint_m(0, 0)[2] - motion.joint_m(last, 0)[2])
    }
}
