//! How far a clip is from what a scene asks for, in units that people read.

use serde::Serialize;

use super::build::joints;
use super::{Goal, Scene};
use crate::{
    DecodedMotion, GuidanceError, MotionGradient, MotionLoss, Shape, WorldPoint, joint_index,
};

/// How far a clip is from a goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Distance {
    /// Where it stands in the scene, such as `goals[1]`.
    pub place: String,
    /// What it asks for, in a few words.
    pub what: String,
    /// How far off the clip is, 0 where the goal is met.
    pub off: f64,
    /// Unit of `off`.
    pub unit: &'static str,
}

impl Scene {
    /// How far a clip is from every goal and obstacle with a weight, in their order.
    ///
    /// Places and poses: root of the mean squared distance, m (of several waypoints and the two parts
    /// of a loop: of the sum). Shapes: how deep a joint is on the wrong side, at the worst frame, m.
    /// Facing: degrees; the root of the mean, as for speed (m/s), sliding of low feet (m/s) and jerk
    /// (m/s³).
    ///
    /// # Errors
    /// [`GuidanceError::FrameOutOfRange`] if the clip is shorter than the scene; as [`Scene::check`].
    pub fn distances(&self, motion: &DecodedMotion) -> Result<Vec<Distance>, GuidanceError> {
        let mut rows = Vec::new();
        for (index, goal) in self.goals.iter().enumerate() {
            if goal.weight() == 0.0 {
                continue;
            }
            let place = format!("goals[{index}]");
            let (off, unit) = self
                .goal_distance(goal, motion)
                .map_err(|error| error.inside(place.clone()))?;
            rows.push(Distance {
                place,
                what: goal.words(),
                off,
                unit,
            });
        }
        for (index, obstacle) in self.obstacles.iter().enumerate() {
            if obstacle.weight == 0.0 {
                continue;
            }
            let place = format!("obstacles[{index}]");
            let times = (obstacle.from_secs, obstacle.to_secs);
            let depth = |distance: f64| -distance;
            let off = self
                .deepest(&obstacle.shape, &obstacle.joints, times, motion, depth)
                .map_err(|error| error.inside(place.clone()))?;
            rows.push(Distance {
                place,
                what: format!("{} kept out", obstacle.joints.join(", ")),
                off,
                unit: "m",
            });
        }
        Ok(rows)
    }

    /// Where joints shall be in a clip, as `(joint, frame, place)`, metres in the world: joint targets
    /// and keyframes with a weight. Free axes, and what a place is relative to, are as in the clip.
    ///
    /// # Errors
    /// As [`Scene::distances`].
    pub fn joint_places(
        &self,
        motion: &DecodedMotion,
    ) -> Result<Vec<(usize, usize, WorldPoint)>, GuidanceError> {
        let mut places = Vec::new();
        for goal in self.goals.iter().filter(|goal| goal.weight() > 0.0) {
            match goal {
                Goal::JointTarget {
                    joint,
                    position_m,
                    time_secs,
                    relative_to,
                    ..
                } => {
                    let joint = joint_index(joint)?;
                    let frame = self.frame_at(*time_secs, motion.fps)?;
                    let frame = frame.index("joint target", motion.frames())?;
                    let place = match relative_to.as_deref() {
                        None => filled(*position_m, motion.joint_m(frame, joint)),
                        Some("body") => {
                            let local = filled(*position_m, motion.local_m(frame, joint));
                            motion.from_local_m(frame, local)
                        }
                        Some(other) => {
                            let from = motion.joint_m(frame, joint_index(other)?);
                            let at = motion.joint_m(frame, joint);
                            let offset = filled(*position_m, minus(at, from));
                            [0, 1, 2].map(|axis| from[axis] + offset[axis])
                        }
                    };
                    places.push((joint, frame, place));
                }
                Goal::Keyframe {
                    joints_m,
                    time_secs,
                    ..
                } => {
                    let frame = self.frame_at(*time_secs, motion.fps)?;
                    let frame = frame.index("keyframe", motion.frames())?;
                    for (name, place) in joints_m {
                        places.push((joint_index(name)?, frame, *place));
                    }
                }
                _ => {}
            }
        }
        Ok(places)
    }

