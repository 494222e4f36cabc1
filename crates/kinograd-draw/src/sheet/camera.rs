//! A perspective camera that frames what it is shown.

use glam::{DVec2, DVec3};

/// Distance of the eye in radii of what it looks at: far enough to keep figures of equal size.
const DISTANCE_RADII: f64 = 4.5;
const MIN_DISTANCE_M: f64 = 7.0;

#[derive(Debug, Clone, Copy)]
pub(super) struct Camera {
    eye_m: DVec3,
    pub right: DVec3,
    up: DVec3,
    forward: DVec3,
    focal_px: f64,
    shift_px: DVec2,
}

impl Camera {
    /// Looks against `towards_eye` so that `points_m` fill a picture of `size_px`, less a margin
    /// on each side.
    pub fn framing(points_m: &[DVec3], towards_eye: DVec3, size_px: DVec2, margin_px: f64) -> Self {
        let (low, high) = points_m.iter().fold(
            (DVec3::INFINITY, DVec3::NEG_INFINITY),
            |(low, high), &point| (low.min(point), high.max(point)),
        );
        let (low, high) = if low.is_finite() && high.is_finite() {
            (low, high)
        } else {
            (DVec3::NEG_ONE, DVec3::ONE)
        };
        let backward = towards_eye.normalize_or(DVec3::Z);
        let forward = -backward;
        let right = forward.cross(DVec3::Y).normalize_or(DVec3::X);
        let distance_m = (DISTANCE_RADII * 0.5 * low.distance(high)).max(MIN_DISTANCE_M);
        let mut camera = Self {
            eye_m: low.midpoint(high) + backward * distance_m,
            right,
            up: right.cross(forward),
            forward,
            focal_px: 1.0,
            shift_px: DVec2::ZERO,
        };
        let (mut first, mut last) = (DVec2::INFINITY, DVec2::NEG_INFINITY);
        for &point in points_m {
            let (at, _) = camera.project(point);
            first = first.min(at);
            last = last.max(at);
        }
        if !(first.is_finite() && last.is_finite()) {
            return camera;
        }
        let room = (size_px - DVec2::splat(2.0 * margin_px)).max(DVec2::ONE);
        camera.focal_px = (room / (last - first).max(DVec2::splat(1e-6))).min_element();
        camera.shift_px = 0.5 * size_px - first.midpoint(last) * camera.focal_px;
        camera
    }

    /// Pixel and depth in metres.
    pub fn project(&self, point_m: DVec3) -> (DVec2, f64) {
        let way = point_m - self.eye_m;
        let depth = way.dot(self.forward).max(0.1);
        let flat = DVec2::new(way.dot(self.right), -way.dot(self.up)) / depth;
        (flat * self.focal_px + self.shift_px, depth)
    }

    /// Pixels in a metre at a depth.
    pub fn px_per_m(&self, depth: f64) -> f64 {
        self.focal_px / depth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_in_the_picture_and_up_is_up() {
        let points = [
            DVec3::new(-2.0, 0.0, 5.0),
            DVec3::new(3.0, 1.7, -1.0),
            DVec3::ZERO,
        ];
        let size = DVec2::new(640.0, 320.0);
        let camera = Camera::framing(&points, DVec3::new(1.0, 0.5, 0.7), size, 10.0);
        for point in points {
            let (at, _) = camera.project(point);
            assert!(at.cmpge(DVec2::splat(9.9)).all(), "{at}");
            assert!(at.cmple(size - 9.9).all(), "{at}");
        }
        let (foot, _) = camera.project(DVec3::ZERO);
        let (head, _) = camera.project(DVec3::Y);
        assert!(head.y < foot.y);
    }
}
