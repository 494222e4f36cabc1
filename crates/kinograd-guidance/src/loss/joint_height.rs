use super::motion::check_joints;
use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::{GuidanceError, Span};

/// Minus the mean height of joints above the floor over a span, metres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JointHeight {
    joints: Vec<usize>,
    span: Span,
}

impl JointHeight {
    /// # Errors
    /// [`GuidanceError::Field`] if there is no joint, or an unknown one.
    pub fn new(joints: Vec<usize>, span: Span) -> Result<Self, GuidanceError> {
        check_joints(&joints)?;
        if joints.is_empty() {
            return Err(GuidanceError::Field {
                field: "joints",
                value: "none".to_owned(),
                expected: "must name at least one joint",
            });
        }
        Ok(Self { joints, span })
    }
}

impl MotionLoss for JointHeight {
    fn name(&self) -> &str {
        "joint height"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.span.range("joint height", frames).map(|_| ())
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let range = self.span.range("joint height", motion.frames())?;
        let count = (range.end() - range.start() + 1) * self.joints.len();
        let share = 1.0 / count as f64;
        let mut total = 0.0;
        for frame in range {
            for &joint in &self.joints {
                total -= share * motion.joint_m(frame, joint)[1];
                gradient.add(frame, joint, [0.0, -weight * share, 0.0]);
            }
        }
        Ok(total)
    }
}
