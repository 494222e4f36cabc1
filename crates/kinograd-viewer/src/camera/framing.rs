//! Framing as plain maths.

use std::f32::consts::{FRAC_PI_2, FRAC_PI_4};

use bevy::prelude::*;

/// Vertical angle of view, radians.
pub const FOV_RAD: f32 = 0.5 * FRAC_PI_4 * 1.1;
/// Where pictures are seen from unless told otherwise: clips walk from left to right, a little
/// towards the camera.
pub const VIEW: View = View {
    yaw_rad: -1.0,
    pitch_rad: 0.30,
};

/// A direction to look from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Angle about Y from +Z towards +X at which the camera stands, radians.
    pub yaw_rad: f32,
    /// Height over the horizon, radians.
    pub pitch_rad: f32,
}

impl View {
    /// From above, +Z to the right and +X up, as a map of the way.
    pub const TOP: Self = Self {
        yaw_rad: -FRAC_PI_2,
        pitch_rad: FRAC_PI_2 - 1e-3,
    };

    /// Unit vector from what is seen to the camera.
    #[must_use]
    pub fn towards_camera(self) -> Vec3 {
        let (sin, cos) = self.yaw_rad.sin_cos();
        let (up, flat) = self.pitch_rad.sin_cos();
        Vec3::new(sin * flat, up, cos * flat)
    }

    /// Right, up and towards the camera, unit vectors in the world.
    #[must_use]
    pub fn axes(self) -> [Vec3; 3] {
        let back = self.towards_camera();
        let (sin, cos) = self.yaw_rad.sin_cos();
        let right = Vec3::new(cos, 0.0, -sin);
        [right, back.cross(right), back]
    }
}

/// Where a camera stands and what it looks at, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shot {
    /// What the middle of the picture shows.
    pub focus: Vec3,
    /// From how far.
    pub distance: f32,
    /// From which direction.
    pub view: View,
}

impl Shot {
    /// The camera's place.
    #[must_use]
    pub fn transform(self) -> Transform {
        let eye = self.focus + self.view.towards_camera() * self.distance;
        let [_, up, _] = self.view.axes();
        Transform::from_translation(eye).looking_at(self.focus, up)
    }
}

/// The nearest shot that has all points in the picture, with a share `margin` of it left free.
/// `aspect` is width by height; no points are shown from 5 m.
#[must_use]
pub fn frame_points(points: &[Vec3], view: View, aspect: f32, margin: f32) -> Shot {
    let [right, up, back] = view.axes();
    let slope_y = (0.5 * FOV_RAD).tan() * (1.0 - margin).max(0.1);
    let slope_x = slope_y * aspect.max(1e-3);
    let local: Vec<Vec3> = points
        .iter()
        .filter(|p| p.is_finite())
        .map(|p| Vec3::new(p.dot(right), p.dot(up), p.dot(back)))
        .collect();
    if local.is_empty() {
        let focus = Vec3::Y;
        return Shot {
            focus,
            distance: 5.0,
            view,
        };
    }
    // A point at (x, y, depth) is seen within the picture if |x − cx| ≤ slope_x (eye − depth): each
    // side is a plane through the eye, so the extremes of x ± slope_x·depth decide.
    let extreme = |value: &dyn Fn(&Vec3) -> f32| local.iter().map(value).fold(f32::MIN, f32::max);
    let x_high = extreme(&|p| p.x + slope_x * p.z);
    let x_low = extreme(&|p| -p.x + slope_x * p.z);
    let y_high = extreme(&|p| p.y + slope_y * p.z);
    let y_low = extreme(&|p| -p.y + slope_y * p.z);
    let eye_depth = ((x_high + x_low) / (2.0 * slope_x)).max((y_high + y_low) / (2.0 * slope_y));
    let near = extreme(&|p| p.z);
    let eye_depth = eye_depth.max(near + 0.5);
    let (x, y) = (0.5 * (x_high - x_low), 0.5 * (y_high - y_low));
    let middle = 0.5 * (near + local.iter().map(|p| p.z).fold(f32::MAX, f32::min));
    Shot {
        focus: right * x + up * y + back * middle,
        distance: eye_depth - middle,
        view,
    }
}

/// Points around a body that shall be in a picture.
#[must_use]
pub fn body_points(joints_m: &[Vec3], at: Vec3) -> Vec<Vec3> {
    let mut points: Vec<Vec3> = joints_m.iter().map(|joint| at + *joint).collect();
    // The head reaches beyond its joint, the shadow lies on the floor.
    if let (Some(head), Some(root)) = (joints_m.get(15), joints_m.first()) {
        points.push(at + *head + Vec3::Y * 0.18);
        points.push(at + root.with_y(0.0));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(shot: Shot, point: Vec3, aspect: f32) -> Vec3 {
        let view = shot.transform().to_matrix().inverse();
        let lens = Mat4::perspective_rh(FOV_RAD, aspect, 0.05, 1000.0);
        (lens * view).project_point3(point)
    }

    #[test]
    fn all_points_are_in_the_picture_and_two_sides_touch_the_margin() {
        let points = [
            Vec3::ZERO,
            Vec3::new(0.3, 1.8, 0.1),
            Vec3::new(2.0, 0.0, 3.0),
            Vec3::new(-1.0, 0.4, 5.0),
        ];
        for view in [
            VIEW,
            View::TOP,
            View {
                yaw_rad: 2.0,
                pitch_rad: 0.6,
            },
        ] {
            for aspect in [0.6, 1.0, 16.0 / 9.0] {
                let shot = frame_points(&points, view, aspect, 0.1);
                let seen: Vec<Vec3> = points.iter().map(|&p| project(shot, p, aspect)).collect();
                let far = seen
                    .iter()
                    .map(|p| p.x.abs().max(p.y.abs()))
                    .fold(0.0, f32::max);
                assert!((far - 0.9).abs() < 1e-3, "{view:?}, {aspect}: {far}");
            }
        }
    }

    #[test]
    fn nothing_to_see_and_a_single_point_have_a_shot_too() {
        assert_eq!(frame_points(&[], VIEW, 1.5, 0.1).distance, 5.0);
        let shot = frame_points(&[Vec3::Y], VIEW, 1.5, 0.1);
        assert!(shot.distance > 0.49 && shot.transform().is_finite());
        assert!(
            frame_points(&[Vec3::NAN], VIEW, 1.5, 0.1)
                .transform()
                .is_finite()
        );
    }

    #[test]
    fn the_top_view_has_the_way_to_the_right() {
        let [right, up, back] = View::TOP.axes();
        assert!(right.distance(Vec3::Z) < 2e-3);
        assert!(up.distance(Vec3::X) < 2e-3);
        assert!(back.distance(Vec3::Y) < 2e-3);
    }
}
