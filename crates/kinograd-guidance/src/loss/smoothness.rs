use kinograd_motion::JOINTS;

use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::GuidanceError;

/// Which derivative in time is kept small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derivative {
    /// Second differences, m/s².
    Acceleration,
    /// Third differences, m/s³.
    Jerk,
}

/// Mean squared length of the joints' second or third differences in time over frames and joints,
/// (m/s²)² or (m/s³)².
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Smoothness(pub Derivative);

impl MotionLoss for Smoothness {
    fn name(&self) -> &str {
        "smoothness"
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let (stencil, unit): (&[f64], f64) = match self.0 {
            Derivative::Acceleration => (&[1.0, -2.0, 1.0], motion.fps.powi(2)),
            Derivative::Jerk => (&[-1.0, 3.0, -3.0, 1.0], motion.fps.powi(3)),
        };
        let windows = (motion.frames() + 1).saturating_sub(stencil.len());
        let share = unit * unit / (windows * JOINTS).max(1) as f64;
        let mut total = 0.0;
        for frame in 0..windows {
            for joint in 0..JOINTS {
                let difference = [0, 1, 2].map(|axis| {
                    let terms = stencil.iter().enumerate();
                    terms
                        .map(|(k, c)| c * motion.joints_m[[frame + k, joint, axis]])
                        .sum::<f64>()
                });
                total += share * difference.iter().map(|d| d * d).sum::<f64>();
                for (k, c) in stencil.iter().enumerate() {
                    let factor = 2.0 * weight * share * c;
                    gradient.add(frame + k, joint, difference.map(|d| factor * d));
                }
            }
        }
        Ok(total)
    }
}
