//! Ground, trail and marks.

use std::f64::consts::TAU;

use glam::{DVec2, DVec3};

use super::camera::Camera;
use super::canvas::{Canvas, Ink};
use super::marks::{Prism, Rod, SceneMarks};

const GRID_M: f64 = 0.5;
const GRID: Ink = Ink::hex(0x8d9bb0);
const TARGET: Ink = Ink::hex(0x16a06a);
const WAYPOINT: Ink = Ink::hex(0x7a5bd0);
const OBSTACLE: Ink = Ink::hex(0xc8384a);
const AREA: Ink = Ink::hex(0x2a8fa8);
const WHITE: Ink = Ink::hex(0xffffff);
const TRAIL: [Ink; 2] = [Ink::hex(0xb9c4d6), Ink::hex(0x3d4655)];
const OBSTACLE_HEIGHT_M: f64 = 0.3;
/// The flag flies above a figure that has arrived.
pub(super) const FLAG_M: f64 = 2.1;

fn ground(x: f64, z: f64) -> DVec3 {
    DVec3::new(x, 0.0, z)
}

fn ring(centre_m: DVec3, radius_m: f64, camera: &Camera) -> Vec<DVec2> {
    (0..72)
        .map(|step| {
            let (sin, cos) = (TAU * f64::from(step) / 72.0).sin_cos();
            camera.project(centre_m + ground(cos, sin) * radius_m).0
        })
        .collect()
}

/// Grid lines that fade out around `low`..`high` (corners of the scene, metres).
pub(super) fn grid(canvas: &mut Canvas, camera: &Camera, low: DVec3, high: DVec3) {
    let spread = 1.2_f64.max(0.25 * low.distance(high));
    let index = |v: f64| (v / GRID_M).floor() as i64;
    let (x0, x1) = (index(low.x - spread), index(high.x + spread) + 1);
    let (z0, z1) = (index(low.z - spread), index(high.z + spread) + 1);
    // Metres of scene beyond these are never drawn one by one.
    if x1 - x0 > 400 || z1 - z0 > 400 {
        return;
    }
    let fade = |x: f64, z: f64| {
        let outside = DVec2::new(
            (low.x - x).max(x - high.x).max(0.0),
            (low.z - z).max(z - high.z).max(0.0),
        );
        (1.0 - outside.length() / spread).max(0.0)
    };
    let mut piece = |from: (i64, i64), to: (i64, i64), line: i64| {
        let at = |(i, j): (i64, i64)| (i as f64 * GRID_M, j as f64 * GRID_M);
        let ((xa, za), (xb, zb)) = (at(from), at(to));
        let alpha = fade(0.5 * (xa + xb), 0.5 * (za + zb));
        if alpha > 0.02 {
            let metre = line % 2 == 0;
            let ends = [
                camera.project(ground(xa, za)).0,
                camera.project(ground(xb, zb)).0,
            ];
            let strength = if metre { 0.5 } else { 0.22 };
            canvas.line(
                &ends,
                if metre { 1.1 } else { 0.8 },
                GRID.alpha(strength * alpha),
            );
        }
    };
    for i in x0..=x1 {
        for j in z0..z1 {
            piece((i, j), (i, j + 1), i);
        }
    }
    for j in z0..=z1 {
        for i in x0..x1 {
            piece((i, j), (i + 1, j), j);
        }
    }
}

/// The root's way on the ground, from pale to dark.
pub(super) fn trail(canvas: &mut Canvas, camera: &Camera, roots_m: &[DVec3]) {
    let pixels: Vec<DVec2> = roots_m
        .iter()
        .map(|root| camera.project(ground(root.x, root.z)).0)
        .collect();
    let count = pixels.len().max(2) - 1;
    for (index, pair) in pixels.windows(2).enumerate() {
        let ink = TRAIL[0].towards(TRAIL[1], index as f64 / count as f64);
        canvas.line(pair, 2.6, ink);
    }
}

/// Everything flat: floors of obstacles, waypoints, the target's rings.
pub(super) fn flat_marks(canvas: &mut Canvas, camera: &Camera, marks: &SceneMarks) {
    for &[x, z, radius] in &marks.obstacles_m {
        let rim = ring(ground(x, z), radius, camera);
        canvas.polygon(&rim, OBSTACLE.alpha(0.18));
        canvas.outline(&rim, 1.6, OBSTACLE.alpha(0.8));
    }
    for prism in &marks.prisms {
        let ink = side_ink(prism.keep_in);
        let corners = prism.corners_m.iter();
        let rim: Vec<DVec2> = corners
            .map(|&[x, z]| camera.project(ground(x, z)).0)
            .collect();
        canvas.polygon(&rim, ink.alpha(0.16));
        canvas.outline(&rim, 1.6, ink.alpha(0.8));
    }
    for line in &marks.lines_m {
        let pixels: Vec<DVec2> = line
            .iter()
            .map(|&[x, z]| camera.project(ground(x, z)).0)
            .collect();
        canvas.line(&pixels, 3.0, WAYPOINT.alpha(0.45));
        for &at in &pixels {
            canvas.capsule(at, at, 4.0, 4.0, WAYPOINT.alpha(0.6));
        }
    }
    for &[x, z] in &marks.waypoints_m {
        let rim = ring(ground(x, z), 0.1, camera);
        canvas.polygon(&rim, WAYPOINT.alpha(0.35));
        canvas.outline(&rim, 1.6, WAYPOINT);
    }
    if let Some([x, z]) = marks.target_m {
        for (radius, alpha) in [(0.3, 0.14), (0.2, 0.2), (0.1, 0.55)] {
            canvas.polygon(&ring(ground(x, z), radius, camera), TARGET.alpha(alpha));
        }
        canvas.outline(&ring(ground(x, z), 0.3, camera), 2.0, TARGET);
    }
}

