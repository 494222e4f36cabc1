use super::motion::check_not_negative;
use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::{GuidanceError, Span};

/// Mean squared difference of the root's ground speed from a wanted one, (m/s)².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    speed_mps: f64,
    span: Span,
}

impl Speed {
    /// The speed between each frame of the span and the next.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the speed is negative or not finite.
    pub fn new(speed_mps: f64, span: Span) -> Result<Self, GuidanceError> {
        check_not_negative("speed_mps", speed_mps)?;
        Ok(Self { speed_mps, span })
    }
}

impl MotionLoss for Speed {
    fn name(&self) -> &str {
        "speed"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.span.range("speed", frames).map(|_| ())
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let range = self.span.range("speed", motion.frames())?;
        let pairs = range.end() - range.start();
        if pairs == 0 {
            return Ok(0.0);
        }
        let share = 1.0 / pairs as f64;
        let mut total = 0.0;
        for frame in *range.start()..*range.end() {
            let (here, next) = (motion.joint_m(frame, 0), motion.joint_m(frame + 1, 0));
            let [x, z] = [next[0] - here[0], next[2] - here[2]];
            let length = x.hypot(z);
            let gap = length * motion.fps - self.speed_mps;
            total += share * gap * gap;
            // A root at rest has no direction to be faster in.
            if length > 0.0 {
                let factor = 2.0 * weight * share * gap * motion.fps / length;
                gradient.add(frame + 1, 0, [factor * x, 0.0, factor * z]);
                gradient.add(frame, 0, [-factor * x, 0.0, -factor * z]);
            }
        }
        Ok(total)
    }
}
