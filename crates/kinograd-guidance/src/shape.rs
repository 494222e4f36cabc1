//! Shapes with signed distances.

use serde::{Deserialize, Serialize};

use crate::{GroundPoint, GuidanceError};

/// A point in the world, (x, y, z), metres, Y up.
pub type WorldPoint = [f64; 3];

/// A region that joints keep out of or within. Shapes on the ground are upright and without end.
///
/// ```
/// use kinograd_guidance::Shape;
/// let table = Shape::Box { center_m: [1.0, 2.0], half_extents_m: [0.5, 0.4], yaw_deg: 0.0 };
/// let (distance_m, slope) = table.distance_m([2.0, 0.9, 2.0]);
/// assert!((distance_m - 0.5).abs() < 1e-12);
/// assert_eq!(slope, [1.0, 0.0, 0.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Shape {
    /// A circle on the ground.
    Circle {
        /// Centre (x, z).
        center_m: GroundPoint,
        /// Radius.
        radius_m: f64,
    },
    /// A rectangle on the ground.
    Box {
        /// Centre (x, z).
        center_m: GroundPoint,
        /// Half its size along its own x and z.
        half_extents_m: [f64; 2],
        /// Turn about Y that takes the world's axes to its own, degrees.
        #[serde(default)]
        yaw_deg: f64,
    },
    /// All points on the ground near a line.
    Capsule {
        /// One end (x, z).
        from_m: GroundPoint,
        /// The other.
        to_m: GroundPoint,
        /// Radius.
        radius_m: f64,
    },
    /// A polygon on the ground whose edges don't cross.
    Polygon {
        /// Corners (x, z) in either order, not closed.
        points_m: Vec<GroundPoint>,
    },
    /// A ball.
    Sphere {
        /// Centre.
        center_m: WorldPoint,
        /// Radius.
        radius_m: f64,
    },
    /// An upright box.
    #[serde(rename = "box_3d")]
    Box3d {
        /// Centre.
        center_m: WorldPoint,
        /// Half its size along its own axes.
        half_extents_m: [f64; 3],
        /// Turn about Y that takes the world's axes to its own, degrees.
        #[serde(default)]
        yaw_deg: f64,
    },
    /// All points near a line.
    #[serde(rename = "capsule_3d")]
    Capsule3d {
        /// One end.
        from_m: WorldPoint,
        /// The other.
        to_m: WorldPoint,
        /// Radius.
        radius_m: f64,
    },
}

impl Shape {
    /// Distance of a point from the shape's surface, metres, negative inside, and its gradient: a
    /// unit vector, zero where no way out is shorter than another.
    #[must_use]
    pub fn distance_m(&self, point: WorldPoint) -> (f64, WorldPoint) {
        let ground = [point[0], point[2]];
        let lift = |(distance, [x, z]): (f64, [f64; 2])| (distance, [x, 0.0, z]);
        match self {
            Self::Circle { center_m, radius_m } => lift(ball(ground, *center_m, *radius_m)),
            Self::Box {
                center_m,
                half_extents_m,
                yaw_deg,
            } => {
                let turn = Turn::new(*yaw_deg);
                let local = turn.to_local(ground[0] - center_m[0], ground[1] - center_m[1]);
                let (distance, [x, z]) = cuboid(local, *half_extents_m);
                lift((distance, turn.to_world(x, z)))
            }
            Self::Capsule {
                from_m,
                to_m,
                radius_m,
            } => lift(ball(ground, nearest(ground, *from_m, *to_m), *radius_m)),
            Self::Polygon { points_m } => lift(polygon(ground, points_m)),
            Self::Sphere { center_m, radius_m } => ball(point, *center_m, *radius_m),
            Self::Box3d {
                center_m,
                half_extents_m,
                yaw_deg,
            } => {
                let turn = Turn::new(*yaw_deg);
                let [x, z] = turn.to_local(point[0] - center_m[0], point[2] - center_m[2]);
                let local = [x, point[1] - center_m[1], z];
                let (distance, [x, y, z]) = cuboid(local, *half_extents_m);
                let [x, z] = turn.to_world(x, z);
                (distance, [x, y, z])
            }
            Self::Capsule3d {
                from_m,
                to_m,
                radius_m,
            } => ball(point, nearest(point, *from_m, *to_m), *radius_m),
        }
    }

    /// Whether it stands on the ground, upright and without end.
    #[must_use]
    pub fn is_on_ground(&self) -> bool {
        matches!(
            self,
            Self::Circle { .. } | Self::Box { .. } | Self::Capsule { .. } | Self::Polygon { .. }
        )
    }