    fn goal_distance(
        &self,
        goal: &Goal,
        motion: &DecodedMotion,
    ) -> Result<(f64, &'static str), GuidanceError> {
        if let Goal::KeepIn {
            shape,
            joints,
            from_secs,
            to_secs,
            ..
        } = goal
        {
            let times = (*from_secs, *to_secs);
            let off = self.deepest(shape, joints, times, motion, |distance| distance)?;
            return Ok((off, "m"));
        }
        let (_, term) = self.goal_term(goal, motion.fps)?;
        let mut unused = MotionGradient::zeros(motion.frames());
        let value = term.accumulate(motion, 0.0, &mut unused)?;
        Ok(match goal {
            Goal::Facing { .. } => ((1.0 - value).clamp(-1.0, 1.0).acos().to_degrees(), "°"),
            Goal::Speed { .. } | Goal::NoSkate { .. } => (value.sqrt(), "m/s"),
            Goal::Smooth { .. } => (value.sqrt(), "m/s³"),
            _ => (value.sqrt(), "m"),
        })
    }

    /// The largest of what `depth` makes of the joints' distances from a shape's surface, at least 0.
    fn deepest(
        &self,
        shape: &Shape,
        names: &[String],
        (from_secs, to_secs): (Option<f64>, Option<f64>),
        motion: &DecodedMotion,
        depth: impl Fn(f64) -> f64,
    ) -> Result<f64, GuidanceError> {
        let joints = joints(names)?;
        let frames = self
            .span(from_secs, to_secs, motion.fps)?
            .range("shape", motion.frames())?;
        let places = frames.flat_map(|frame| joints.iter().map(move |&joint| (frame, joint)));
        Ok(places
            .map(|(frame, joint)| depth(shape.distance_m(motion.joint_m(frame, joint)).0))
            .fold(0.0, f64::max))
    }
}

/// `wanted`, and where an axis is free, `here`.
fn filled(wanted: [Option<f64>; 3], here: WorldPoint) -> WorldPoint {
    [0, 1, 2].map(|axis| wanted[axis].unwrap_or(here[axis]))
}

fn minus(a: WorldPoint, b: WorldPoint) -> WorldPoint {
    [0, 1, 2].map(|axis| a[axis] - b[axis])
}

impl Goal {
    /// What it asks for, in a few words.
    fn words(&self) -> String {
        match self {
            Self::RootTarget { .. } => "root at its target".to_owned(),
            Self::Waypoints { .. } => "root at its waypoints".to_owned(),
            Self::Trajectory { .. } => "root on its path".to_owned(),
            Self::JointTarget { joint, .. } => format!("{joint} at its target"),
            Self::Keyframe { joints_m, .. } => {
                let names: Vec<&str> = joints_m.keys().map(String::as_str).collect();
                format!("keyframe of {}", names.join(", "))
            }
            Self::Pose { .. } => "pose".to_owned(),
            Self::KeepIn { joints, .. } => format!("{} kept in", joints.join(", ")),
            Self::Facing { .. } => "facing".to_owned(),
            Self::Speed { speed_mps, .. } => format!("speed of {speed_mps} m/s"),
            Self::FootContact { joint, .. } => format!("{joint} stands"),
            Self::NoSkate { .. } => "feet don't slide".to_owned(),
            Self::Ground { .. } => "nothing below the floor".to_owned(),
            Self::Smooth { .. } => "jerk".to_owned(),
            Self::Loop { .. } => "ends as it starts".to_owned(),
            Self::PersonDistance { .. } => "distance from the other".to_owned(),
        }
    }
}
