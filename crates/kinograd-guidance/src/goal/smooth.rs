use super::{Measure, MotionGoal, Role, Timeline, goal, value_of};
use crate::loss::{Derivative, MotionLoss, Smoothness};
use crate::{DecodedMotion, GuidanceError};

goal! {
    /// Small third differences in time: mean squared jerk, (m/s³)².
    Smooth {}
}

impl MotionGoal for Smooth {
    fn describe(&self) -> String {
        "jerk".to_owned()
    }

    fn role(&self) -> Role {
        Role::Soft
    }

    fn loss(&self, _: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        Ok(Box::new(Smoothness(Derivative::Jerk)))
    }

    /// There is always some jerk in what people do: less is better, none is too much.
    fn tolerance(&self) -> f64 {
        f64::INFINITY
    }

    fn measure(
        &self,
        motion: &DecodedMotion,
        timeline: &Timeline,
    ) -> Result<Measure, GuidanceError> {
        Ok(Measure {
            off: value_of(&*self.loss(timeline)?, motion)?.sqrt(),
            unit: "m/s³",
        })
    }
}
