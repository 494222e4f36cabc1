use super::{MotionGoal, Timeline, goal};
use crate::loss::{MotionLoss, PoseSimilarity};
use crate::{GuidanceError, WorldPoint};

goal! {
    /// A pose as the body sees it, wherever it stands: mean squared distance, m².
    Pose over a span {
        /// All 22 joints: x and z from the root in the heading's frame, y from the floor, metres.
        pub pose_m: Vec<WorldPoint>,
    }
}

impl MotionGoal for Pose {
    fn describe(&self) -> String {
        "pose".to_owned()
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let span = self.span(timeline)?;
        Ok(Box::new(PoseSimilarity::new(self.pose_m.clone(), span)?))
    }
}