    /// Its middle over the ground (x, z), metres.
    #[must_use]
    pub fn center_m(&self) -> GroundPoint {
        let middle = |a: GroundPoint, b: GroundPoint| [a[0].midpoint(b[0]), a[1].midpoint(b[1])];
        match self {
            Self::Circle { center_m, .. } | Self::Box { center_m, .. } => *center_m,
            Self::Capsule { from_m, to_m, .. } => middle(*from_m, *to_m),
            Self::Polygon { points_m } => {
                let count = points_m.len().max(1) as f64;
                [0, 1].map(|axis| points_m.iter().map(|p| p[axis]).sum::<f64>() / count)
            }
            Self::Sphere { center_m, .. } | Self::Box3d { center_m, .. } => {
                [center_m[0], center_m[2]]
            }
            Self::Capsule3d { from_m, to_m, .. } => {
                middle([from_m[0], from_m[2]], [to_m[0], to_m[2]])
            }
        }
    }

    /// Its middle over the ground (x, z) and the distance from there that holds all of it, metres.
    #[must_use]
    pub fn ground_reach_m(&self) -> (GroundPoint, f64) {
        let center = self.center_m();
        let from_center = |p: GroundPoint| (p[0] - center[0]).hypot(p[1] - center[1]);
        let reach = match self {
            Self::Circle { radius_m, .. } | Self::Sphere { radius_m, .. } => *radius_m,
            Self::Box { half_extents_m, .. } => half_extents_m[0].hypot(half_extents_m[1]),
            Self::Box3d { half_extents_m, .. } => half_extents_m[0].hypot(half_extents_m[2]),
            Self::Capsule {
                from_m, radius_m, ..
            } => from_center(*from_m) + radius_m,
            Self::Capsule3d {
                from_m, radius_m, ..
            } => from_center([from_m[0], from_m[2]]) + radius_m,
            Self::Polygon { points_m } => {
                points_m.iter().map(|p| from_center(*p)).fold(0.0, f64::max)
            }
        };
        (center, reach)
    }

    /// Height of its middle, metres; 0 for shapes on the ground.
    #[must_use]
    pub fn center_height_m(&self) -> f64 {
        match self {
            Self::Sphere { center_m, .. } | Self::Box3d { center_m, .. } => center_m[1],
            Self::Capsule3d { from_m, to_m, .. } => from_m[1].midpoint(to_m[1]),
            _ => 0.0,
        }
    }

    /// Moves it over the ground by (x, z), metres, to a whole number of micrometres, so that what a
    /// hand drags reads well in a file.
    pub fn move_by(&mut self, by: GroundPoint) {
        let round = |v: f64| (1e6 * v).round() / 1e6;
        let flat = |p: &mut [f64; 2]| *p = [round(p[0] + by[0]), round(p[1] + by[1])];
        let solid = |p: &mut [f64; 3]| *p = [round(p[0] + by[0]), p[1], round(p[2] + by[1])];
        match self {
            Self::Circle { center_m, .. } | Self::Box { center_m, .. } => flat(center_m),
            Self::Capsule { from_m, to_m, .. } => {
                flat(from_m);
                flat(to_m);
            }
            Self::Polygon { points_m } => points_m.iter_mut().for_each(flat),
            Self::Sphere { center_m, .. } | Self::Box3d { center_m, .. } => solid(center_m),
            Self::Capsule3d { from_m, to_m, .. } => {
                solid(from_m);
                solid(to_m);
            }
        }
    }

