use std::ops::RangeInclusive;

use super::fields::{ROOT, move_shape, root_alone};
use super::{Mark, MarkKind, Measure, MotionGoal, Timeline, goal, keep_joints};
use crate::loss::{Barrier, MotionLoss, Region};
use crate::{Circle, DecodedMotion, GroundPoint, GuidanceError, Shape};

/// From 30 cm outside the edge on.
pub(super) fn default_barrier() -> Barrier {
    Barrier::SignedDistance {
        weight: 10.0,
        reach_m: 0.3,
    }
}

goal! {
    /// Something to keep out of: the barrier's cost.
    Obstacle over a span {
        /// Its shape.
        pub shape: Shape,
        /// Joints that keep out, by name; the pelvis alone if absent.
        #[serde(default = "super::fields::root_alone")]
        pub joints: Vec<String>,
        /// Metres kept beyond the edge.
        #[serde(default)]
        pub margin_m: f64,
        /// The cost of a distance.
        #[serde(default = "super::obstacle::default_barrier")]
        pub barrier: Barrier,
    }
}

impl Obstacle {
    /// An obstacle for the pelvis over the whole clip, with the usual barrier.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            joints: root_alone(),
            margin_m: 0.0,
            barrier: default_barrier(),
            from_secs: None,
            to_secs: None,
            weight: 1.0,
        }
    }

    /// An upright circle that the pelvis keeps out of.
    #[must_use]
    pub fn circle(center_m: GroundPoint, radius_m: f64) -> Self {
        Self::new(Shape::Circle { center_m, radius_m })
    }

    pub(super) fn holds_for_root(&self) -> bool {
        self.joints.iter().any(|joint| joint == ROOT)
    }

    /// Whether the root may not be at a point of the ground at a time.
    pub(super) fn bars_root(&self, point: GroundPoint, time_secs: f64) -> bool {
        self.weight > 0.0
            && self.holds_for_root()
            && self.from_secs.is_none_or(|from| from <= time_secs)
            && self.to_secs.is_none_or(|to| to >= time_secs)
            && self.root_distance_m(point) <= 0.0
    }

    /// Distance of a pelvis over a point of the ground from the shape's surface, metres.
    pub(super) fn root_distance_m(&self, [x, z]: GroundPoint) -> f64 {
        /// Height of a pelvis, metres.
        const ROOT_HEIGHT_M: f64 = 0.9;
        self.shape.distance_m([x, ROOT_HEIGHT_M, z]).0
    }

    /// The obstacle as a circle that the root keeps out of all the time, if it is one.
    #[must_use]
    pub fn circle_for_root(&self) -> Option<Circle> {
        let always = self.from_secs.is_none() && self.to_secs.is_none();
        match self.shape {
            Shape::Circle { center_m, radius_m }
                if always && self.joints == root_alone() && self.weight > 0.0 =>
            {
                Some(Circle { center_m, radius_m })
            }
            _ => None,
        }
    }

    fn region(
        &self,
        barrier: Barrier,
        timeline: &Timeline,
    ) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let span = self.span(timeline)?;
        let joints = keep_joints(&self.joints)?;
        let region = Region::avoid(self.shape.clone(), joints, barrier, self.margin_m)?;
        Ok(Box::new(region.during(span)))
    }
}

impl MotionGoal for Obstacle {
    fn describe(&self) -> String {
        format!("{} kept out", self.joints.join(", "))
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        self.region(self.barrier, timeline)
    }

    fn constraint(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        self.region(Barrier::CONSTRAINT, timeline)
    }

    /// Metres: deeper is seen.
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
        deepest(&self.shape, &joints, frames, motion, |distance| -distance)
    }

    fn marks(&self) -> Vec<Mark> {
        vec![MarkKind::KeepOut(self.shape.clone()).with_handle(0)]
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

/// The largest of what `depth` makes of the joints' distances from a shape's surface, at least 0.
pub(super) fn deepest(
    shape: &Shape,
    joints: &[usize],
    frames: RangeInclusive<usize>,
    motion: &DecodedMotion,
    depth: impl Fn(f64) -> f64,
) -> Result<Measure, GuidanceError> {
    let places = frames.flat_map(|frame| joints.iter().map(move |&joint| (frame, joint)));
    let depths =
        places.map(|(frame, joint)| depth(shape.distance_m(motion.joint_m(frame, joint)).0));
    Ok(Measure::metres(depths.fold(0.0, f64::max)))
}
