//! From a scene to its loss.

use kinograd_motion::{FEATURE_FPS, JOINT_NAMES};

use super::{Goal, Obstacle, Scene};
use crate::loss::{
    Barrier, Derivative, Facing, FacingTarget, FootContact, GroundPenetration, JointTarget,
    KeyPose, Keyframes, LoopClosure, MotionLoss, NoSkate, OfRootPath, OnMotion, Origin,
    PathDecoder, PersonDistance, PoseSimilarity, Region, RootTarget, Smoothness, Speed, Trajectory,
    Waypoints, joint_index,
};
use crate::{DecodedMotion, Frame, GroundPoint, GuidanceError, MotionGradient, Span, Waypoint};

/// The cost of a depth as a constraint has it.
const CONSTRAINT: Barrier = Barrier::SquaredHinge { weight: 1.0 };
/// A path is met at points this far apart in time, seconds.
const TRAJECTORY_SECS: f64 = 0.2;

/// A weighted loss of the scene.
pub(super) type Term = (f64, Boxed);

/// A boxed motion loss as one.
pub(super) struct Boxed(Box<dyn MotionLoss>);

impl MotionLoss for Boxed {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.0.check(frames)
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        self.0.accumulate(motion, weight, gradient)
    }
}

impl Scene {
    /// The weighted sum of all goals and obstacles as a loss on normalised features at 20 fps.
    ///
    /// # Errors
    /// As [`Scene::check`]; [`GuidanceError::FrameOutOfRange`] if the batch's clips are shorter
    /// than the scene.
    pub fn loss(&self, decoder: PathDecoder) -> Result<OnMotion, GuidanceError> {
        self.check()?;
        let mut loss = OnMotion::new(decoder);
        for (weight, term) in self.terms(FEATURE_FPS)? {
            loss = loss.with(weight, term)?;
        }
        Ok(loss)
    }

    /// What joints shall meet beside [`Scene::ground_goals`]: losses that are 0 where they are met.
    ///
    /// Obstacles and shapes to keep in are squared depths here, whatever their barrier.
    ///
    /// # Errors
    /// As [`Scene::loss`].
    pub fn constraints(&self, decoder: PathDecoder) -> Result<OnMotion, GuidanceError> {
        let mut loss = OnMotion::new(decoder);
        for (index, goal) in self.goals.iter().enumerate() {
            if goal.is_constraint() {
                let goal = goal.clone().with_barrier(CONSTRAINT);
                let (weight, term) = self
                    .goal_term(&goal, FEATURE_FPS)
                    .map_err(|error| error.inside(format!("goals[{index}]")))?;
                loss = loss.with(weight, term)?;
            }
        }
        for (index, obstacle) in self.obstacles.iter().enumerate() {
            if obstacle.weight > 0.0 && obstacle.circle_for_root().is_none() {
                let obstacle = Obstacle {
                    barrier: CONSTRAINT,
                    ..obstacle.clone()
                };
                let (weight, term) = self
                    .obstacle_term(&obstacle, FEATURE_FPS)
                    .map_err(|error| error.inside(format!("obstacles[{index}]")))?;
                loss = loss.with(weight, term)?;
            }
        }
        Ok(loss)
    }

    /// What is the better the less, but never 0: smoothness, skate, feet below the floor. `None` if
    /// the scene asks for nothing of the kind.
    ///
    /// # Errors
    /// As [`Scene::loss`].
    pub fn preferences(&self, decoder: PathDecoder) -> Result<Option<OnMotion>, GuidanceError> {
        let mut loss = OnMotion::new(decoder);
        for goal in self.goals.iter().filter(|goal| goal.is_preference()) {
            let (weight, term) = self.goal_term(goal, FEATURE_FPS)?;
            loss = loss.with(weight, term)?;
        }
        Ok((!loss.is_empty()).then_some(loss))
    }

    /// Whether [`Scene::ground_goals`] states all that the scene asks for.
    #[must_use]
    pub fn is_ground_only(&self) -> bool {
        let stated = |goal: &Goal| !goal.root_points().is_empty() || goal.weight() == 0.0;
        let on_ground =
            |obstacle: &Obstacle| obstacle.circle_for_root().is_some() || obstacle.weight == 0.0;
        self.goals.iter().all(stated) && self.obstacles.iter().all(on_ground)
    }