    /// Checks its numbers.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a number is not finite, a size not positive, or a polygon has
    /// fewer than three corners or no area.
    pub fn check(&self) -> Result<(), GuidanceError> {
        let (points, sizes): (Vec<f64>, Vec<f64>) = match self {
            Self::Circle { center_m, radius_m } => (center_m.to_vec(), vec![*radius_m]),
            Self::Box {
                center_m,
                half_extents_m,
                yaw_deg,
            } => (
                [&center_m[..], &[*yaw_deg]].concat(),
                half_extents_m.to_vec(),
            ),
            Self::Capsule {
                from_m,
                to_m,
                radius_m,
            } => ([*from_m, *to_m].concat(), vec![*radius_m]),
            Self::Polygon { points_m } => {
                let area = twice_area(points_m).abs();
                if points_m.len() < 3 || area == 0.0 {
                    return Err(GuidanceError::Field {
                        field: "points_m",
                        value: format!("{points_m:?}"),
                        expected: "must be at least three corners around an area",
                    });
                }
                (points_m.concat(), Vec::new())
            }
            Self::Sphere { center_m, radius_m } => (center_m.to_vec(), vec![*radius_m]),
            Self::Box3d {
                center_m,
                half_extents_m,
                yaw_deg,
            } => (
                [&center_m[..], &[*yaw_deg]].concat(),
                half_extents_m.to_vec(),
            ),
            Self::Capsule3d {
                from_m,
                to_m,
                radius_m,
            } => ([*from_m, *to_m].concat(), vec![*radius_m]),
        };
        let placed = points.iter().all(|value| value.is_finite());
        let sized = sizes.iter().all(|size| size.is_finite() && *size > 0.0);
        if placed && sized {
            Ok(())
        } else {
            Err(GuidanceError::Field {
                field: "shape",
                value: format!("{self:?}"),
                expected: "must have finite coordinates and positive sizes, in metres",
            })
        }
    }
}

/// A turn about Y.
struct Turn {
    sin: f64,
    cos: f64,
}

impl Turn {
    fn new(yaw_deg: f64) -> Self {
        let (sin, cos) = yaw_deg.to_radians().sin_cos();
        Self { sin, cos }
    }

    fn to_local(&self, x: f64, z: f64) -> [f64; 2] {
        [x * self.cos - z * self.sin, x * self.sin + z * self.cos]
    }

    fn to_world(&self, x: f64, z: f64) -> [f64; 2] {
        [x * self.cos + z * self.sin, z * self.cos - x * self.sin]
    }
}

fn ball<const D: usize>(point: [f64; D], center: [f64; D], radius: f64) -> (f64, [f64; D]) {
    let mut offset = point;
    for (offset, center) in offset.iter_mut().zip(center) {
        *offset -= center;
    }
    let length = length(offset);
    if length > 0.0 {
        (length - radius, offset.map(|o| o / length))
    } else {
        (-radius, [0.0; D])
    }
}

/// An axis-aligned box around the origin.
fn cuboid<const D: usize>(point: [f64; D], half_extents: [f64; D]) -> (f64, [f64; D]) {
    let mut beyond = [0.0; D];
    let mut nearest_face = (f64::NEG_INFINITY, 0);
    for axis in 0..D {
        let depth = point[axis].abs() - half_extents[axis];
        beyond[axis] = depth.max(0.0);
        if depth > nearest_face.0 {
            nearest_face = (depth, axis);
        }
    }
    let outside = length(beyond);
    if outside > 0.0 {
        let mut slope = beyond;
        for (slope, value) in slope.iter_mut().zip(point) {
            *slope *= value.signum() / outside;
        }
        (outside, slope)
    } else {
        let (depth, axis) = nearest_face;
        let mut slope = [0.0; D];
        slope[axis] = point[axis].signum();
        (depth, slope)
    }
}

