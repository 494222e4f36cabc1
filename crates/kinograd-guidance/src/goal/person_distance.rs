use super::{Mark, MarkKind, MotionGoal, Timeline, goal};
use crate::loss::{self, MotionLoss};
use crate::{GroundPoint, GuidanceError};

goal! {
    /// Distance from another person's root: mean squared excess over the range, m².
    PersonDistance {
        /// The other's root on the ground (x, z) per frame; it stays at its last point.
        pub path_m: Vec<GroundPoint>,
        /// Least distance, metres.
        #[serde(default)]
        pub least_m: f64,
        /// Largest distance, metres.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub most_m: Option<f64>,
    }
}

impl MotionGoal for PersonDistance {
    fn describe(&self) -> String {
        "distance from the other".to_owned()
    }

    fn loss(&self, _: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let path = self.path_m.clone();
        let distance = loss::PersonDistance::new(path, self.least_m, self.most_m)?;
        Ok(Box::new(distance))
    }

    fn marks(&self) -> Vec<Mark> {
        vec![MarkKind::OtherPath(self.path_m.clone()).fixed()]
    }
}
