use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Barrier, Circle, GroundPoint, Shape, WorldPoint};

/// The pelvis, for whose sake most goals are.
pub(super) const ROOT: &str = "pelvis";

fn one() -> f64 {
    1.0
}

fn root_alone() -> Vec<String> {
    vec![ROOT.to_owned()]
}

/// From 30 cm outside the edge on.
fn soft() -> Barrier {
    Barrier::SignedDistance {
        weight: 10.0,
        reach_m: 0.3,
    }
}

/// A place and a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimedPoint {
    /// Where (x, z), metres.
    pub position_m: GroundPoint,
    /// When, seconds; the end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_secs: Option<f64>,
}

/// Something to reach, as JSON with its `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Goal {
    /// The root's place at a time, m².
    RootTarget {
        /// Where (x, z), metres.
        position_m: GroundPoint,
        /// When, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_secs: Option<f64>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// The root's places at several times, m² in sum.
    Waypoints {
        /// Where and when.
        points: Vec<TimedPoint>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// The root's path, walked evenly along a line over a span, m² in the mean.
    Trajectory {
        /// Corners of the line (x, z), metres.
        path_m: Vec<GroundPoint>,
        /// Start, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_secs: Option<f64>,
        /// End, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_secs: Option<f64>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// A joint's place at a time, m².
    JointTarget {
        /// Its name.
        joint: String,
        /// x, y, z, metres; `null` leaves an axis free.
        position_m: [Option<f64>; 3],
        /// When, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_secs: Option<f64>,
        /// What it is measured from: the world if absent, `body` for the root on the ground and
        /// its heading, or a joint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        relative_to: Option<String>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// Places of several joints at a time, m² in the mean over joints.
    Keyframe {
        /// Joints by name and their places in the world, metres.
        joints_m: BTreeMap<String, WorldPoint>,
        /// When, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_secs: Option<f64>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// A pose as the body sees it, wherever it stands, over a span, m² in the mean.
    Pose {
        /// All 22 joints: x and z from the root in the heading's frame, y from the floor, metres.
        pose_m: Vec<WorldPoint>,
        /// Start, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_secs: Option<f64>,
        /// End, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_secs: Option<f64>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// Joints stay within a shape over a span.
    KeepIn {
        /// The shape.
        shape: Shape,
        /// Joints by name; the pelvis alone if absent.
        #[serde(default = "root_alone")]
        joints: Vec<String>,
        /// Metres kept from the edge.
        #[serde(default)]
        margin_m: f64,
        /// The cost.
        #[serde(default = "soft")]
        barrier: Barrier,
        /// Start, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_secs: Option<f64>,
        /// End, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_secs: Option<f64>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// Where the body faces over a span, 1 − cos: either a heading or a point.
    Facing {
        /// Angle about Y that turns +Z to the facing, degrees.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heading_deg: Option<f64>,
        /// A point (x, z), metres.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        towards_m: Option<GroundPoint>,
        /// Start, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_secs: Option<f64>,
        /// End, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_secs: Option<f64>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// The root's ground speed over a span, (m/s)² in the mean.
    Speed {
        /// Metres per second.
        speed_mps: f64,
        /// Start, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_secs: Option<f64>,
        /// End, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_secs: Option<f64>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// A foot stands over a span, m² in the mean.
    FootContact {
        /// Its joint's name.
        joint: String,
        /// Height of the joint while the foot stands, metres.
        rest_height_m: f64,
        /// Start, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_secs: Option<f64>,
        /// End, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_secs: Option<f64>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// Low feet don't slide, (m/s)² in the mean.
    NoSkate {
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// No joint below the floor, m² in the mean over frames.
    Ground {
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// Small third differences in time, (m/s³)² in the mean.
    Smooth {
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// The last pose is the first, m² in the mean.
    Loop {
        /// Back at the start, too.
        #[serde(default)]
        in_place: bool,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
    /// Distance from another person's root, m² in the mean beyond the range.
    PersonDistance {
        /// The other's root on the ground (x, z) per frame; it stays at its last point.
        path_m: Vec<GroundPoint>,
        /// Least distance, metres.
        #[serde(default)]
        least_m: f64,
        /// Largest distance, metres.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        most_m: Option<f64>,
        /// Its weight.
        #[serde(default = "one")]
        weight: f64,
    },
}

impl Goal {
    /// Its weight; 0 leaves it out.
    #[must_use]
    pub fn weight(&self) -> f64 {
        match self {
            Self::RootTarget { weight, .. }
            | Self::Waypoints { weight, .. }
            | Self::Trajectory { weight, .. }
            | Self::JointTarget { weight, .. }
            | Self::Keyframe { weight, .. }
            | Self::Pose { weight, .. }
            | Self::KeepIn { weight, .. }
            | Self::Facing { weight, .. }
            | Self::Speed { weight, .. }
            | Self::FootContact { weight, .. }
            | Self::NoSkate { weight }
            | Self::Ground { weight }
            | Self::Smooth { weight }
            | Self::Loop { weight, .. }
            | Self::PersonDistance { weight, .. } => *weight,
        }
    }

    /// Its weight, to change it.
    pub fn weight_mut(&mut self) -> &mut f64 {
        match self {
            Self::RootTarget { weight, .. }
            | Self::Waypoints { weight, .. }
            | Self::Trajectory { weight, .. }
            | Self::JointTarget { weight, .. }
            | Self::Keyframe { weight, .. }
            | Self::Pose { weight, .. }
            | Self::KeepIn { weight, .. }
            | Self::Facing { weight, .. }
            | Self::Speed { weight, .. }
            | Self::FootContact { weight, .. }
            | Self::NoSkate { weight }
            | Self::Ground { weight }
            | Self::Smooth { weight }
            | Self::Loop { weight, .. }
            | Self::PersonDistance { weight, .. } => weight,
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RootTarget { .. } => "root target",
            Self::Waypoints { .. } => "waypoints",
            Self::Trajectory { .. } => "trajectory",
            Self::JointTarget { .. } => "joint target",
            Self::Keyframe { .. } => "keyframe",
            Self::Pose { .. } => "pose",
            Self::KeepIn { .. } => "keep in",
            Self::Facing { .. } => "facing",
            Self::Speed { .. } => "speed",
            Self::FootContact { .. } => "foot contact",
            Self::NoSkate { .. } => "no skate",
            Self::Ground { .. } => "ground",
            Self::Smooth { .. } => "smooth",
            Self::Loop { .. } => "loop",
            Self::PersonDistance { .. } => "person distance",
        }
    }

    /// Whether its loss only ever falls.
    pub(super) fn is_preference(&self) -> bool {
        let endless = matches!(
            self,
            Self::NoSkate { .. } | Self::Ground { .. } | Self::Smooth { .. }
        );
        endless && self.weight() > 0.0
    }

    /// Whether it can be met, and isn't about the root's place.
    pub(super) fn is_constraint(&self) -> bool {
        let on_path = matches!(
            self,
            Self::RootTarget { .. } | Self::Waypoints { .. } | Self::Trajectory { .. }
        );
        !on_path && !self.is_preference() && self.weight() > 0.0
    }

    /// With another cost of leaving a shape, where it has one.
    pub(super) fn with_barrier(mut self, new: Barrier) -> Self {
        if let Self::KeepIn { barrier, .. } = &mut self {
            *barrier = new;
        }
        self
    }

    /// Points that the root shall be at, with their times.
    pub(super) fn root_points(&self) -> Vec<(GroundPoint, Option<f64>)> {
        match self {
            Self::RootTarget {
                position_m,
                time_secs,
                weight,
            } if *weight > 0.0 => vec![(*position_m, *time_secs)],
            Self::Waypoints { points, weight } if *weight > 0.0 => {
                let timed = points
                    .iter()
                    .map(|point| (point.position_m, point.time_secs));
                timed.collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Something to keep out of, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obstacle {
    /// Its shape.
    pub shape: Shape,
    /// Joints that keep out, by name; the pelvis alone if absent.
    #[serde(default = "root_alone")]
    pub joints: Vec<String>,
    /// Metres kept beyond the edge.
    #[serde(default)]
    pub margin_m: f64,
    /// The cost of a distance.
    #[serde(default = "soft")]
    pub barrier: Barrier,
    /// Start, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_secs: Option<f64>,
    /// End, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_secs: Option<f64>,
    /// Its weight.
    #[serde(default = "one")]
    pub weight: f64,
}

impl Obstacle {
    pub(super) fn holds_for_root(&self) -> bool {
        self.joints.iter().any(|joint| joint == ROOT)
    }

    /// The obstacle as a circle that the root keeps out of all the time, if it is one.
    pub(super) fn circle_for_root(&self) -> Option<Circle> {
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
}