    /// Points of the root's trajectories, no farther apart in time than 0.2 s.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a time lies beyond the clip.
    pub fn trajectory_points(&self, fps: f64) -> Result<Vec<Waypoint>, GuidanceError> {
        let apart = ((TRAJECTORY_SECS * fps).round() as usize).max(1);
        let mut points = Vec::new();
        for goal in &self.goals {
            if let Goal::Trajectory {
                path_m,
                from_secs,
                to_secs,
                weight,
            } = goal
                && *weight > 0.0
            {
                let range = self
                    .span(*from_secs, *to_secs, fps)?
                    .range("trajectory", self.frames(fps))?;
                let count = range.clone().count();
                for (index, position_m) in evenly(path_m, count).into_iter().enumerate() {
                    if index % apart == 0 || index + 1 == count {
                        points.push(Waypoint {
                            position_m,
                            frame: Frame::At(range.start() + index),
                        });
                    }
                }
            }
        }
        Ok(points)
    }

    pub(super) fn terms(&self, fps: f64) -> Result<Vec<Term>, GuidanceError> {
        let mut terms = Vec::new();
        for (index, goal) in self.goals.iter().enumerate() {
            let term = self.goal_term(goal, fps);
            terms.push(term.map_err(|error| error.inside(format!("goals[{index}]")))?);
        }
        for (index, obstacle) in self.obstacles.iter().enumerate() {
            let term = self.obstacle_term(obstacle, fps);
            terms.push(term.map_err(|error| error.inside(format!("obstacles[{index}]")))?);
        }
        Ok(terms)
    }

    /// The frame at a time; the last one at the clip's end.
    pub(super) fn frame_at(
        &self,
        time_secs: Option<f64>,
        fps: f64,
    ) -> Result<Frame, GuidanceError> {
        let Some(time) = time_secs else {
            return Ok(Frame::Last);
        };
        if !(0.0..=self.duration_secs).contains(&time) {
            return Err(GuidanceError::Field {
                field: "time_secs",
                value: time.to_string(),
                expected: "must lie within the clip",
            });
        }
        let last = self.frames(fps).saturating_sub(1);
        Ok(Frame::At(((time * fps).round() as usize).min(last)))
    }

    pub(super) fn span(
        &self,
        from_secs: Option<f64>,
        to_secs: Option<f64>,
        fps: f64,
    ) -> Result<Span, GuidanceError> {
        let index = |time: Option<f64>| -> Result<Option<usize>, GuidanceError> {
            Ok(match (time, self.frame_at(time, fps)?) {
                (Some(_), Frame::At(frame)) => Some(frame),
                _ => None,
            })
        };
        let span = Span {
            from: index(from_secs)?,
            to: index(to_secs)?,
        };
        span.range("span", self.frames(fps))?;
        Ok(span)
    }

    fn obstacle_term(&self, obstacle: &Obstacle, fps: f64) -> Result<Term, GuidanceError> {
        let span = self.span(obstacle.from_secs, obstacle.to_secs, fps)?;
        let region = Region::avoid(
            obstacle.shape.clone(),
            joints(&obstacle.joints)?,
            obstacle.barrier,
            obstacle.margin_m,
        )?;
        weighted(obstacle.weight, region.during(span))
    }

