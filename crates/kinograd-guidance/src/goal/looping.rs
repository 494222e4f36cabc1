use super::{MotionGoal, Timeline, goal};
use crate::GuidanceError;
use crate::loss::{LoopClosure, MotionLoss};

goal! {
    /// The last pose is the first: mean squared difference, m².
    Loop {
        /// Back at the start, too.
        #[serde(default)]
        pub in_place: bool,
    }
}

impl MotionGoal for Loop {
    fn describe(&self) -> String {
        "ends as it starts".to_owned()
    }

    fn loss(&self, _: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let in_place = self.in_place;
        Ok(Box::new(LoopClosure { in_place }))
    }
}
