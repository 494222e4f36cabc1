use kinograd_motion::JOINTS;

use super::motion::check_finite;
use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::{Frame, GuidanceError, Span, WorldPoint};

/// Mean squared distance of the joints from a pose as the body sees it, wherever it stands and
/// faces, mean over a span, m².
#[derive(Debug, Clone, PartialEq)]
pub struct PoseSimilarity {
    pose_m: Vec<WorldPoint>,
    span: Span,
}

impl PoseSimilarity {
    /// `pose_m`: 22 joints, x and z from the root in the heading's frame, y from the floor, as
    /// [`DecodedMotion::local_m`] gives them.
    ///
    /// # Errors
    /// [`GuidanceError::Shape`] unless there are 22; [`GuidanceError::Field`] if one is not finite.
    pub fn new(pose_m: Vec<WorldPoint>, span: Span) -> Result<Self, GuidanceError> {
        if pose_m.len() != JOINTS {
            return Err(GuidanceError::Shape {
                what: "pose",
                expected: vec![JOINTS, 3],
                got: vec![pose_m.len(), 3],
            });
        }
        check_finite("pose_m", &pose_m.concat())?;
        Ok(Self { pose_m, span })
    }

    /// The pose of a clip at one of its frames.
    ///
    /// # Errors
    /// [`GuidanceError::FrameOutOfRange`] if the clip is shorter.
    pub fn to_frame(
        motion: &DecodedMotion,
        frame: Frame,
        span: Span,
    ) -> Result<Self, GuidanceError> {
        let frame = frame.index("pose", motion.frames())?;
        let pose = (0..JOINTS).map(|joint| motion.local_m(frame, joint));
        Self::new(pose.collect(), span)
    }
}

impl MotionLoss for PoseSimilarity {
    fn name(&self) -> &str {
        "pose"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.span.range("pose", frames).map(|_| ())
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let range = self.span.range("pose", motion.frames())?;
        let share = 1.0 / (range.clone().count() * JOINTS) as f64;
        let mut total = 0.0;
        for frame in range {
            for (joint, target) in self.pose_m.iter().enumerate() {
                let local = motion.local_m(frame, joint);
                let gap = [0, 1, 2].map(|axis| local[axis] - target[axis]);
                total += share * gap.iter().map(|gap| gap * gap).sum::<f64>();
                let slope = gap.map(|gap| 2.0 * weight * share * gap);
                gradient.add_local(motion, frame, joint, slope);
            }
        }
        Ok(total)
    }
}
