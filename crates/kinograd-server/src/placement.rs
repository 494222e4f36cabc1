//! Where a clip lies in the client's world: a clip starts at the origin facing +Z.

use glam::{DQuat, DVec3};
use kinograd::goal::{JointTarget, PersonDistance};
use kinograd::guidance::Shape;
use kinograd::motion::Motion;
use kinograd::{Goal, Obstacle};

use crate::error::{ApiError, Code};

/// A turn about Y and a shift over the ground, from the clip to the client's world.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Placement {
    /// Where the clip starts (x, z), metres.
    pub start_xz: [f64; 2],
    /// The heading it starts with, radians about +Y, right-handed: 0 faces +Z, π/2 faces +X.
    pub yaw_rad: f64,
}

impl Placement {
    /// A point on the ground (x, z) as the clip has it.
    #[must_use]
    pub fn ground_in_clip(&self, [x, z]: [f64; 2]) -> [f64; 2] {
        let (dx, dz) = (x - self.start_xz[0], z - self.start_xz[1]);
        let (sin, cos) = self.yaw_rad.sin_cos();
        [cos * dx - sin * dz, sin * dx + cos * dz]
    }

    /// A point as the clip has it.
    #[must_use]
    pub fn point_in_clip(&self, [x, y, z]: [f64; 3]) -> [f64; 3] {
        let [x, z] = self.ground_in_clip([x, z]);
        [x, y, z]
    }

    /// An angle about Y as the clip has it, degrees.
    fn angle_in_clip(&self, degrees: f64) -> f64 {
        degrees - self.yaw_rad.to_degrees()
    }

    /// A clip in the client's world.
    #[must_use]
    pub fn motion_in_world(&self, motion: Motion) -> Motion {
        let mut motion = motion.turned(DQuat::from_rotation_y(self.yaw_rad));
        let shift = DVec3::new(self.start_xz[0], 0.0, self.start_xz[1]);
        for root in &mut motion.root_in_world_m {
            *root += shift;
        }
        motion
    }

    /// An obstacle as the clip has it.
    pub(crate) fn obstacle_in_clip(&self, mut obstacle: Obstacle) -> Result<Obstacle, ApiError> {
        self.place_shape(&mut obstacle.shape)?;
        Ok(obstacle)
    }

    /// A goal as the clip has it.
    pub(crate) fn goal_in_clip(&self, mut goal: Goal) -> Result<Goal, ApiError> {
        match &mut goal {
            Goal::RootTarget(target) => self.place_ground(&mut target.position_m),
            Goal::Waypoints(waypoints) => {
                for point in &mut waypoints.points {
                    self.place_ground(&mut point.position_m);
                }
            }
            Goal::Trajectory(trajectory) => self.place_all(&mut trajectory.path_m),
            Goal::PersonDistance(PersonDistance { path_m, .. }) => self.place_all(path_m),
            Goal::JointTarget(target) => self.place_joint(target)?,
            Goal::Keyframe(keyframe) => {
                for place in keyframe.joints_m.values_mut() {
                    *place = self.point_in_clip(*place);
                }
            }
            Goal::Facing(facing) => {
                if let Some(point) = &mut facing.towards_m {
                    self.place_ground(point);
                }
                if let Some(heading) = &mut facing.heading_deg {
                    *heading = self.angle_in_clip(*heading);
                }
            }
            Goal::KeepIn(keep) => self.place_shape(&mut keep.shape)?,
            // These know no place and no direction of the world.
            Goal::Pose(_)
            | Goal::Speed(_)
            | Goal::FootContact(_)
            | Goal::NoSkate(_)
            | Goal::Ground(_)
            | Goal::Smooth(_)
            | Goal::Loop(_) => {}
            other => return Err(unplaced(&format!("a goal of kind `{}`", other.kind()))),
        }
        Ok(goal)
    }

    fn place_ground(&self, point: &mut [f64; 2]) {
        *point = self.ground_in_clip(*point);
    }

    fn place_all(&self, points: &mut [[f64; 2]]) {
        for point in points {
            self.place_ground(point);
        }
    }

    fn place_joint(&self, target: &mut JointTarget) -> Result<(), ApiError> {
        if target.relative_to.as_deref() == Some("body") {
            return Ok(());
        }
        // An offset from a joint is turned, a place is shifted, too.
        let way = match target.relative_to {
            Some(_) => Self {
                start_xz: [0.0; 2],
                ..*self
            },
            None => *self,
        };
        match &mut target.position_m {
            [Some(x), _, Some(z)] => [*x, *z] = way.ground_in_clip([*x, *z]),
            [None, _, None] => {}
            _ if way == Self::default() => {}
            _ => return Err(unplaced("a joint target that leaves x or z alone free")),
        }
        Ok(())
    }

