use super::{Mark, MarkKind, MotionGoal, Role, Timeline, goal};
use crate::loss::{self, MotionLoss, RootPathAsMotion};
use crate::{GroundPoint, GuidanceError, Waypoint};

goal! {
    /// The root's place at a time: squared distance, m².
    RootTarget at a time {
        /// Where (x, z), metres.
        pub position_m: GroundPoint,
    }
}

impl RootTarget {
    /// At the clip's end, with weight 1.
    #[must_use]
    pub fn at_end(position_m: GroundPoint) -> Self {
        Self {
            position_m,
            time_secs: None,
            weight: 1.0,
        }
    }
}

impl MotionGoal for RootTarget {
    fn describe(&self) -> String {
        "root at its target".to_owned()
    }

    fn role(&self) -> Role {
        Role::Path
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let frame = timeline.frame_at(self.time_secs)?;
        let target = loss::RootTarget::new(self.position_m, frame)?;
        Ok(Box::new(RootPathAsMotion(target)))
    }

    fn root_points(&self, timeline: &Timeline) -> Result<Vec<Waypoint>, GuidanceError> {
        Ok(vec![Waypoint {
            position_m: self.position_m,
            frame: timeline.frame_at(self.time_secs)?,
        }])
    }

    fn marks(&self) -> Vec<Mark> {
        vec![MarkKind::Target(self.position_m).with_handle(0)]
    }

    fn handles(&self) -> Vec<GroundPoint> {
        vec![self.position_m]
    }

    fn move_handle(&mut self, handle: usize, to: GroundPoint) -> bool {
        self.position_m = if handle == 0 { to } else { self.position_m };
        handle == 0
    }
}
