//! What a task looks like on the ground.

use kinograd_draw::sheet::{Prism, Rod, SceneMarks};
use kinograd_guidance::Shape;
use kinograd_guidance::goal::MarkKind;

use crate::TaskSpec;

/// Height that a shape of the ground is drawn with, metres.
const WALL_M: f64 = 0.3;
/// Corners of a round outline's quarter.
const QUARTER: usize = 8;

/// The goals and obstacles of a task that have a place.
pub(crate) fn marks_of_task(task: &TaskSpec) -> SceneMarks {
    let mut marks = SceneMarks::default();
    let last_target = task.target().map(|target| target.position_m);
    for (_, goal) in task.goal_set().iter() {
        for mark in goal.marks() {
            match mark.what {
                MarkKind::Target(at) if Some(at) == last_target => marks.target_m = Some(at),
                MarkKind::Target(at) | MarkKind::Waypoint(at, _) => marks.waypoints_m.push(at),
                MarkKind::Path(line) | MarkKind::OtherPath(line) => marks.lines_m.push(line),
                MarkKind::Place(at) => marks.places_m.push(at),
                MarkKind::KeepIn(shape) => add(&mut marks, &shape, true),
                MarkKind::KeepOut(shape) => add(&mut marks, &shape, false),
                _ => {}
            }
        }
    }
    marks
}

fn add(marks: &mut SceneMarks, shape: &Shape, keep_in: bool) {
    let flat = if keep_in { 0.0 } else { WALL_M };
    let mut prism = |corners_m: Vec<[f64; 2]>, heights_m: [f64; 2]| {
        marks.prisms.push(Prism {
            corners_m,
            heights_m,
            keep_in,
        });
    };
    match shape {
        Shape::Circle {
            center_m: [x, z],
            radius_m,
        } if !keep_in => marks.obstacles_m.push([*x, *z, *radius_m]),
        Shape::Circle { center_m, radius_m } => {
            prism(round(*center_m, *center_m, *radius_m), [0.0, flat]);
        }
        Shape::Box {
            center_m,
            half_extents_m,
            yaw_deg,
        } => prism(corners(*center_m, *half_extents_m, *yaw_deg), [0.0, flat]),
        Shape::Capsule {
            from_m,
            to_m,
            radius_m,
        } => prism(round(*from_m, *to_m, *radius_m), [0.0, flat]),
        Shape::Polygon { points_m } => prism(points_m.clone(), [0.0, flat]),
        Shape::Box3d {
            center_m: [x, y, z],
            half_extents_m: [width, height, depth],
            yaw_deg,
        } => prism(
            corners([*x, *z], [*width, *depth], *yaw_deg),
            [y - height, y + height],
        ),
        Shape::Sphere { center_m, radius_m } => marks.rods.push(Rod {
            ends_m: [*center_m; 2],
            radius_m: *radius_m,
            keep_in,
        }),
        Shape::Capsule3d {
            from_m,
            to_m,
            radius_m,
        } => marks.rods.push(Rod {
            ends_m: [*from_m, *to_m],
            radius_m: *radius_m,
            keep_in,
        }),
        _ => {}
    }
}

/// A rectangle that is turned about Y: its own x axis is (cos, −sin) in the world's (x, z).
fn corners([x, z]: [f64; 2], [width, depth]: [f64; 2], yaw_deg: f64) -> Vec<[f64; 2]> {
    let (sin, cos) = yaw_deg.to_radians().sin_cos();
    [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
        .map(|(a, b)| {
            let (u, v) = (a * width, b * depth);
            [x + cos * u + sin * v, z - sin * u + cos * v]
        })
        .to_vec()
}

/// All that is near a line.
fn round(from: [f64; 2], to: [f64; 2], radius_m: f64) -> Vec<[f64; 2]> {
    let along = (to[1] - from[1]).atan2(to[0] - from[0]);
    let half = |centre: [f64; 2], start: f64| {
        (0..=2 * QUARTER).map(move |step| {
            let turn = std::f64::consts::FRAC_PI_2 * step as f64 / QUARTER as f64;
            let (sin, cos) = (start + turn).sin_cos();
            [centre[0] + radius_m * cos, centre[1] + radius_m * sin]
        })
    };
    let quarter = std::f64::consts::FRAC_PI_2;
    half(to, along - quarter)
        .chain(half(from, along + quarter))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outlines lie on the surfaces that the losses know.
    #[test]
    fn outlines_are_the_shapes_own() {
        let shapes = [
            Shape::Circle {
                center_m: [1.0, 2.0],
                radius_m: 0.5,
            },
            Shape::Box {
                center_m: [1.0, -2.0],
                half_extents_m: [0.5, 1.5],
                yaw_deg: 30.0,
            },
            Shape::Capsule {
                from_m: [0.0, 1.0],
                to_m: [2.0, 3.0],
                radius_m: 0.3,
            },
            Shape::Polygon {
                points_m: vec![[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]],
            },
            Shape::Box3d {
                center_m: [1.0, 0.5, -2.0],
                half_extents_m: [0.5, 0.5, 1.5],
                yaw_deg: -70.0,
            },
        ];
        for shape in shapes {
            let mut marks = SceneMarks::default();
            add(&mut marks, &shape, true);
            assert_eq!(marks.prisms.len(), 1);
            for prism in marks.prisms {
                for [x, z] in prism.corners_m {
                    let (distance_m, _) = shape.distance_m([x, 0.5, z]);
                    assert!(distance_m.abs() < 1e-9, "{shape:?}: {distance_m}");
                }
            }
        }
    }
}
