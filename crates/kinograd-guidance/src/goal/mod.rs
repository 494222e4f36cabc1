//! Goals: what a clip shall do, one file a goal.
//!
//! A goal is plain data with one JSON form, named by its `kind`. Everything that the rest of the
//! toolkit needs of it is in its file: what makes it invalid, its loss, how far a clip is from it,
//! what pictures show of it and what a hand can drag ([`MotionGoal`]). Adding a goal takes its file
//! and one line in the list below.
//!
//! Lengths are metres, times seconds, angles degrees. World: Y up, ground points are (x, z), a clip
//! starts at the origin facing +Z. A time that is absent is the clip's end; a span goes from
//! `from_secs` to `to_secs`, by default the whole clip. Every goal has a `weight`, at least 0, by
//! default 1; 0 leaves it out. Joints have the names of [`kinograd_motion::JOINT_NAMES`].
//!
//! ```
//! use kinograd_guidance::goal::{Goal, GoalSet, MotionGoal, RootTarget, Timeline};
//!
//! let goal: Goal = serde_json::from_str(r#"{"kind": "root_target", "position_m": [0.5, 4]}"#)?;
//! assert_eq!(goal, RootTarget::at_end([0.5, 4.0]).into());
//! let timeline = Timeline::new(5.0, 20.0);
//! GoalSet::new(&[goal], &[], timeline).check()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fields;
mod leg;
mod line;
mod obstacle;
mod route;
mod set;
mod timeline;
mod weighted;

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use self::fields::{goal, keep_joints, one};
use crate::loss::{MotionGradient, MotionLoss};
use crate::{DecodedMotion, GroundPoint, GuidanceError, Shape, Waypoint, WorldPoint};

pub use leg::Leg;
pub use obstacle::Obstacle;
pub use set::{GoalOutcome, GoalSet};
pub use timeline::Timeline;
pub use weighted::Weighted;

/// The list of goals: `module => Variant, "words";`.
macro_rules! goals {
    ($($module:ident => $variant:ident, $words:literal;)*) => {
        $(mod $module;)*
        $(pub use $module::$variant;)*

        /// Something to reach, as JSON with its `kind`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Goal {
            $(
                #[doc = concat!("[`", stringify!($variant), "`].")]
                $variant($variant),
            )*
        }

        impl Goal {
            /// What kind of goal it is, in words.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $words,)*
                }
            }
        }

        impl Deref for Goal {
            type Target = dyn MotionGoal;

            fn deref(&self) -> &Self::Target {
                match self {
                    $(Self::$variant(goal) => goal,)*
                }
            }
        }

        impl DerefMut for Goal {
            fn deref_mut(&mut self) -> &mut Self::Target {
                match self {
                    $(Self::$variant(goal) => goal,)*
                }
            }
        }

        $(
            impl From<$variant> for Goal {
                fn from(goal: $variant) -> Self {
                    Self::$variant(goal)
                }
            }
        )*
    };
}

goals! {
    root_target => RootTarget, "root target";
    waypoints => Waypoints, "waypoints";
    trajectory => Trajectory, "trajectory";
    joint_target => JointTarget, "joint target";
    keyframe => Keyframe, "keyframe";
    pose => Pose, "pose";
    keep_in => KeepIn, "keep in";
    facing => Facing, "facing";
    speed => Speed, "speed";
    foot_contact => FootContact, "foot contact";
    no_skate => NoSkate, "no skate";
    ground => Ground, "ground";
    smooth => Smooth, "smooth";
    looping => Loop, "loop";
    person_distance => PersonDistance, "person distance";
}

pub use waypoints::TimedPoint;

/// How a goal is followed by methods that meet constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Places of the root on the ground: [`MotionGoal::root_points`] states all of it.
    Path,
    /// A loss that is 0 where the goal is met.
    Constraint,
    /// A loss that only ever falls, such as jerk.
    Soft,
}

/// What pictures show of a goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// What is drawn.
    pub what: MarkKind,
    /// The handle that moves it: an index into [`MotionGoal::handles`].
    pub handle: Option<usize>,
}