    fn place_shape(&self, shape: &mut Shape) -> Result<(), ApiError> {
        match shape {
            Shape::Circle { center_m, .. } => self.place_ground(center_m),
            Shape::Box {
                center_m, yaw_deg, ..
            } => {
                self.place_ground(center_m);
                *yaw_deg = self.angle_in_clip(*yaw_deg);
            }
            Shape::Capsule { from_m, to_m, .. } => {
                self.place_ground(from_m);
                self.place_ground(to_m);
            }
            Shape::Polygon { points_m } => self.place_all(points_m),
            Shape::Sphere { center_m, .. } => *center_m = self.point_in_clip(*center_m),
            Shape::Box3d {
                center_m, yaw_deg, ..
            } => {
                *center_m = self.point_in_clip(*center_m);
                *yaw_deg = self.angle_in_clip(*yaw_deg);
            }
            Shape::Capsule3d { from_m, to_m, .. } => {
                *from_m = self.point_in_clip(*from_m);
                *to_m = self.point_in_clip(*to_m);
            }
            _ => return Err(unplaced("this shape")),
        }
        Ok(())
    }
}

fn unplaced(what: &str) -> ApiError {
    let message =
        format!("{what} has no meaning where the clip does not start at the origin facing +Z");
    ApiError::new(Code::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_2;

    use super::*;
    use kinograd::motion::synth::synth_walk;

    fn off(a: DVec3, b: DVec3) -> f64 {
        (a - b).abs().max_element()
    }

    #[test]
    fn a_clip_and_its_goals_are_turned_by_the_same_rotation() {
        let placement = Placement {
            start_xz: [3.0, -2.0],
            yaw_rad: 0.7,
        };
        let walk = synth_walk(1.2, 1.0, 20.0);
        let placed = placement.motion_in_world(walk.clone());
        for frame in [0, 7, 19] {
            let inside = walk.joint_poses_in_world(frame).0;
            let outside = placed.joint_poses_in_world(frame).0;
            for (a, b) in inside.iter().zip(&outside) {
                let back = DVec3::from_array(placement.point_in_clip(b.to_array()));
                assert!(off(*a, back) < 1e-9);
            }
        }
    }

    #[test]
    fn a_quarter_turn_faces_plus_x() {
        let placement = Placement {
            start_xz: [1.0, 1.0],
            yaw_rad: FRAC_PI_2,
        };
        // A metre ahead of the start, which faces +X.
        let [x, z] = placement.ground_in_clip([2.0, 1.0]);
        assert!(x.abs() < 1e-12 && (z - 1.0).abs() < 1e-12, "{x} {z}");
        // Left of one who faces +X is -Z.
        let [x, z] = placement.ground_in_clip([1.0, 0.0]);
        assert!((x - 1.0).abs() < 1e-12 && z.abs() < 1e-12, "{x} {z}");
    }

    #[test]
    fn shapes_keep_their_distances() {
        let placement = Placement {
            start_xz: [0.5, 2.0],
            yaw_rad: -1.1,
        };
        let shapes = [
            r#"{"kind": "circle", "center_m": [1, 2], "radius_m": 0.4}"#,
            r#"{"kind": "box", "center_m": [1, 2], "half_extents_m": [0.3, 1], "yaw_deg": 25}"#,
            r#"{"kind": "capsule", "from_m": [1, 2], "to_m": [0, 3], "radius_m": 0.2}"#,
            r#"{"kind": "polygon", "points_m": [[0, 0], [2, 0.5], [1, 3]]}"#,
            r#"{"kind": "sphere", "center_m": [1, 1, 2], "radius_m": 0.4}"#,
            r#"{"kind": "box_3d", "center_m": [1, 1, 2], "half_extents_m": [0.3, 1, 2], "yaw_deg": 25}"#,
            r#"{"kind": "capsule_3d", "from_m": [1, 0, 2], "to_m": [0, 2, 3], "radius_m": 0.2}"#,
        ];
        for shape in shapes {
            let world: Shape = serde_json::from_str(shape).unwrap();
            let mut clip = world.clone();
            placement.place_shape(&mut clip).unwrap();
            for point in [[0.0, 0.0, 0.0], [2.0, 1.0, -1.0], [0.8, 0.5, 2.4]] {
                let (a, _) = world.distance_m(point);
                let (b, _) = clip.distance_m(placement.point_in_clip(point));
                assert!((a - b).abs() < 1e-9, "{shape} {point:?}: {a} {b}");
            }
        }
    }
}
