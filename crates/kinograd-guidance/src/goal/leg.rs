use super::line::{distance_m, evenly, length_m, rounded};
use super::route::{Barriers, Way};
use crate::{Frame, GroundPoint, Waypoint};

/// A way from one place of the root to the next.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Leg {
    /// When it begins and ends, frames.
    pub frames: (usize, usize),
    /// Where it ends (x, z), metres.
    pub to_m: GroundPoint,
    /// Its length, metres; of the straight way where there is none.
    pub length_m: f64,
    /// Its corners (x, z), metres, two where it is straight; `None` where obstacles leave no way.
    pub line_m: Option<Vec<GroundPoint>>,
    fps: f64,
}

impl Leg {
    /// From a frame and place to the next.
    pub(super) fn new(
        barriers: &Barriers<'_>,
        from: (usize, GroundPoint),
        to: (usize, GroundPoint),
        fps: f64,
    ) -> Self {
        let line_m = match barriers.way(from.1, to.1) {
            Way::Straight => Some(vec![from.1, to.1]),
            Way::Round(line) => Some(line),
            Way::None => None,
        };
        let length = line_m.as_deref().map(length_m);
        Self {
            frames: (from.0, to.0),
            to_m: to.1,
            length_m: length.unwrap_or_else(|| distance_m(from.1, to.1)),
            line_m,
            fps,
        }
    }

    /// Points of a way with corners, walked evenly, every half second.
    pub(super) fn route(&self) -> Vec<Waypoint> {
        /// Points of a route are this far apart in time, seconds.
        const APART_SECS: f64 = 0.5;
        let line = self.line_m.as_deref().filter(|line| line.len() > 2);
        let Some(line) = line else {
            return Vec::new();
        };
        let (from, to) = self.frames;
        let walk = rounded(&evenly(line, to - from + 1), self.fps);
        let apart = ((APART_SECS * self.fps).round() as usize).max(1);
        let inner = walk.into_iter().enumerate().skip(apart).step_by(apart);
        inner
            .filter(|(index, _)| from + index < to)
            .map(|(index, position_m)| Waypoint {
                position_m,
                frame: Frame::At(from + index),
            })
            .collect()
    }
}
