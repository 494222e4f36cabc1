use super::line::{evenly, rounded};
use super::{Mark, MarkKind, MotionGoal, Role, Timeline, goal};
use crate::loss::{self, MotionLoss, RootPathAsMotion};
use crate::{Frame, GroundPoint, GuidanceError, Waypoint};

/// A path is met at points this far apart in time, seconds: at a walk that is a step of the
/// pelvis, and the projection keeps the path between them smooth by itself.
const APART_SECS: f64 = 0.2;

goal! {
    /// The root's path, walked evenly along a line whose corners are rounded so that a body can turn
    /// them, by at most 3 m/s²: mean squared distance, m².
    Trajectory over a span {
        /// Corners of the line (x, z), metres.
        pub path_m: Vec<GroundPoint>,
    }
}

impl Trajectory {
    /// The root in each of `count` frames.
    fn walk(&self, timeline: &Timeline, count: usize) -> Vec<GroundPoint> {
        rounded(&evenly(&self.path_m, count), timeline.fps)
    }
}

impl MotionGoal for Trajectory {
    fn describe(&self) -> String {
        "root on its path".to_owned()
    }

    fn role(&self) -> Role {
        Role::Path
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let span = self.span(timeline)?;
        let range = span.range("trajectory", timeline.frames())?;
        let path = self.walk(timeline, range.clone().count());
        let trajectory = loss::Trajectory::new(*range.start(), path)?;
        Ok(Box::new(RootPathAsMotion(trajectory)))
    }

    /// Points of the line, no farther apart in time than 0.2 s.
    fn root_points(&self, timeline: &Timeline) -> Result<Vec<Waypoint>, GuidanceError> {
        let apart = ((APART_SECS * timeline.fps).round() as usize).max(1);
        let span = self.span(timeline)?;
        let range = span.range("trajectory", timeline.frames())?;
        let count = range.clone().count();
        let points = self.walk(timeline, count).into_iter().enumerate();
        Ok(points
            .filter(|(index, _)| index % apart == 0 || index + 1 == count)
            .map(|(index, position_m)| Waypoint {
                position_m,
                frame: Frame::At(range.start() + index),
            })
            .collect())
    }

    fn marks(&self) -> Vec<Mark> {
        let corner = |(index, at): (usize, &GroundPoint)| MarkKind::Corner(*at).with_handle(index);
        let line = MarkKind::Path(self.path_m.clone()).fixed();
        let corners = self.path_m.iter().enumerate().map(corner);
        std::iter::once(line).chain(corners).collect()
    }

    fn handles(&self) -> Vec<GroundPoint> {
        self.path_m.clone()
    }

    fn move_handle(&mut self, handle: usize, to: GroundPoint) -> bool {
        self.path_m.get_mut(handle).map(|at| *at = to).is_some()
    }
}
