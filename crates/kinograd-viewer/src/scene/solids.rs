//! Shapes of scenes as meshes.

use std::f32::consts::TAU;

use bevy::asset::RenderAssetUsages;
use bevy::mesh::PrimitiveTopology;
use bevy::prelude::*;
use kinograd::guidance::Shape;

/// Corners of a full circle.
const ROUND: usize = 64;
/// Height at which shapes without end are cut, metres.
pub const CUT_M: f32 = 0.8;

/// The outline of a shape on the ground, `(x, z)`, metres, counter-clockwise seen from above; `None` for
/// solids.
#[must_use]
pub fn outline(shape: &Shape) -> Option<Vec<Vec2>> {
    let ground = |p: [f64; 2]| Vec2::new(p[0] as f32, p[1] as f32);
    let mut points = match shape {
        Shape::Circle { center_m, radius_m } => arc(ground(*center_m), *radius_m as f32, 0.0, TAU),
        Shape::Box {
            center_m,
            half_extents_m: [x, z],
            yaw_deg,
        } => {
            let turn = Quat::from_rotation_y(yaw_deg.to_radians() as f32);
            [[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]
                .map(|[i, j]: [f64; 2]| {
                    let corner = turn * Vec3::new((i * x) as f32, 0.0, (j * z) as f32);
                    ground(*center_m) + Vec2::new(corner.x, corner.z)
                })
                .to_vec()
        }
        Shape::Capsule {
            from_m,
            to_m,
            radius_m,
        } => {
            let (from, to) = (ground(*from_m), ground(*to_m));
            let along = (to - from).to_angle();
            let half = 0.25 * TAU;
            let mut points = arc(to, *radius_m as f32, along - half, along + half);
            points.extend(arc(
                from,
                *radius_m as f32,
                along + half,
                along + 3.0 * half,
            ));
            points
        }
        Shape::Polygon { points_m } => points_m.iter().map(|&p| ground(p)).collect(),
        _ => return None,
    };
    if area(&points) < 0.0 {
        points.reverse();
    }
    Some(points)
}

/// Points on a circle from one angle to another.
fn arc(center: Vec2, radius: f32, from: f32, to: f32) -> Vec<Vec2> {
    let whole = (to - from) >= TAU - 1e-4;
    let steps = if whole { ROUND } else { ROUND / 2 };
    let last = if whole { steps } else { steps + 1 };
    (0..last)
        .map(|step| {
            let angle = from + (to - from) * step as f32 / steps as f32;
            center + radius * Vec2::from_angle(angle)
        })
        .collect()
}

/// Signed area, positive where x turns towards z.
fn area(points: &[Vec2]) -> f32 {
    let next = points.iter().cycle().skip(1);
    0.5 * points
        .iter()
        .zip(next)
        .map(|(a, b)| a.perp_dot(*b))
        .sum::<f32>()
}

/// Triangles that cover a simple polygon of positive area, as indices (ear clipping).
#[must_use]
pub fn triangles(points: &[Vec2]) -> Vec<[usize; 3]> {
    let mut left: Vec<usize> = (0..points.len()).collect();
    let mut ears = Vec::new();
    while left.len() > 3 {
        let count = left.len();
        let ear = (0..count).find(|&at| {
            let corner = [(at + count - 1) % count, at, (at + 1) % count].map(|i| left[i]);
            is_ear(points, corner, &left)
        });
        // A polygon whose edges cross has no ear left; what is covered by then stays covered.
        let Some(at) = ear else {
            break;
        };
        ears.push([(at + count - 1) % count, at, (at + 1) % count].map(|i| left[i]));
        left.remove(at);
    }
    if let [a, b, c] = left[..] {
        ears.push([a, b, c]);
    }
    ears
}

fn is_ear(points: &[Vec2], corner: [usize; 3], left: &[usize]) -> bool {
    let [a, b, c] = corner.map(|i| points[i]);
    let turn = |p: Vec2, q: Vec2, r: Vec2| (q - p).perp_dot(r - p);
    turn(a, b, c) > 0.0
        && left.iter().filter(|i| !corner.contains(i)).all(|&i| {
            let p = points[i];
            turn(a, b, p) < 0.0 || turn(b, c, p) < 0.0 || turn(c, a, p) < 0.0
        })
}

/// Triangles with flat normals.
#[must_use]
pub fn facets(corners: Vec<Vec3>) -> Mesh {
    let positions: Vec<[f32; 3]> = corners.into_iter().map(|p| p.to_array()).collect();
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
    .with_computed_flat_normals()
}

/// An upright prism over an outline, from the ground to a height, metres.
#[must_use]
pub fn prism(points: &[Vec2], height_m: f32) -> Mesh {
    let at = |p: Vec2, y: f32| Vec3::new(p.x, y, p.y);
    let mut corners = Vec::new();
    for triangle in triangles(points) {
        // x turns towards z clockwise seen from above: the order is turned round to face up.
        let [a, b, c] = triangle.map(|i| at(points[i], height_m));
        corners.extend([a, c, b]);
    }
    for (index, &from) in points.iter().enumerate() {
        let to = points[(index + 1) % points.len()];
        let (a, b) = (at(from, 0.0), at(to, 0.0));
        let (c, d) = (at(from, height_m), at(to, height_m));
        corners.extend([a, c, b, b, c, d]);
    }
    facets(corners)
}

/// A flat band of a width round an outline, inside it, at a height, metres.
#[must_use]
pub fn rim(points: &[Vec2], width_m: f32, height_m: f32) -> Mesh {
    let count = points.len();
    let inner: Vec<Vec2> = (0..count)
        .map(|i| {
            let (before, here, after) = (
                points[(i + count - 1) % count],
                points[i],
                points[(i + 1) % count],
            );
            let normal = |a: Vec2, b: Vec2| (b - a).perp().normalize_or_zero();
            let (n, m) = (normal(before, here), normal(here, after));
            // The mitre, bounded at sharp corners.
            let middle = n + m;
            here + middle * (2.0 * width_m / middle.length_squared().max(0.5))
        })
        .collect();
    let at = |p: Vec2| Vec3::new(p.x, height_m, p.y);
    let mut corners = Vec::new();
    for i in 0..count {
        let next = (i + 1) % count;
        let [a, b, c, d] = [points[i], points[next], inner[i], inner[next]].map(at);
        corners.extend([a, c, b, b, c, d]);
    }
    facets(corners)
}

/// The mesh of a shape and where it stands. Shapes on the ground are cut at [`CUT_M`].
#[must_use]
pub fn solid(shape: &Shape) -> (Mesh, Transform) {
    let point = |p: [f64; 3]| Vec3::from_array(p.map(|v| v as f32));
    match shape {
        Shape::Circle { center_m, radius_m } => {
            let mesh = Cylinder::new(*radius_m as f32, CUT_M)
                .mesh()
                .resolution(72)
                .build();
            let at = Vec3::new(center_m[0] as f32, 0.5 * CUT_M, center_m[1] as f32);
            (mesh, Transform::from_translation(at))
        }
        Shape::Sphere { center_m, radius_m } => (
            Sphere::new(*radius_m as f32).mesh().uv(48, 24),
            Transform::from_translation(point(*center_m)),
        ),
        Shape::Box3d {
            center_m,
            half_extents_m,
            yaw_deg,
        } => {
            let size = 2.0 * point(*half_extents_m);
            let turn = Quat::from_rotation_y(yaw_deg.to_radians() as f32);
            (
                Cuboid::from_size(size).into(),
                Transform::from_translation(point(*center_m)).with_rotation(turn),
            )
        }
        Shape::Capsule3d {
            from_m,
            to_m,
            radius_m,
        } => {
            let (from, to) = (point(*from_m), point(*to_m));
            let along = (to - from).try_normalize().unwrap_or(Vec3::Y);
            let mesh = Capsule3d::new(*radius_m as f32, from.distance(to));
            let turn = Quat::from_rotation_arc(Vec3::Y, along);
            (
                mesh.into(),
                Transform::from_translation(0.5 * (from + to)).with_rotation(turn),
            )
        }
        other => {
            let outline = outline(other).unwrap_or_default();
            (prism(&outline, CUT_M), Transform::IDENTITY)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(json: &str) -> Shape {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn outlines_lie_on_their_shapes() {
        for json in [
            r#"{"kind": "circle", "center_m": [1, 2], "radius_m": 0.4}"#,
            r#"{"kind": "box", "center_m": [1, 2], "half_extents_m": [0.5, 0.2], "yaw_deg": 25}"#,
            r#"{"kind": "capsule", "from_m": [0, 2], "to_m": [2, 1], "radius_m": 0.3}"#,
            r#"{"kind": "polygon", "points_m": [[1, 1], [1, 3], [2, 1]]}"#,
        ] {
            let shape = shape(json);
            let points = outline(&shape).unwrap();
            assert!(area(&points) > 0.0, "{json}");
            for p in points {
                let distance = shape.distance_m([f64::from(p.x), 0.0, f64::from(p.y)]).0;
                assert!(distance.abs() < 1e-5, "{json}: {p} is {distance} m off");
            }
        }
    }

    #[test]
    fn ears_cover_a_polygon_with_a_dent() {
        let dent =
            [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [1.0, 0.5], [0.0, 2.0]].map(Vec2::from_array);
        let covered: f32 = triangles(&dent)
            .iter()
            .map(|t| area(&t.map(|i| dent[i])))
            .sum();
        assert!((covered - area(&dent)).abs() < 1e-6);
        assert_eq!(triangles(&dent).len(), 3);
        assert!(triangles(&dent[..2]).is_empty());
    }

    #[test]
    fn a_prism_faces_outwards() {
        use bevy::mesh::VertexAttributeValues;
        let points = outline(&shape(
            r#"{"kind": "box", "center_m": [0, 0], "half_extents_m": [1, 2]}"#,
        ))
        .unwrap();
        let mesh = prism(&points, 0.5);
        let Some(VertexAttributeValues::Float32x3(p)) = mesh.attribute(Mesh::ATTRIBUTE_POSITION)
        else {
            panic!("positions");
        };
        // The open bottom adds nothing: it lies in the plane of the origin.
        let volume: f32 = p
            .chunks_exact(3)
            .map(|t| {
                let [a, b, c] = [t[0], t[1], t[2]].map(Vec3::from_array);
                a.dot(b.cross(c)) / 6.0
            })
            .sum();
        assert!((volume - 4.0).abs() < 1e-4, "{volume}");
    }
}
