use super::{MotionGoal, Timeline, goal};
use crate::GuidanceError;
use crate::loss::{self, MotionLoss, joint_index};

goal! {
    /// A foot stands: mean squared distance from standing, m².
    FootContact over a span {
        /// Its joint's name.
        pub joint: String,
        /// Height of the joint while the foot stands, metres.
        pub rest_height_m: f64,
    }
}

impl MotionGoal for FootContact {
    fn describe(&self) -> String {
        format!("{} stands", self.joint)
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let (span, joint) = (self.span(timeline)?, joint_index(&self.joint)?);
        let contact = loss::FootContact::new(joint, self.rest_height_m, span)?;
        Ok(Box::new(contact))
    }
}