/// The kinds of [`Mark`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MarkKind {
    /// Where the root ends, (x, z).
    Target(GroundPoint),
    /// Where the root passes, (x, z), and when, seconds.
    Waypoint(GroundPoint, Option<f64>),
    /// A line for the root, corners (x, z).
    Path(Vec<GroundPoint>),
    /// Somebody else's path, (x, z).
    OtherPath(Vec<GroundPoint>),
    /// A corner of a line that can be moved, (x, z).
    Corner(GroundPoint),
    /// A point that the body faces, (x, z).
    LookAt(GroundPoint),
    /// A joint's place in the world.
    Place(WorldPoint),
    /// A shape that joints stay in.
    KeepIn(Shape),
    /// A shape that joints keep out of.
    KeepOut(Shape),
}

impl MarkKind {
    /// The mark with the handle that moves it.
    #[must_use]
    pub fn with_handle(self, handle: usize) -> Mark {
        Mark {
            what: self,
            handle: Some(handle),
        }
    }

    /// The mark without a handle.
    #[must_use]
    pub fn fixed(self) -> Mark {
        Mark {
            what: self,
            handle: None,
        }
    }
}

/// How far a clip is from a goal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// 0 where the goal is met.
    pub off: f64,
    /// Unit of `off`.
    pub unit: &'static str,
}

impl Measure {
    /// A distance in metres.
    #[must_use]
    pub fn metres(off: f64) -> Self {
        Self { off, unit: "m" }
    }
}

/// All that the toolkit needs of a goal.
///
/// ```
/// use kinograd_guidance::goal::{MotionGoal, Timeline, Weighted};
/// use kinograd_guidance::GuidanceError;
/// use kinograd_guidance::loss::{Derivative, MotionLoss, Smoothness};
///
/// /// Joints move without jerks.
/// #[derive(Debug)]
/// struct Gentle {
///     weight: f64,
/// }
///
/// impl Weighted for Gentle {
///     fn weight(&self) -> f64 {
///         self.weight
///     }
///
///     fn weight_mut(&mut self) -> &mut f64 {
///         &mut self.weight
///     }
/// }
///
/// impl MotionGoal for Gentle {
///     fn describe(&self) -> String {
///         "gentle".to_owned()
///     }
///
///     fn loss(&self, _timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
///         Ok(Box::new(Smoothness(Derivative::Jerk)))
///     }
/// }
///
/// let mut goal = Gentle { weight: 1.0 };
/// *goal.weight_mut() = 2.0;
/// let (weight, loss) = goal.term(&Timeline::new(4.0, 20.0))?;
/// assert_eq!(weight, 2.0);
/// loss.check(80)?;
/// # Ok::<(), GuidanceError>(())
/// ```
pub trait MotionGoal: Weighted + fmt::Debug + Send + Sync {
    /// What it asks for, in a few words.
    fn describe(&self) -> String;

    /// Its loss. Building it is the goal's check.
    ///
    /// # Errors
    /// [`GuidanceError`] that names the field at fault.
    fn loss(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError>;

    /// How methods that meet constraints take it.
    fn role(&self) -> Role {
        Role::Constraint
    }

    /// Its loss as a constraint, 0 where the goal is met.
    ///
    /// # Errors
    /// As [`MotionGoal::loss`].
    fn constraint(&self, timeline: &Timeline) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        self.loss(timeline)
    }

    /// Places on the ground that the root shall be at.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a time lies beyond the clip.
    fn root_points(&self, timeline: &Timeline) -> Result<Vec<Waypoint>, GuidanceError> {
        let _ = timeline;
        Ok(Vec::new())
    }

    /// How far a clip is from it. By default the root of the loss's value, in metres.
    ///
    /// # Errors
    /// [`GuidanceError::FrameOutOfRange`] if the clip is shorter than the goal.
    fn measure(
        &self,
        motion: &DecodedMotion,
        timeline: &Timeline,
    ) -> Result<Measure, GuidanceError> {
        let value = value_of(&*self.loss(timeline)?, motion)?;
        Ok(Measure::metres(value.sqrt()))
    }

