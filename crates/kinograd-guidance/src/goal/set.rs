//! All goals of a clip together.

use std::collections::HashSet;

use serde::Serialize;

use super::leg::Leg;
use super::route::Barriers;
use super::{Goal, MotionGoal, Obstacle, Role, Timeline};
use crate::loss::{Loss, MotionDecoder, MotionLossAdapter, Obstacles};
use crate::method::{Objective, PathObjective};
use crate::{DecodedMotion, GroundGoals, GuidanceError, WorldPoint};

/// Faster than anyone runs: a goal that needs more cannot be reached, m/s.
const MAX_SPEED_MPS: f64 = 12.5;

/// How far a clip is from a goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GoalOutcome {
    /// Where the goal stands, such as `goals[1]`.
    pub place: String,
    /// What it asks for, in a few words.
    pub what: String,
    /// How far off the clip is, 0 where the goal is met.
    pub off: f64,
    /// Unit of `off`.
    pub unit: &'static str,
    /// Whether that is further than the goal's [tolerance](MotionGoal::tolerance).
    pub missed: bool,
}

/// The goals and obstacles of one clip.
#[derive(Debug, Clone, Copy)]
pub struct GoalSet<'a> {
    goals: &'a [Goal],
    obstacles: &'a [Obstacle],
    timeline: Timeline,
}

impl<'a> GoalSet<'a> {
    /// The goals and obstacles of a clip with this timeline.
    #[must_use]
    pub fn new(goals: &'a [Goal], obstacles: &'a [Obstacle], timeline: Timeline) -> Self {
        Self {
            goals,
            obstacles,
            timeline,
        }
    }

