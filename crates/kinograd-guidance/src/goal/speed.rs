use super::{Measure, MotionGoal, Timeline, goal, value_of};
use crate::loss::{self, MotionLoss};
use crate::{DecodedMotion, GuidanceError};

goal! {
    /// The root's ground speed: mean squared difference, (m/s)².
    Speed over a span {
        /// Metres per second.
        pub speed_mps: f64,
    }
}

impl MotionGoal for Speed {
    fn describe(&self) -> String {
        format!("speed of {} m/s", self.speed_mps)
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let span = self.span(timeline)?;
        Ok(Box::new(loss::Speed::new(self.speed_mps, span)?))
    }

    /// Metres per second: a slow walk is told from a normal one by twice as much.
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
