use super::{Mark, MarkKind, Measure, MotionGoal, Role, Timeline, goal};
use crate::loss::{self, MotionLoss, RootPathAsMotion};
use crate::{DecodedMotion, Frame, GroundPoint, GuidanceError, Waypoint};

/// Seconds before the clip's end at which somebody who arrives without a time stands: as long as it
/// takes to see that they stand.
const STANDS_SECS: f64 = 0.5;
/// Places of somebody who stands are this far apart in time, seconds.
const APART_SECS: f64 = 0.25;

goal! {
    /// The root's place at a time: squared distance, m².
    RootTarget at a time {
        /// Where (x, z), metres.
        pub position_m: GroundPoint,
        /// Whether the root stands there from that time on, without a time for the clip's last half
        /// second, instead of passing through.
        #[serde(default, skip_serializing_if = "is_false")]
        pub arrive: bool,
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl RootTarget {
    /// At the clip's end, with weight 1.
    #[must_use]
    pub fn at_end(position_m: GroundPoint) -> Self {
        Self {
            position_m,
            arrive: false,
            time_secs: None,
            weight: 1.0,
        }
    }

    /// Stands there at the clip's end, with weight 1.
    #[must_use]
    pub fn arriving(position_m: GroundPoint) -> Self {
        Self {
            arrive: true,
            ..Self::at_end(position_m)
        }
    }

    /// The frame from which the root stands at its place, where it arrives.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the time lies beyond the clip.
    pub fn stands_from(&self, timeline: &Timeline) -> Result<Option<usize>, GuidanceError> {
        if !self.arrive {
            return Ok(None);
        }
        let last = timeline.frames().saturating_sub(1);
        Ok(Some(match timeline.frame_at(self.time_secs)? {
            Frame::At(frame) => frame,
            Frame::Last => last.saturating_sub((STANDS_SECS * timeline.fps).round() as usize),
        }))
    }
}

impl MotionGoal for RootTarget {
    fn describe(&self) -> String {
        if self.arrive {
            "root standing at its target".to_owned()
        } else {
            "root at its target".to_owned()
        }
    }

    fn role(&self) -> Role {
        Role::Path
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        if self.arrive {
            let places = loss::Waypoints::new(self.root_points(timeline)?)?;
            return Ok(Box::new(RootPathAsMotion(places)));
        }
        let frame = timeline.frame_at(self.time_secs)?;
        let target = loss::RootTarget::new(self.position_m, frame)?;
        Ok(Box::new(RootPathAsMotion(target)))
    }

    /// The place at its time; of somebody who arrives every 0.25 s from then to the end.
    fn root_points(&self, timeline: &Timeline) -> Result<Vec<Waypoint>, GuidanceError> {
        let at = |frame| Waypoint {
            position_m: self.position_m,
            frame,
        };
        let Some(from) = self.stands_from(timeline)? else {
            return Ok(vec![at(timeline.frame_at(self.time_secs)?)]);
        };
        let last = timeline.frames().saturating_sub(1);
        let apart = ((APART_SECS * timeline.fps).round() as usize).max(1);
        let frames = (from..last).step_by(apart).map(Frame::At);
        Ok(frames.chain([Frame::Last]).map(at).collect())
    }

    /// Distance at its time; of somebody who arrives the largest from then to the end.
    fn measure(
        &self,
        motion: &DecodedMotion,
        timeline: &Timeline,
    ) -> Result<Measure, GuidanceError> {
        let from = match self.stands_from(timeline)? {
            Some(from) => from,
            None => timeline.frame_at(self.time_secs)?.index("target", motion.frames())?,
        };
        let to = if self.arrive { motion.frames() } else { from + 1 };
        let off = |frame: usize| {
            let [x, _, z] = motion.joint_m(frame, 0);
            (x - self.position_m[0]).hypot(z - self.position_m[1])
        };
        Ok(Measure::metres((from..to).map(off).fold(0.0, f64::max)))
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
