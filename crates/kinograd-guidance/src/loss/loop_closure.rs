use kinograd_motion::JOINTS;

use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::GuidanceError;

/// The last pose is the first one, so that a clip plays in a circle: mean squared distance of the
/// joints as the body sees them, plus that of their displacements between neighbouring frames, m².
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoopClosure {
    /// The root shall also be back where it started, m² added.
    pub in_place: bool,
}

impl LoopClosure {
    /// `weight` times the gradient of `share · ‖Σ sign · local‖²` over frames with their signs.
    fn close(
        motion: &DecodedMotion,
        signed: &[(usize, f64)],
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> f64 {
        let share = 1.0 / JOINTS as f64;
        let mut total = 0.0;
        for joint in 0..JOINTS {
            let mut gap = [0.0; 3];
            for &(frame, sign) in signed {
                let local = motion.local_m(frame, joint);
                for (gap, local) in gap.iter_mut().zip(local) {
                    *gap += sign * local;
                }
            }
            total += share * gap.iter().map(|gap| gap * gap).sum::<f64>();
            for &(frame, sign) in signed {
                let slope = gap.map(|gap| 2.0 * weight * share * sign * gap);
                gradient.add_local(motion, frame, joint, slope);
            }
        }
        total
    }
}

impl MotionLoss for LoopClosure {
    fn name(&self) -> &str {
        "loop"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        if frames >= 4 {
            Ok(())
        } else {
            Err(GuidanceError::Field {
                field: "loop",
                value: format!("{frames} frames"),
                expected: "must have at least four",
            })
        }
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        self.check(motion.frames())?;
        let last = motion.frames() - 1;
        let pose = [(last, 1.0), (0, -1.0)];
        let velocity = [(last, 1.0), (last - 1, -1.0), (1, -1.0), (0, 1.0)];
        let mut total = Self::close(motion, &pose, weight, gradient);
        total += Self::close(motion, &velocity, weight, gradient);
        if self.in_place {
            let (start, end) = (motion.joint_m(0, 0), motion.joint_m(last, 0));
            let [x, z] = [end[0] - start[0], end[2] - start[2]];
            total += x * x + z * z;
            gradient.add(last, 0, [2.0 * weight * x, 0.0, 2.0 * weight * z]);
            gradient.add(0, 0, [-2.0 * weight * x, 0.0, -2.0 * weight * z]);
        }
        Ok(total)
    }
}