    /// Further off than this, in the unit of its [measure](Self::measure), the goal counts as missed. By
    /// default 0.1, a hand's breadth where the unit is metres.
    fn tolerance(&self) -> f64 {
        0.1
    }

    /// Joints that shall be at a place, as `(joint, frame, place)`, metres in the world. What the
    /// goal leaves free is as in the clip.
    ///
    /// # Errors
    /// As [`MotionGoal::measure`].
    fn joint_places(
        &self,
        motion: &DecodedMotion,
        timeline: &Timeline,
    ) -> Result<Vec<(usize, usize, WorldPoint)>, GuidanceError> {
        let _ = (motion, timeline);
        Ok(Vec::new())
    }

    /// What pictures show of it.
    fn marks(&self) -> Vec<Mark> {
        Vec::new()
    }

    /// Points on the ground that a hand can drag.
    fn handles(&self) -> Vec<GroundPoint> {
        Vec::new()
    }

    /// Moves a handle; false where there is no such handle.
    fn move_handle(&mut self, handle: usize, to: GroundPoint) -> bool {
        let _ = (handle, to);
        false
    }

    /// Takes the point of a handle out; false where the goal is nothing without it.
    fn remove_handle(&mut self, handle: usize) -> bool {
        let _ = handle;
        false
    }

    /// Its loss with its weight.
    ///
    /// # Errors
    /// As [`MotionGoal::loss`]; [`GuidanceError::Field`] if the weight is negative or not finite.
    fn term(&self, timeline: &Timeline) -> Result<(f64, Box<dyn MotionLoss>), GuidanceError> {
        let loss = self.loss(timeline)?;
        crate::loss::check_not_negative("weight", self.weight())?;
        Ok((self.weight(), loss))
    }
}

/// The value of a loss for a clip.
fn value_of(loss: &dyn MotionLoss, motion: &DecodedMotion) -> Result<f64, GuidanceError> {
    let mut unused = MotionGradient::zeros(motion.frames());
    loss.accumulate(motion, 0.0, &mut unused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_changed_in_place() {
        let json =
            r#"[{"kind": "root_target", "position_m": [1, 2]}, {"kind": "smooth", "weight": 3}]"#;
        let mut goals: Vec<Goal> = serde_json::from_str(json).unwrap();
        *goals[0].weight_mut() = 0.25;
        let read: Vec<_> = goals.iter().map(|g| (g.kind(), g.weight())).collect();
        assert_eq!(read, [("root target", 0.25), ("smooth", 3.0)]);
    }

    #[test]
    fn every_handle_ends_where_it_is_put() {
        let shape = r#"{"kind": "circle", "center_m": [1, 2], "radius_m": 0.4}"#;
        let goals = format!(
            r#"[{{"kind": "root_target", "position_m": [1, 2]}},
                {{"kind": "waypoints", "points": [{{"position_m": [1, 2]}}, {{"position_m": [2, 2]}}]}},
                {{"kind": "trajectory", "path_m": [[0, 0], [1, 2]]}},
                {{"kind": "joint_target", "joint": "head", "position_m": [1, null, 2]}},
                {{"kind": "facing", "towards_m": [1, 2]}},
                {{"kind": "keep_in", "shape": {shape}}}]"#
        );
        for mut goal in serde_json::from_str::<Vec<Goal>>(&goals).unwrap() {
            let count = goal.handles().len();
            assert!(count > 0, "{goal:?}");
            for handle in 0..count {
                assert!(goal.move_handle(handle, [0.5, -1.25]));
                let [x, z] = goal.handles()[handle];
                assert!((x - 0.5).abs() + (z + 1.25).abs() < 1e-9, "{goal:?}");
            }
            assert!(!goal.move_handle(count, [0.0, 0.0]), "{goal:?}");
        }
    }
}
