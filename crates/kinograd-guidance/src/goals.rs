//! Goals and obstacles on the ground.

use serde::{Deserialize, Serialize};

use crate::GuidanceError;

/// A point on the ground, (x, z), metres, world.
pub type GroundPoint = [f64; 2];

/// A frame of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// The last one, whatever the clip's length.
    #[default]
    Last,
    /// The one with this index.
    At(usize),
}

impl Frame {
    /// The frame nearest to a time.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the time is negative or not finite.
    pub fn at_seconds(seconds: f64, fps: f64) -> Result<Self, GuidanceError> {
        let frame = (seconds * fps).round();
        if frame.is_finite() && seconds >= 0.0 {
            Ok(Self::At(frame as usize))
        } else {
            Err(GuidanceError::Field {
                field: "seconds",
                value: seconds.to_string(),
                expected: "must be a time within the clip",
            })
        }
    }

    /// Its index in a clip of `length` frames.
    ///
    /// # Errors
    /// [`GuidanceError::FrameOutOfRange`], naming `what`, if the clip is shorter.
    pub fn index(self, what: &'static str, length: usize) -> Result<usize, GuidanceError> {
        let frame = match self {
            Self::Last => length.saturating_sub(1),
            Self::At(frame) => frame,
        };
        if frame < length {
            Ok(frame)
        } else {
            Err(GuidanceError::FrameOutOfRange {
                what,
                frame,
                length,
            })
        }
    }
}

/// Frames from one to another, both included; absent ends are the clip's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Span {
    /// First frame.
    pub from: Option<usize>,
    /// Last frame.
    pub to: Option<usize>,
}

impl Span {
    /// The whole clip.
    pub const ALL: Self = Self {
        from: None,
        to: None,
    };

    /// One frame.
    #[must_use]
    pub fn at(frame: usize) -> Self {
        Self {
            from: Some(frame),
            to: Some(frame),
        }
    }

    /// Its frames in a clip of `length` frames.
    ///
    /// # Errors
    /// [`GuidanceError::FrameOutOfRange`], naming `what`, if an end lies beyond the clip;
    /// [`GuidanceError::Field`] if it ends before it starts.
    pub fn range(
        self,
        what: &'static str,
        length: usize,
    ) -> Result<std::ops::RangeInclusive<usize>, GuidanceError> {
        let last = self.to.map_or(Frame::Last, Frame::At).index(what, length)?;
        let first = Frame::At(self.from.unwrap_or(0)).index(what, length)?;
        if first <= last {
            Ok(first..=last)
        } else {
            Err(GuidanceError::Field {
                field: "span",
                value: format!("{first}..={last}"),
                expected: "must not end before it starts",
            })
        }
    }
}

/// Where the root shall be at a frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waypoint {
    /// Where, metres.
    pub position_m: GroundPoint,
    /// When.
    #[serde(default)]
    pub frame: Frame,
}

/// A circle on the ground that the root shall stay out of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circle {
    /// Centre, metres.
    pub center_m: GroundPoint,
    /// Radius, metres.
    pub radius_m: f64,
}

impl Circle {
    /// Distance of a point from the circle's edge, metres; negative inside.
    #[must_use]
    pub fn distance_m(&self, point: GroundPoint) -> f64 {
        let [x, z] = [point[0] - self.center_m[0], point[1] - self.center_m[1]];
        x.hypot(z) - self.radius_m
    }
}

/// What the root's path on the ground shall do. The path starts at the origin.
///
/// ```
/// use kinograd_guidance::{Circle, Frame, GroundGoals, Waypoint};
/// let goals = GroundGoals {
///     waypoints: vec![Waypoint { position_m: [2.0, 3.0], frame: Frame::Last }],
///     obstacles: vec![Circle { center_m: [1.0, 1.5], radius_m: 0.5 }],
///     ..GroundGoals::default()
/// };
/// assert!(goals.check(120).is_ok());
/// let blocked = GroundGoals {
///     obstacles: vec![Circle { center_m: [0.0, 0.1], radius_m: 0.5 }],
///     ..goals
/// };
/// assert!(blocked.check(120).unwrap_err().to_string().contains("start"));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroundGoals {
    /// Where the root shall be, in any order.
    pub waypoints: Vec<Waypoint>,
    /// Where it shall not be.
    pub obstacles: Vec<Circle>,
    /// A way between the waypoints round what bars the straight one, to be followed roughly: the
    /// waypoints and the obstacles come first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<Waypoint>,
}

impl GroundGoals {
    /// Whether there is nothing to reach or avoid.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waypoints.is_empty() && self.obstacles.is_empty()
    }

    /// Checks the goals for a clip of `length` frames.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a number is not finite, a radius not positive, or an obstacle
    /// covers the start or a waypoint; [`GuidanceError::FrameOutOfRange`] for a waypoint beyond
    /// the end.
    pub fn check(&self, length: usize) -> Result<(), GuidanceError> {
        for waypoint in self.waypoints.iter().chain(&self.route) {
            finite("target", waypoint.position_m)?;
            waypoint.frame.index("target", length)?;
        }
        for obstacle in &self.obstacles {
            finite("obstacle", obstacle.center_m)?;
            let fault = |value: String, expected| GuidanceError::Field {
                field: "obstacle",
                value,
                expected,
            };
            if !(obstacle.radius_m.is_finite() && obstacle.radius_m > 0.0) {
                return Err(fault(
                    format!("radius {}", obstacle.radius_m),
                    "the radius must be a positive number of metres",
                ));
            }
            let shown = format!("{:?} radius {}", obstacle.center_m, obstacle.radius_m);
            if obstacle.distance_m([0.0, 0.0]) <= 0.0 {
                return Err(fault(shown, "must not cover the start at (0, 0)"));
            }
            let covers = |waypoint: &Waypoint| obstacle.distance_m(waypoint.position_m) <= 0.0;
            if self.waypoints.iter().any(covers) {
                return Err(fault(shown, "must not cover a target"));
            }
        }
        Ok(())
    }
}

fn finite(field: &'static str, point: GroundPoint) -> Result<(), GuidanceError> {
    if point.iter().all(|value| value.is_finite()) {
        Ok(())
    } else {
        Err(GuidanceError::Field {
            field,
            value: format!("{point:?}"),
            expected: "must be two finite numbers of metres",
        })
    }
}
