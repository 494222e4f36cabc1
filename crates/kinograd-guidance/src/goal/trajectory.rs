use super::{Mark, MarkKind, MotionGoal, Role, Timeline, goal};
use crate::loss::{self, MotionLoss, RootPathAsMotion};
use crate::{Frame, GroundPoint, GuidanceError, Waypoint};

/// A path is met at points this far apart in time, seconds: at a walk that is a step of the
/// pelvis, and the projection keeps the path between them smooth by itself.
const APART_SECS: f64 = 0.2;

goal! {
    /// The root's path, walked evenly along a line: mean squared distance, m².
    Trajectory over a span {
        /// Corners of the line (x, z), metres.
        pub path_m: Vec<GroundPoint>,
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
        let path = evenly(&self.path_m, range.clone().count());
        let trajectory = loss::Trajectory::new(*range.start(), path)?;
        Ok(Box::new(RootPathAsMotion(trajectory)))
    }

    /// Points of the line, no farther apart in time than 0.2 s.
    fn root_points(&self, timeline: &Timeline) -> Result<Vec<Waypoint>, GuidanceError> {
        let apart = ((APART_SECS * timeline.fps).round() as usize).max(1);
        let span = self.span(timeline)?;
        let range = span.range("trajectory", timeline.frames())?;
        let count = range.clone().count();
        let points = evenly(&self.path_m, count).into_iter().enumerate();
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

/// `count` points at even distances along a line; none for a line without points.
fn evenly(line: &[GroundPoint], count: usize) -> Vec<GroundPoint> {
    let (Some(&first), Some(&last)) = (line.first(), line.last()) else {
        return Vec::new();
    };
    let lengths: Vec<f64> = line
        .windows(2)
        .map(|ends| (ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1]))
        .collect();
    let total: f64 = lengths.iter().sum();
    let point = |index: usize| {
        let share = index as f64 / count.saturating_sub(1).max(1) as f64;
        let mut left = total * share;
        for (ends, &length) in line.windows(2).zip(&lengths) {
            if left <= length && length > 0.0 {
                let share = left / length;
                return [0, 1].map(|axis| ends[0][axis] + share * (ends[1][axis] - ends[0][axis]));
            }
            left -= length;
        }
        if total > 0.0 { last } else { first }
    };
    (0..count).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_walked_evenly() {
        let corner = [[0.0, 0.0], [0.0, 3.0], [1.0, 3.0]];
        let points = evenly(&corner, 5);
        let expected = [[0.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 3.0], [1.0, 3.0]];
        for (point, expected) in points.iter().zip(expected) {
            assert!((point[0] - expected[0]).abs() + (point[1] - expected[1]).abs() < 1e-12);
        }
        assert_eq!(evenly(&[[1.0, 2.0]], 3), vec![[1.0, 2.0]; 3]);
        assert!(evenly(&[], 3).is_empty());
    }
}