/// The wall and lid of an obstacle.
pub(super) fn obstacle(canvas: &mut Canvas, camera: &Camera, [x, z, radius]: [f64; 3]) {
    let low = ring(ground(x, z), radius, camera);
    let high = ring(ground(x, z) + DVec3::Y * OBSTACLE_HEIGHT_M, radius, camera);
    let mut hull: Vec<DVec2> = low.iter().chain(&high).copied().collect();
    hull = convex_hull(&mut hull);
    canvas.polygon(
        &hull,
        OBSTACLE.towards(Ink::hex(0xffffff), 0.12).alpha(0.42),
    );
    canvas.polygon(
        &high,
        OBSTACLE.towards(Ink::hex(0xffffff), 0.45).alpha(0.55),
    );
    canvas.outline(&high, 1.6, OBSTACLE.alpha(0.9));
    canvas.outline(&hull, 1.2, OBSTACLE.alpha(0.6));
}

fn side_ink(keep_in: bool) -> Ink {
    if keep_in { AREA } else { OBSTACLE }
}

/// The walls and the lid of what stands on an outline; an area is flat.
pub(super) fn prism(canvas: &mut Canvas, camera: &Camera, prism: &Prism) {
    let [low, high] = prism.heights_m;
    if high <= low {
        return;
    }
    let ink = side_ink(prism.keep_in);
    let solid = if prism.keep_in { 0.35 } else { 1.0 };
    let at = |height: f64| -> Vec<DVec2> {
        let corners = prism.corners_m.iter();
        corners
            .map(|&[x, z]| camera.project(DVec3::new(x, height, z)).0)
            .collect()
    };
    let (floor, lid) = (at(low), at(high));
    for a in 0..floor.len() {
        let b = (a + 1) % floor.len();
        let wall = [floor[a], floor[b], lid[b], lid[a]];
        canvas.polygon(&wall, ink.alpha(0.22 * solid));
        canvas.outline(&wall, 1.2, ink.alpha(0.6 * solid));
    }
    canvas.polygon(&lid, ink.towards(WHITE, 0.45).alpha(0.5 * solid));
    canvas.outline(&lid, 1.6, ink.alpha(0.9 * solid));
}

/// A beam or a ball.
pub(super) fn rod(canvas: &mut Canvas, camera: &Camera, rod: &Rod) {
    let ink = side_ink(rod.keep_in);
    let [(a, a_depth), (b, b_depth)] = rod.ends_m.map(|end| camera.project(DVec3::from_array(end)));
    let radius = |depth: f64| rod.radius_m * camera.px_per_m(depth);
    let (start, end) = (radius(a_depth), radius(b_depth));
    let solid = if rod.keep_in { 0.2 } else { 0.6 };
    canvas.capsule(a, b, start, end, ink.alpha(solid));
    let outline = super::canvas::capsule_outline(a, b, start, end);
    canvas.outline(&outline, 1.4, ink.alpha(0.8));
    let shine = |radius: f64| DVec2::new(-0.22, -0.3) * radius;
    let light = ink.towards(WHITE, 0.5).alpha(0.5 * solid);
    canvas.capsule(
        a + shine(start),
        b + shine(end),
        0.5 * start,
        0.5 * end,
        light,
    );
}

/// A joint's place, with a line down to the ground.
pub(super) fn place(canvas: &mut Canvas, camera: &Camera, at_m: [f64; 3]) {
    let (at, depth) = camera.project(DVec3::from_array(at_m));
    let (foot, _) = camera.project(ground(at_m[0], at_m[2]));
    let radius = (0.06 * camera.px_per_m(depth)).max(3.0);
    canvas.line(&[at, foot], 1.2, WAYPOINT.alpha(0.6));
    canvas.capsule(at, at, radius, radius, WAYPOINT.alpha(0.45));
    canvas.outline(
        &super::canvas::capsule_outline(at, at, radius, radius),
        1.8,
        WAYPOINT,
    );
}

/// The target's pole and pennant.
pub(super) fn flag(canvas: &mut Canvas, camera: &Camera, [x, z]: [f64; 2]) {
    let at = |height: f64, along: f64| {
        camera
            .project(ground(x, z) + DVec3::Y * height + camera.right * along)
            .0
    };
    canvas.line(
        &[at(0.0, 0.0), at(FLAG_M, 0.0)],
        2.2,
        TARGET.towards(Ink::hex(0x000000), 0.25),
    );
    canvas.polygon(
        &[
            at(FLAG_M, 0.0),
            at(FLAG_M - 0.13, 0.36),
            at(FLAG_M - 0.26, 0.0),
        ],
        TARGET,
    );
}

/// Andrew's monotone chain.
fn convex_hull(points: &mut [DVec2]) -> Vec<DVec2> {
    points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let half = |points: &mut dyn Iterator<Item = DVec2>| {
        let mut hull: Vec<DVec2> = Vec::new();
        for point in points {
            while let [.., a, b] = hull[..]
                && (b - a).perp_dot(point - a) <= 0.0
            {
                hull.pop();
            }
            hull.push(point);
        }
        hull.pop();
        hull
    };
    let mut hull = half(&mut points.iter().copied());
    hull.extend(half(&mut points.iter().rev().copied()));
    hull
}
