//! Smooth closed surfaces round an axis: what the mannequin is made of.

use std::f32::consts::TAU;

use bevy::asset::RenderAssetUsages;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

/// Corners of a ring.
const AROUND: usize = 28;
/// Rings between two stations.
const BETWEEN: usize = 7;

/// An elliptical cross-section, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ring {
    /// Centre in the joint's frame.
    pub center: Vec3,
    /// Half axes along the lathe's two sides.
    pub radii: Vec2,
}

/// A closed surface through stations from one tip to the other, in the joint's rest frame.
#[derive(Debug, Clone, PartialEq)]
pub struct RevolvedMesh {
    /// Directions of the half axes; unit vectors.
    pub sides: [Vec3; 2],
    /// Cross-sections in order; the first and last are the tips.
    pub stations: Vec<Ring>,
    /// Nothing lies below this height, metres: soles are flat.
    pub floor: Option<f32>,
}

impl RevolvedMesh {
    /// The surface as a mesh: positions, smooth normals, triangles. Fewer than two stations are none.
    #[must_use]
    pub fn mesh(&self) -> Mesh {
        let rings = self.rings();
        let mut positions: Vec<[f32; 3]> = Vec::new();
        let mut indices: Vec<u32> = Vec::new();
        for (index, ring) in rings.iter().enumerate() {
            for corner in 0..AROUND {
                let (sin, cos) = (TAU * corner as f32 / AROUND as f32).sin_cos();
                let mut point = ring.center
                    + self.sides[0] * (ring.radii.x * cos)
                    + self.sides[1] * (ring.radii.y * sin);
                if let Some(floor) = self.floor {
                    point.y = point.y.max(floor);
                }
                positions.push(point.to_array());
            }
            if index > 0 {
                join(&mut indices, index - 1, index);
            }
        }
        let mesh = Mesh::new(
            PrimitiveTopology::TriangleList,
            RenderAssetUsages::default(),
        )
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_indices(Indices::U32(self.outwards(indices)));
        // Normals weighted by angles leave edges of a few millimetres out, and with them thin limbs.
        mesh.with_computed_area_weighted_normals()
    }

    /// Triangles that face outwards, whichever way the sides turn about the axis.
    fn outwards(&self, mut indices: Vec<u32>) -> Vec<u32> {
        let (Some(first), Some(last)) = (self.stations.first(), self.stations.last()) else {
            return indices;
        };
        let axis = last.center - first.center;
        if self.sides[0].cross(self.sides[1]).dot(axis) < 0.0 {
            for triangle in indices.chunks_exact_mut(3) {
                triangle.swap(1, 2);
            }
        }
        indices
    }

    /// Rings along the surface, by splines through the stations, close together where the
    /// ends round off.
    fn rings(&self) -> Vec<Ring> {
        let Some(last) = self.stations.len().checked_sub(1) else {
            return Vec::new();
        };
        let at = |index: isize| self.stations[index.clamp(0, last as isize) as usize];
        let mut rings = Vec::new();
        for span in 0..last {
            let near = [-1, 0, 1, 2].map(|step| at(span as isize + step));
            for step in 0..BETWEEN {
                rings.push(between(near, step as f32 / BETWEEN as f32));
            }
        }
        rings.push(at(last as isize));
        rings
    }
}

/// Two rings' quads as triangles.
fn join(indices: &mut Vec<u32>, low: usize, high: usize) {
    for corner in 0..AROUND {
        let next = (corner + 1) % AROUND;
        let [a, b, c, d] = [
            low * AROUND + corner,
            low * AROUND + next,
            high * AROUND + corner,
            high * AROUND + next,
        ]
        .map(|index| index as u32);
        indices.extend([a, b, c, b, d, c]);
    }
}

/// The station at a share of the way from the second of four to the third: a cubic spline by chord length
/// that keeps between its stations, however unevenly they lie.
fn between([a, b, c, d]: [Ring; 4], share: f32) -> Ring {
    let chord = |p: Ring, q: Ring| p.center.distance(q.center) + p.radii.distance(q.radii);
    let chords = [chord(a, b), chord(b, c), chord(c, d)];
    let center = spline([a, b, c, d].map(|s| s.center), chords, share);
    let radii = spline([a, b, c, d].map(|s| s.radii.extend(0.0)), chords, share);
    Ring {
        center,
        radii: radii.truncate().max(Vec2::splat(1e-4)),
    }
}

/// Harmonic mean of two slopes, 0 at a turn (Fritsch & Butland 1984).
fn mean(a: f32, b: f32) -> f32 {
    if a * b > 0.0 {
        2.0 * a * b / (a + b)
    } else {
        0.0
    }
}

