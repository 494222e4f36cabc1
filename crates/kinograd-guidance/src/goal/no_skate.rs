use super::{Measure, MotionGoal, Role, Timeline, goal, value_of};
use crate::loss::{self, MotionLoss};
use crate::{DecodedMotion, GuidanceError};

goal! {
    /// Low feet don't slide: mean squared speed, (m/s)².
    NoSkate {}
}

impl MotionGoal for NoSkate {
    fn describe(&self) -> String {
        "feet don't slide".to_owned()
    }

    fn role(&self) -> Role {
        Role::Soft
    }

    fn loss(&self, _: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        Ok(Box::new(loss::NoSkate::default()))
    }

    /// Metres per second: feet that slide faster are seen to.
    fn tolerance(&self) -> f64 {
        0.2
    }

    fn measure(
        &self,
        motion: &DecodedMotion,
        timeline: &Timeline,
    ) -> Result<Measure, GuidanceError> {
        Ok(Measure {
            off: value_of(&*self.loss(timeline)?, motion)?.sqrt(),
            unit: "m/s",
        })
    }
}