    /// Every goal, then every obstacle, with its place in the task.
    pub fn iter(&self) -> impl Iterator<Item = (String, &'a dyn MotionGoal)> + use<'a> {
        let goals = self.goals.iter().enumerate();
        let goals = goals.map(|(index, goal)| (format!("goals[{index}]"), &**goal));
        let obstacles = self.obstacles.iter().enumerate();
        let obstacles = obstacles.map(|(index, obstacle)| {
            let obstacle: &dyn MotionGoal = obstacle;
            (format!("obstacles[{index}]"), obstacle)
        });
        goals.chain(obstacles)
    }

    /// Those with a weight.
    fn active(&self) -> impl Iterator<Item = (String, &'a dyn MotionGoal)> + use<'a> {
        self.iter().filter(|(_, goal)| goal.weight() > 0.0)
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.active().next().is_none()
    }

    /// Whether the root has places to be at or circles to keep out of.
    #[must_use]
    pub fn has_path(&self) -> bool {
        self.goals.iter().any(is_place)
            || self.obstacles.iter().any(|o| o.circle_for_root().is_some())
    }

    /// Checks numbers, names, times, and whether each place can be reached.
    ///
    /// # Errors
    /// [`GuidanceError`] naming the field, inside [`GuidanceError::In`] naming the goal.
    pub fn check(&self) -> Result<(), GuidanceError> {
        for (place, goal) in self.iter() {
            let term = goal.term(&self.timeline);
            term.map_err(|error| error.inside(place))?;
        }
        self.check_start()?;
        self.check_reach()
    }

    /// Refuses obstacles on the start.
    fn check_start(&self) -> Result<(), GuidanceError> {
        for (index, obstacle) in self.obstacles.iter().enumerate() {
            if obstacle.bars_root([0.0, 0.0], 0.0) {
                return Err(GuidanceError::Field {
                    field: "shape",
                    value: format!("{:?}", obstacle.shape),
                    expected: "must not cover the start at (0, 0)",
                }
                .inside(format!("obstacles[{index}]")));
            }
        }
        Ok(())
    }

    /// Refuses places of the root within an obstacle or too far to run to.
    fn check_reach(&self) -> Result<(), GuidanceError> {
        for (place, goal) in self.active() {
            for point in goal.root_points(&self.timeline)? {
                let [x, z] = point.position_m;
                let last = self.timeline.frames().saturating_sub(1);
                let frame = point.frame.index("goal", self.timeline.frames())?;
                // The last frame stands for the clip's end.
                let time_secs = if frame == last {
                    self.timeline.duration_secs
                } else {
                    frame as f64 / self.timeline.fps
                };
                let fault = |expected| {
                    let value = format!("[{x}, {z}]");
                    let field = "position_m";
                    GuidanceError::Field {
                        field,
                        value,
                        expected,
                    }
                    .inside(place.clone())
                };
                if self
                    .obstacles
                    .iter()
                    .any(|o| o.bars_root([x, z], time_secs))
                {
                    return Err(fault("must not lie within an obstacle"));
                }
                if x.hypot(z) > MAX_SPEED_MPS * time_secs {
                    return Err(fault("must be reachable from (0, 0) at 12.5 m/s"));
                }
            }
        }
        self.check_arrivals()?;
        self.check_one_place_at_a_time()
    }

    /// Refuses places after one at which somebody stands to the end.
    fn check_arrivals(&self) -> Result<(), GuidanceError> {
        for (index, goal) in self.goals.iter().enumerate().filter(|(_, g)| is_place(g)) {
            let Goal::RootTarget(target) = goal else {
                continue;
            };
            let Some(from) = target.stands_from(&self.timeline)? else {
                continue;
            };
            let places = self.root_places()?;
            let goes_on = |(_, frame, at): &(usize, usize, [f64; 2])| {
                *frame > from && *at != target.position_m
            };
            if places.iter().any(goes_on) {
                return Err(GuidanceError::Field {
                    field: "arrive",
                    value: "true".to_owned(),
                    expected: "must be of the last place, where the clip ends",
                }
                .inside(format!("goals[{index}]")));
            }
        }
        Ok(())
    }

    fn check_one_place_at_a_time(&self) -> Result<(), GuidanceError> {
        let mut points = self.root_places()?;
        points.sort_by_key(|(_, frame, _)| *frame);
        for pair in points.windows(2) {
            if pair[0].1 == pair[1].1 && pair[0].2 != pair[1].2 {
                let (goal, frame, _) = &pair[1];
                return Err(GuidanceError::Field {
                    field: "time_secs",
                    value: (*frame as f64 / self.timeline.fps).to_string(),
                    expected: "must not ask for two places at the same time",
                }
                .inside(format!("goals[{goal}]")));
            }
        }
        Ok(())
    }

    /// Places that the root shall be at, but for those of trajectories, as `(goal, frame, position)`
    /// with (x, z) in metres.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a time lies beyond the clip.
    pub fn root_places(&self) -> Result<Vec<(usize, usize, [f64; 2])>, GuidanceError> {
        let mut places = Vec::new();
        for (index, goal) in self.goals.iter().enumerate().filter(|(_, g)| is_place(g)) {
            for point in goal.root_points(&self.timeline)? {
                let frame = point.frame.index("goal", self.timeline.frames())?;
                places.push((index, frame, point.position_m));
            }
        }
        Ok(places)
    }

    /// The places and circles on the ground for the root, as methods take them that project the
    /// path, and the route between the places where obstacles bar the straight way. A place that
    /// several goals ask for at the same time counts once.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a time lies beyond the clip.
    pub fn path(&self) -> Result<GroundGoals, GuidanceError> {
        let mut path = GroundGoals::default();
        let mut stated = HashSet::new();
        for (_, goal) in self.active() {
            for point in goal.root_points(&self.timeline)? {
                let frame = point.frame.index("goal", self.timeline.frames())?;
                if stated.insert((frame, point.position_m.map(f64::to_bits))) {
                    path.waypoints.push(point);
                }
            }
        }
        let circles = self.obstacles.iter().filter_map(Obstacle::circle_for_root);
        path.obstacles.extend(circles);
        path.route = self.legs()?.iter().flat_map(Leg::route).collect();
        Ok(path)
    }

    /// The ways from each place of the root to the next in time, the first from the start.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a time lies beyond the clip.
    pub fn legs(&self) -> Result<Vec<Leg>, GuidanceError> {
        let mut stops = Vec::new();
        for (_, goal) in self.active() {
            for point in goal.root_points(&self.timeline)? {
                let frame = point.frame.index("goal", self.timeline.frames())?;
                stops.push((frame, point.position_m));
            }
        }
        stops.sort_by_key(|(frame, _)| *frame);
        let barriers = Barriers::of(self.obstacles);
        let mut before = (0, [0.0, 0.0]);
        let mut legs = Vec::with_capacity(stops.len());
        for stop in stops.into_iter().filter(|stop| stop.0 > 0) {
            legs.push(Leg::new(&barriers, before, stop, self.timeline.fps));
            before = stop;
        }
        Ok(legs)
    }

    /// The weighted sum of all goals and obstacles as a loss on normalised features.
    ///
    /// # Errors
    /// As [`GoalSet::check`]; [`GuidanceError::FrameOutOfRange`] if the batch's clips are shorter
    /// than the goals need.
    pub fn loss(&self, decoder: MotionDecoder) -> Result<MotionLossAdapter, GuidanceError> {
        let mut loss = MotionLossAdapter::new(decoder);
        for (place, goal) in self.iter() {
            let term = goal.term(&self.timeline);
            let (weight, term) = term.map_err(|error| error.inside(place))?;
            loss = loss.with(weight, term)?;
        }
        Ok(loss)
    }

    /// The goals as methods take them: places of the root, constraints and soft losses apart.
    ///
    /// Obstacles and shapes to keep in are squared depths among the constraints, whatever their
    /// barrier; `barrier` is what methods that follow a gradient put around the root's circles.
    ///
    /// # Errors
    /// As [`GoalSet::loss`].
    pub fn objective(
        &self,
        decoder: &MotionDecoder,
        barrier: Obstacles,
    ) -> Result<Objective<'static>, GuidanceError> {
        let mut constraints = MotionLossAdapter::new(decoder.clone());
        let mut soft = MotionLossAdapter::new(decoder.clone());
        for (index, goal) in self.goals.iter().enumerate() {
            let into = match goal.role() {
                Role::Constraint => &mut constraints,
                Role::Soft => &mut soft,
                Role::Path => continue,
            };
            if goal.weight() > 0.0 {
                let loss = goal.constraint(&self.timeline);
                let loss = loss.map_err(|error| error.inside(format!("goals[{index}]")))?;
                into.push(goal.weight(), loss)?;
            }
        }
        for (index, obstacle) in self.obstacles.iter().enumerate() {
            if obstacle.weight > 0.0 && obstacle.circle_for_root().is_none() {
                let loss = obstacle.constraint(&self.timeline);
                let loss = loss.map_err(|error| error.inside(format!("obstacles[{index}]")))?;
                constraints.push(obstacle.weight, loss)?;
            }
        }
        let soft: Option<(f64, Box<dyn Loss>)> =
            (!soft.is_empty()).then(|| (1.0, Box::new(soft) as Box<dyn Loss>));
        Ok(Objective {
            path: Some(PathObjective {
                decoder: decoder.clone(),
                goals: self.path()?,
                barrier,
            }),
            constraints: (!constraints.is_empty()).then_some(constraints),
            losses: soft.into_iter().collect(),
        })
    }

    /// How far a clip is from every goal and obstacle with a weight, in their order: see
    /// [`MotionGoal::measure`].
    ///
    /// # Errors
    /// [`GuidanceError::FrameOutOfRange`] if the clip is shorter than the goals need.
    pub fn outcomes(&self, motion: &DecodedMotion) -> Result<Vec<GoalOutcome>, GuidanceError> {
        let timeline = self.timeline_of(motion);
        self.active()
            .map(|(place, goal)| {
                let measured = goal.measure(motion, &timeline);
                let measured = measured.map_err(|error| error.inside(place.clone()))?;
                Ok(GoalOutcome {
                    place,
                    what: goal.describe(),
                    off: measured.off,
                    unit: measured.unit,
                    missed: measured.off.is_nan() || measured.off > goal.tolerance(),
                })
            })
            .collect()
    }

    /// Where joints shall be in a clip, as `(joint, frame, place)`, metres in the world.
    ///
    /// # Errors
    /// As [`GoalSet::outcomes`].
    pub fn joint_places(
        &self,
        motion: &DecodedMotion,
    ) -> Result<Vec<(usize, usize, WorldPoint)>, GuidanceError> {
        let timeline = self.timeline_of(motion);
        let mut places = Vec::new();
        for (_, goal) in self.active() {
            places.extend(goal.joint_places(motion, &timeline)?);
        }
        Ok(places)
    }

    /// The same seconds at the clip's own rate.
    fn timeline_of(&self, motion: &DecodedMotion) -> Timeline {
        Timeline::new(self.timeline.duration_secs, motion.fps)
    }
}

/// Whether a goal with a weight states places of the root at times.
fn is_place(goal: &Goal) -> bool {
    goal.weight() > 0.0 && matches!(goal, Goal::RootTarget(_) | Goal::Waypoints(_))
}