fn spline([a, b, c, d]: [Vec3; 4], [before, here, after]: [f32; 3], t: f32) -> Vec3 {
    let way = c - b;
    let slope = |p: Vec3, q: Vec3, r: Vec3, first: f32, second: f32| {
        if first.min(second) < 1e-6 {
            return way;
        }
        let (into, out) = ((q - p) / first, (r - q) / second);
        here * Vec3::new(
            mean(into.x, out.x),
            mean(into.y, out.y),
            mean(into.z, out.z),
        )
    };
    let (from, to) = (slope(a, b, c, before, here), slope(b, c, d, here, after));
    let (t2, t3) = (t * t, t * t * t);
    b * (2.0 * t3 - 3.0 * t2 + 1.0)
        + from * (t3 - 2.0 * t2 + t)
        + c * (3.0 * t2 - 2.0 * t3)
        + to * (t3 - t2)
}

/// A lathe whose sides are `sides` and whose stations are given as `(centre, half axes)`, with
/// rounded tips of `tip` metres beyond the first and last.
#[must_use]
pub fn rounded(sides: [Vec3; 2], stations: &[(Vec3, Vec2)], tips: [f32; 2]) -> RevolvedMesh {
    let mut all = Vec::with_capacity(stations.len() + 8);
    let ends = |inner: (Vec3, Vec2), outward: Vec3, tip: f32, all: &mut Vec<Ring>| {
        // A quarter of an ellipse, from the tip inwards.
        for angle in [0.0_f32, 0.35, 0.75, 1.15] {
            all.push(Ring {
                center: inner.0 + outward * (tip * angle.cos()),
                radii: inner.1 * angle.sin(),
            });
        }
    };
    if let [first, .., last] = stations {
        let second = stations.get(1).unwrap_or(first);
        let before = stations.get(stations.len().wrapping_sub(2)).unwrap_or(last);
        ends(
            *first,
            (first.0 - second.0).normalize_or_zero(),
            tips[0],
            &mut all,
        );
        all.extend(
            stations
                .iter()
                .map(|&(center, radii)| Ring { center, radii }),
        );
        let mut cap = Vec::new();
        ends(
            *last,
            (last.0 - before.0).normalize_or_zero(),
            tips[1],
            &mut cap,
        );
        all.extend(cap.into_iter().rev());
    }
    RevolvedMesh {
        sides,
        stations: all,
        floor: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy::mesh::VertexAttributeValues;

    fn positions(mesh: &Mesh) -> Vec<Vec3> {
        match mesh.attribute(Mesh::ATTRIBUTE_POSITION) {
            Some(VertexAttributeValues::Float32x3(values)) => {
                values.iter().map(|&p| Vec3::from_array(p)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Signed volume by the divergence theorem.
    fn volume(mesh: &Mesh) -> f32 {
        let points = positions(mesh);
        let indices: Vec<usize> = mesh.indices().unwrap().iter().collect();
        indices
            .chunks_exact(3)
            .map(|t| points[t[0]].dot(points[t[1]].cross(points[t[2]])) / 6.0)
            .sum()
    }

    #[test]
    fn a_capsule_has_its_volume_and_faces_outwards() {
        let (radius, length) = (0.1, 0.5);
        let stations = [
            (Vec3::ZERO, Vec2::splat(radius)),
            (Vec3::new(0.0, length, 0.0), Vec2::splat(radius)),
        ];
        for sides in [[Vec3::Z, Vec3::X], [Vec3::X, Vec3::Z]] {
            let mesh = rounded(sides, &stations, [radius; 2]).mesh();
            let exact = std::f32::consts::PI * radius * radius * (length + 4.0 / 3.0 * radius);
            let error = (volume(&mesh) / exact - 1.0).abs();
            assert!(error < 0.04, "{sides:?}: {} of {exact}", volume(&mesh));
        }
    }

    #[test]
    fn thin_limbs_have_normals_too() {
        let stations = [
            (Vec3::ZERO, Vec2::splat(0.01)),
            (Vec3::Y * 0.03, Vec2::splat(0.006)),
        ];
        let mesh = rounded([Vec3::Z, Vec3::X], &stations, [0.004; 2]).mesh();
        let Some(VertexAttributeValues::Float32x3(normals)) =
            mesh.attribute(Mesh::ATTRIBUTE_NORMAL)
        else {
            panic!("normals");
        };
        let points = positions(&mesh);
        let middle = Vec3::Y * 0.014;
        for (normal, point) in normals.iter().zip(points) {
            let normal = Vec3::from_array(*normal);
            assert!((normal.length() - 1.0).abs() < 1e-3, "{normal} at {point}");
            assert!(
                normal.dot(point - middle) > 0.0,
                "{normal} at {point} points inwards"
            );
        }
    }

    #[test]
    fn a_floor_is_kept() {
        let mut lathe = rounded(
            [Vec3::X, Vec3::Y],
            &[
                (Vec3::ZERO, Vec2::splat(0.05)),
                (Vec3::Z * 0.2, Vec2::splat(0.04)),
            ],
            [0.03; 2],
        );
        lathe.floor = Some(-0.02);
        let lowest = positions(&lathe.mesh())
            .iter()
            .map(|p| p.y)
            .fold(f32::MAX, f32::min);
        assert!((lowest + 0.02).abs() < 1e-6);
    }
}
