use serde::{Deserialize, Serialize};

use super::{Mark, MarkKind, MotionGoal, Role, Timeline, goal};
use crate::loss::{self, MotionLoss, RootPathAsMotion};
use crate::{GroundPoint, GuidanceError, Waypoint};

/// A place and a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimedPoint {
    /// Where (x, z), metres.
    pub position_m: GroundPoint,
    /// When, seconds; the clip's end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_secs: Option<f64>,
}

goal! {
    /// The root's places at several times: sum of squared distances, m².
    Waypoints {
        /// Where and when.
        pub points: Vec<TimedPoint>,
    }
}

impl MotionGoal for Waypoints {
    fn describe(&self) -> String {
        "root at its waypoints".to_owned()
    }

    fn role(&self) -> Role {
        Role::Path
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let waypoints = loss::Waypoints::new(self.root_points(timeline)?)?;
        Ok(Box::new(RootPathAsMotion(waypoints)))
    }

    fn root_points(&self, timeline: &Timeline) -> Result<Vec<Waypoint>, GuidanceError> {
        let waypoint = |point: &TimedPoint| {
            Ok(Waypoint {
                position_m: point.position_m,
                frame: timeline.frame_at(point.time_secs)?,
            })
        };
        self.points.iter().map(waypoint).collect()
    }

    fn marks(&self) -> Vec<Mark> {
        let mark = |(index, point): (usize, &TimedPoint)| {
            MarkKind::Waypoint(point.position_m, point.time_secs).with_handle(index)
        };
        self.points.iter().enumerate().map(mark).collect()
    }

    fn handles(&self) -> Vec<GroundPoint> {
        self.points.iter().map(|point| point.position_m).collect()
    }

    fn move_handle(&mut self, handle: usize, to: GroundPoint) -> bool {
        let point = self.points.get_mut(handle);
        point.map(|point| point.position_m = to).is_some()
    }

    fn remove_handle(&mut self, handle: usize) -> bool {
        let removes = self.points.len() > 1 && handle < self.points.len();
        if removes {
            self.points.remove(handle);
        }
        removes
    }
}