    #[expect(clippy::too_many_lines, reason = "one arm per kind of goal")]
    pub(super) fn goal_term(&self, goal: &Goal, fps: f64) -> Result<Term, GuidanceError> {
        match goal {
            Goal::RootTarget {
                position_m,
                time_secs,
                weight,
            } => {
                let frame = self.frame_at(*time_secs, fps)?;
                weighted(*weight, OfRootPath(RootTarget::new(*position_m, frame)?))
            }
            Goal::Waypoints { points, weight } => {
                let waypoint = |point: &super::goal::TimedPoint| {
                    Ok(Waypoint {
                        position_m: point.position_m,
                        frame: self.frame_at(point.time_secs, fps)?,
                    })
                };
                let waypoints = points.iter().map(waypoint);
                let waypoints = waypoints.collect::<Result<_, GuidanceError>>()?;
                weighted(*weight, OfRootPath(Waypoints::new(waypoints)?))
            }
            Goal::Trajectory {
                path_m,
                from_secs,
                to_secs,
                weight,
            } => {
                let span = self.span(*from_secs, *to_secs, fps)?;
                let range = span.range("trajectory", self.frames(fps))?;
                let path = evenly(path_m, range.clone().count());
                let trajectory = Trajectory::new(*range.start(), path)?;
                weighted(*weight, OfRootPath(trajectory))
            }
            Goal::JointTarget {
                joint,
                position_m,
                time_secs,
                relative_to,
                weight,
            } => {
                let origin = match relative_to.as_deref() {
                    None => Origin::World,
                    Some("body") => Origin::Body,
                    Some(name) => Origin::Joint(joint_index(name)?),
                };
                let frame = self.frame_at(*time_secs, fps)?;
                weighted(
                    *weight,
                    JointTarget::new(joint_index(joint)?, frame, *position_m, origin)?,
                )
            }
            Goal::Keyframe {
                joints_m,
                time_secs,
                weight,
            } => {
                let place = |(name, position): (&String, &crate::WorldPoint)| {
                    Ok((joint_index(name)?, *position))
                };
                let joints = joints_m.iter().map(place);
                let pose = KeyPose {
                    frame: self.frame_at(*time_secs, fps)?,
                    joints: joints.collect::<Result<_, GuidanceError>>()?,
                };
                weighted(*weight, Keyframes::new(vec![pose])?)
            }
            Goal::Pose {
                pose_m,
                from_secs,
                to_secs,
                weight,
            } => {
                let span = self.span(*from_secs, *to_secs, fps)?;
                weighted(*weight, PoseSimilarity::new(pose_m.clone(), span)?)
            }
            Goal::KeepIn {
                shape,
                joints: names,
                margin_m,
                barrier,
                from_secs,
                to_secs,
                weight,
            } => {
                let span = self.span(*from_secs, *to_secs, fps)?;
                let region = Region::keep_in(shape.clone(), joints(names)?, *barrier, *margin_m)?;
                weighted(*weight, region.during(span))
            }
            Goal::Facing {
                heading_deg,
                towards_m,
                from_secs,
                to_secs,
                weight,
            } => {
                let target = match (heading_deg, towards_m) {
                    (Some(angle), None) => FacingTarget::Heading(angle.to_radians()),
                    (None, Some(point)) => FacingTarget::Point(*point),
                    _ => {
                        return Err(GuidanceError::Field {
                            field: "heading_deg, towards_m",
                            value: format!("{heading_deg:?}, {towards_m:?}"),
                            expected: "must be one of the two",
                        });
                    }
                };
                let span = self.span(*from_secs, *to_secs, fps)?;
                weighted(*weight, Facing::new(target, span)?)
            }
            Goal::Speed {
                speed_mps,
                from_secs,
                to_secs,
                weight,
            } => {
                let span = self.span(*from_secs, *to_secs, fps)?;
                weighted(*weight, Speed::new(*speed_mps, span)?)
            }
            Goal::FootContact {
                joint,
                rest_height_m,
                from_secs,
                to_secs,
                weight,
            } => {
                let span = self.span(*from_secs, *to_secs, fps)?;
                let joint = joint_index(joint)?;
                weighted(*weight, FootContact::new(joint, *rest_height_m, span)?)
            }
            Goal::NoSkate { weight } => weighted(*weight, NoSkate::default()),
            Goal::Ground { weight } => weighted(*weight, GroundPenetration::default()),
            Goal::Smooth { weight } => weighted(*weight, Smoothness(Derivative::Jerk)),
            Goal::Loop { in_place, weight } => {
                let closure = LoopClosure {
                    in_place: *in_place,
                };
                weighted(*weight, closure)
            }
            Goal::PersonDistance {
                path_m,
                least_m,
                most_m,
                weight,
            } => weighted(
                *weight,
                PersonDistance::new(path_m.clone(), *least_m, *most_m)?,
            ),
        }
    }
}

fn weighted(weight: f64, loss: impl MotionLoss + 'static) -> Result<Term, GuidanceError> {
    if weight.is_finite() && weight >= 0.0 {
        Ok((weight, Boxed(Box::new(loss))))
    } else {
        Err(GuidanceError::Field {
            field: "weight",
            value: weight.to_string(),
            expected: "must be a number that is not negative",
        })
    }
}

pub(super) fn joints(names: &[String]) -> Result<Vec<usize>, GuidanceError> {
    if names.is_empty() {
        return Err(GuidanceError::Field {
            field: "joints",
            value: "[]".to_owned(),
            expected: "must name at least one joint",
        });
    }
    if names.len() > JOINT_NAMES.len() {
        return Err(GuidanceError::Field {
            field: "joints",
            value: format!("{} names", names.len()),
            expected: "must name each joint at most once",
        });
    }
    names.iter().map(|name| joint_index(name)).collect()
}

/// `count` points at even distances along a line; none for a line without points.
pub(super) fn evenly(line: &[GroundPoint], count: usize) -> Vec<GroundPoint> {
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
