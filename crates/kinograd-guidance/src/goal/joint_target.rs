use super::{Mark, MarkKind, MotionGoal, Timeline, goal};
use crate::loss::{self, MotionLoss, Origin, joint_index};
use crate::{DecodedMotion, GroundPoint, GuidanceError, WorldPoint};

goal! {
    /// A joint's place at a time: squared distance, m².
    JointTarget at a time {
        /// Its name.
        pub joint: String,
        /// x, y, z, metres; `null` leaves an axis free.
        pub position_m: [Option<f64>; 3],
        /// What it is measured from: the world if absent, `body` for the root on the ground and
        /// its heading, or a joint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub relative_to: Option<String>,
    }
}

impl JointTarget {
    /// Its place in the world, as far as it is stated there.
    fn in_world(&self) -> Option<([f64; 2], f64)> {
        match (&self.relative_to, self.position_m) {
            (None, [Some(x), y, Some(z)]) => Some(([x, z], y.unwrap_or(0.0))),
            _ => None,
        }
    }
}

impl MotionGoal for JointTarget {
    fn describe(&self) -> String {
        format!("{} at its target", self.joint)
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let origin = match self.relative_to.as_deref() {
            None => Origin::World,
            Some("body") => Origin::Body,
            Some(name) => Origin::Joint(joint_index(name)?),
        };
        let (joint, frame) = (
            joint_index(&self.joint)?,
            timeline.frame_at(self.time_secs)?,
        );
        Ok(Box::new(loss::JointTarget::new(
            joint,
            frame,
            self.position_m,
            origin,
        )?))
    }

    fn joint_places(
        &self,
        motion: &DecodedMotion,
        timeline: &Timeline,
    ) -> Result<Vec<(usize, usize, WorldPoint)>, GuidanceError> {
        let joint = joint_index(&self.joint)?;
        let frame = timeline.frame_at(self.time_secs)?;
        let frame = frame.index("joint target", motion.frames())?;
        let filled = |here: WorldPoint| [0, 1, 2].map(|a| self.position_m[a].unwrap_or(here[a]));
        let at = motion.joint_m(frame, joint);
        let place = match self.relative_to.as_deref() {
            None => filled(at),
            Some("body") => motion.from_local_m(frame, filled(motion.local_m(frame, joint))),
            Some(other) => {
                let from = motion.joint_m(frame, joint_index(other)?);
                let offset = filled([0, 1, 2].map(|axis| at[axis] - from[axis]));
                [0, 1, 2].map(|axis| from[axis] + offset[axis])
            }
        };
        Ok(vec![(joint, frame, place)])
    }

    fn marks(&self) -> Vec<Mark> {
        let place = |([x, z], y): ([f64; 2], f64)| MarkKind::Place([x, y, z]).with_handle(0);
        self.in_world().map(place).into_iter().collect()
    }

    fn handles(&self) -> Vec<GroundPoint> {
        self.in_world().map(|(at, _)| at).into_iter().collect()
    }

    fn move_handle(&mut self, handle: usize, [x, z]: GroundPoint) -> bool {
        let moves = handle == 0 && self.in_world().is_some();
        if moves {
            (self.position_m[0], self.position_m[2]) = (Some(x), Some(z));
        }
        moves
    }
}
