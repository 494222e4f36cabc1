//! What a picture of clips and marks holds, and from where it is seen.

use glam::DVec3;

use super::camera::Camera;
use super::canvas::Canvas;
use super::marks::{Prism, Rod, SceneMarks};
use super::pixmap::PAPER;
use super::{figure, scene};

/// Clips that move less than this are laid out in time, side by side, metres.
pub(super) const IN_PLACE_M: f64 = 1.2;

/// Which way the camera lies: beside the way, so that it runs from left to right and a little
/// towards the eye; before the figure where it stays in place.
pub(super) fn viewpoint(all: &[Vec<DVec3>]) -> DVec3 {
    let first = all[0][0];
    let farthest = all
        .iter()
        .map(|pose| (pose[0] - first).with_y(0.0))
        .max_by(|a, b| a.length().total_cmp(&b.length()))
        .unwrap_or(DVec3::ZERO);
    let (front, side, lean) = if farthest.length() > IN_PLACE_M {
        let along = farthest.normalize();
        (along, DVec3::new(-along.z, 0.0, along.x), 0.42)
    } else {
        let middle = &all[all.len() / 2];
        let across = (middle[1] - middle[2]).with_y(0.0).normalize_or(DVec3::X);
        let front = across.cross(DVec3::Y);
        (front, across, 2.0)
    };
    (side + lean * front).normalize() + DVec3::Y * 0.36
}

/// Points that a picture must hold to show the marks.
pub(super) fn framed_marks(marks: &SceneMarks) -> Vec<DVec3> {
    let mut points = Vec::new();
    let spots = marks
        .target_m
        .iter()
        .chain(&marks.waypoints_m)
        .map(|&[x, z]| [x, z, 0.3]);
    for [x, z, radius] in spots.chain(marks.obstacles_m.iter().copied()) {
        for (dx, dz) in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)] {
            points.push(DVec3::new(x + radius * dx, 0.0, z + radius * dz));
        }
    }
    points.extend(marks.target_m.map(|[x, z]| DVec3::new(x, scene::FLAG_M, z)));
    points.extend(marks.places_m.iter().copied().map(DVec3::from_array));
    let lines = marks.lines_m.iter().flatten();
    points.extend(lines.map(|&[x, z]| DVec3::new(x, 0.0, z)));
    for prism in &marks.prisms {
        let corners = prism.corners_m.iter();
        let heights = prism.heights_m;
        points.extend(corners.flat_map(|&[x, z]| heights.map(|y| DVec3::new(x, y, z))));
    }
    for rod in &marks.rods {
        let ends = rod.ends_m.into_iter().map(DVec3::from_array);
        let radius = DVec3::splat(rod.radius_m);
        points.extend(ends.flat_map(|end| [end - radius, end + radius]));
    }
    points
}

/// Figures with their fading, obstacles and the flag, far ones first.
pub(super) fn upright_things(
    canvas: &mut Canvas,
    camera: &Camera,
    figures: &[(&[DVec3], f64)],
    marks: &SceneMarks,
) {
    enum Thing<'a> {
        Figure(&'a [DVec3], f64),
        Obstacle([f64; 3]),
        Prism(&'a Prism),
        Rod(&'a Rod),
        Flag([f64; 2]),
    }
    let depth = |x: f64, z: f64| camera.project(DVec3::new(x, 0.0, z)).1;
    let mut things: Vec<(f64, Thing)> = Vec::new();
    for &(pose, fade) in figures {
        things.push((depth(pose[0].x, pose[0].z), Thing::Figure(pose, fade)));
    }
    for &circle in &marks.obstacles_m {
        things.push((depth(circle[0], circle[1]), Thing::Obstacle(circle)));
    }
    for prism in &marks.prisms {
        let count = prism.corners_m.len().max(1) as f64;
        let mean = |axis: usize| prism.corners_m.iter().map(|c| c[axis]).sum::<f64>() / count;
        things.push((depth(mean(0), mean(1)), Thing::Prism(prism)));
    }
    for rod in &marks.rods {
        let [a, b] = rod.ends_m.map(DVec3::from_array);
        let middle = a.midpoint(b);
        things.push((depth(middle.x, middle.z), Thing::Rod(rod)));
    }
    if let Some([x, z]) = marks.target_m {
        // A figure that has arrived stands before the pole.
        things.push((depth(x, z) + 0.3, Thing::Flag([x, z])));
    }
    things.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, thing) in things {
        match thing {
            Thing::Figure(pose, fade) => figure::figure(canvas, camera, pose, fade, PAPER),
            Thing::Obstacle(circle) => scene::obstacle(canvas, camera, circle),
            Thing::Prism(prism) => scene::prism(canvas, camera, prism),
            Thing::Rod(rod) => scene::rod(canvas, camera, rod),
            Thing::Flag(at) => scene::flag(canvas, camera, at),
        }
    }
    for &place in &marks.places_m {
        scene::place(canvas, camera, place);
    }
}