/// The point of a line that is nearest to another.
fn nearest<const D: usize>(point: [f64; D], from: [f64; D], to: [f64; D]) -> [f64; D] {
    let (mut along, mut squared) = (0.0, 0.0);
    for axis in 0..D {
        let edge = to[axis] - from[axis];
        along += (point[axis] - from[axis]) * edge;
        squared += edge * edge;
    }
    let share = if squared > 0.0 {
        (along / squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let mut found = from;
    for (found, to) in found.iter_mut().zip(to) {
        *found += share * (to - *found);
    }
    found
}

fn polygon(point: [f64; 2], corners: &[GroundPoint]) -> (f64, [f64; 2]) {
    let mut best = (f64::INFINITY, [0.0; 2]);
    let mut inside = false;
    for (index, &from) in corners.iter().enumerate() {
        let to = corners[(index + 1) % corners.len()];
        let here = ball(point, nearest(point, from, to), 0.0);
        if here.0 < best.0 {
            best = here;
        }
        let crosses = (from[1] > point[1]) != (to[1] > point[1]);
        if crosses {
            let share = (point[1] - from[1]) / (to[1] - from[1]);
            inside ^= point[0] < from[0] + share * (to[0] - from[0]);
        }
    }
    if inside {
        (-best.0, best.1.map(|s| -s))
    } else {
        best
    }
}

fn twice_area(corners: &[GroundPoint]) -> f64 {
    let next = |index: usize| corners[(index + 1) % corners.len()];
    let terms = corners
        .iter()
        .enumerate()
        .map(|(index, a)| a[0] * next(index)[1] - a[1] * next(index)[0]);
    terms.sum()
}

fn length<const D: usize>(vector: [f64; D]) -> f64 {
    vector.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes() -> Vec<Shape> {
        vec![
            Shape::Circle {
                center_m: [0.4, -0.3],
                radius_m: 0.7,
            },
            Shape::Box {
                center_m: [0.2, 0.1],
                half_extents_m: [0.8, 0.3],
                yaw_deg: 35.0,
            },
            Shape::Capsule {
                from_m: [-0.5, 0.0],
                to_m: [0.6, 0.7],
                radius_m: 0.25,
            },
            Shape::Polygon {
                points_m: vec![
                    [-1.0, -1.0],
                    [1.0, -0.8],
                    [0.2, 0.0],
                    [0.9, 1.0],
                    [-0.7, 0.6],
                ],
            },
            Shape::Sphere {
                center_m: [0.1, 0.5, 0.2],
                radius_m: 0.6,
            },
            Shape::Box3d {
                center_m: [0.0, 0.4, 0.1],
                half_extents_m: [0.5, 0.3, 0.9],
                yaw_deg: -20.0,
            },
            Shape::Capsule3d {
                from_m: [-0.4, 0.1, 0.3],
                to_m: [0.5, 1.2, -0.2],
                radius_m: 0.3,
            },
        ]
    }

    /// Points on a grid that avoids the shapes' creases.
    fn points() -> impl Iterator<Item = WorldPoint> {
        (0..343).map(|i| {
            let at = |n: i32| 0.437 * f64::from(n % 7) - 1.283;
            [at(i), at(i / 7) + 0.6, at(i / 49)]
        })
    }

    #[test]
    fn slopes_are_difference_quotients_of_unit_length() {
        for shape in shapes() {
            for point in points() {
                let (_, slope) = shape.distance_m(point);
                assert!((length(slope) - 1.0).abs() < 1e-9, "{shape:?} at {point:?}");
                for axis in 0..3 {
                    let at = |offset: f64| {
                        let mut moved = point;
                        moved[axis] += offset;
                        shape.distance_m(moved).0
                    };
                    let quotient = (at(1e-6) - at(-1e-6)) / 2e-6;
                    let error = (quotient - slope[axis]).abs();
                    assert!(error < 1e-6, "{shape:?} at {point:?}, axis {axis}: {error}");
                }
            }
        }
    }

    /// The distance is that to the nearest of many points on the surface, found by marching along
    /// the slope.
    #[test]
    fn a_step_of_the_distance_ends_on_the_surface() {
        for shape in shapes() {
            for point in points() {
                let (distance, slope) = shape.distance_m(point);
                let mut end = point;
                for axis in 0..3 {
                    end[axis] -= distance * slope[axis];
                }
                assert!(
                    shape.distance_m(end).0.abs() < 1e-9,
                    "{shape:?} at {point:?}"
                );
            }
        }
    }

    #[test]
    fn known_distances() {
        let square = Shape::Polygon {
            points_m: vec![[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]],
        };
        let same = Shape::Box {
            center_m: [1.0, 1.0],
            half_extents_m: [1.0, 1.0],
            yaw_deg: 90.0,
        };
        for point in [[1.0, 0.0, 0.25], [3.0, 5.0, 3.0], [-0.5, 0.0, 1.5]] {
            let difference = square.distance_m(point).0 - same.distance_m(point).0;
            assert!(difference.abs() < 1e-12);
        }
        assert!((square.distance_m([3.0, 0.0, 3.0]).0 - 2.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(square.distance_m([1.0, 9.0, 0.25]).0, -0.25);
        // A yaw of 90° turns the box's +Z to the world's +X.
        let long = Shape::Box {
            center_m: [0.0, 0.0],
            half_extents_m: [0.1, 2.0],
            yaw_deg: 90.0,
        };
        assert!(long.distance_m([1.9, 0.0, 0.0]).0 < 0.0);
        assert!(long.distance_m([0.0, 0.0, 1.9]).0 > 1.7);
    }

    #[test]
    fn shapes_without_size_are_refused() {
        let point = Shape::Sphere {
            center_m: [0.0; 3],
            radius_m: 0.0,
        };
        assert!(point.check().unwrap_err().to_string().contains("Sphere"));
        for points_m in [Vec::new(), vec![[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]] {
            let flat = Shape::Polygon { points_m };
            assert!(flat.check().unwrap_err().to_string().contains("points_m"));
        }
        assert!(shapes().iter().all(|shape| shape.check().is_ok()));
    }
}
