use super::fields::{keep_joints, move_shape};
use super::obstacle::deepest;
use super::{Mark, MarkKind, Measure, MotionGoal, Timeline, goal};
use crate::loss::{Barrier, MotionLoss, Region};
use crate::{DecodedMotion, GroundPoint, GuidanceError, Shape};

goal! {
    /// Joints stay within a shape: the barrier's cost.
    KeepIn over a span {
        /// The shape.
        pub shape: Shape,
        /// Joints by name; the pelvis alone if absent.
        #[serde(default = "super::fields::root_alone")]
        pub joints: Vec<String>,
        /// Metres kept from the edge.
        #[serde(default)]
        pub margin_m: f64,
        /// The cost of a distance.
        #[serde(default = "super::obstacle::default_barrier")]
        pub barrier: Barrier,
    }
}

impl KeepIn {
    fn region(
        &self,
        barrier: Barrier,
        timeline: &Timeline,
    ) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let span = self.span(timeline)?;
        let joints = keep_joints(&self.joints)?;
        let region = Region::keep_in(self.shape.clone(), joints, barrier, self.margin_m)?;
        Ok(Box::new(region.during(span)))
    }
}

impl MotionGoal for KeepIn {
    fn describe(&self) -> String {
        format!("{} kept in", self.joints.join(", "))
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        self.region(self.barrier, timeline)
    }

    fn constraint(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        self.region(Barrier::CONSTRAINT, timeline)
    }

    /// Metres: further outside is seen.
    fn tolerance(&self) -> f64 {
        0.05
    }

    fn measure(
        &self,
        motion: &DecodedMotion,
        timeline: &Timeline,
    ) -> Result<Measure, GuidanceError> {
        let frames = self.span(timeline)?.range("shape", motion.frames())?;
        let joints = keep_joints(&self.joints)?;
        deepest(&self.shape, &joints, frames, motion, |distance| distance)
    }

    fn marks(&self) -> Vec<Mark> {
        vec![MarkKind::KeepIn(self.shape.clone()).with_handle(0)]
    }

    fn handles(&self) -> Vec<GroundPoint> {
        vec![self.shape.center_m()]
    }

    fn move_handle(&mut self, handle: usize, to: GroundPoint) -> bool {
        if handle == 0 {
            move_shape(&mut self.shape, to);
        }
        handle == 0
    }
}
