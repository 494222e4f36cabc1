use std::collections::BTreeMap;

use super::{Mark, MarkKind, MotionGoal, Timeline, goal};
use crate::loss::{KeyPose, Keyframes, MotionLoss, joint_index};
use crate::{DecodedMotion, GuidanceError, WorldPoint};

goal! {
    /// Places of several joints at a time: mean squared distance over the joints, m².
    Keyframe at a time {
        /// Joints by name and their places in the world, metres.
        pub joints_m: BTreeMap<String, WorldPoint>,
    }
}

impl Keyframe {
    fn joints(&self) -> Result<Vec<(usize, WorldPoint)>, GuidanceError> {
        let joints = self.joints_m.iter();
        joints
            .map(|(name, place)| Ok((joint_index(name)?, *place)))
            .collect()
    }
}

impl MotionGoal for Keyframe {
    fn describe(&self) -> String {
        let names: Vec<&str> = self.joints_m.keys().map(String::as_str).collect();
        format!("keyframe of {}", names.join(", "))
    }

    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let pose = KeyPose {
            frame: timeline.frame_at(self.time_secs)?,
            joints: self.joints()?,
        };
        Ok(Box::new(Keyframes::new(vec![pose])?))
    }

    fn joint_places(
        &self,
        motion: &DecodedMotion,
        timeline: &Timeline,
    ) -> Result<Vec<(usize, usize, WorldPoint)>, GuidanceError> {
        let frame = timeline.frame_at(self.time_secs)?;
        let frame = frame.index("keyframe", motion.frames())?;
        let joints = self.joints()?.into_iter();
        Ok(joints.map(|(joint, place)| (joint, frame, place)).collect())
    }

    fn marks(&self) -> Vec<Mark> {
        let places = self.joints_m.values();
        places.map(|at| MarkKind::Place(*at).fixed()).collect()
    }
}
