//! A mannequin of ellipsoids and tapered capsules, a piece per bone; pieces bend where they meet.

use std::f64::consts::{PI, TAU};

use glam::{DMat3, DQuat, DVec3};

use kinograd_motion::Skeleton;

/// Triangles that share a material.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// Rest positions in the world, metres.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals.
    pub normals: Vec<[f32; 3]>,
    /// The joint that carries each vertex.
    pub joints: Vec<u16>,
    /// Three per triangle, anticlockwise from outside.
    pub indices: Vec<u32>,
}

/// Shell and joint balls.
#[derive(Debug, Default)]
pub(crate) struct Mannequin {
    pub shell: Part,
    pub balls: Part,
}

/// Rest position of each joint in the world, metres.
pub(crate) fn rest_positions(skeleton: &Skeleton) -> Vec<DVec3> {
    let mut positions: Vec<DVec3> = Vec::with_capacity(skeleton.len());
    for (joint, parent) in skeleton.parents.iter().enumerate() {
        let base = parent.map_or(DVec3::ZERO, |parent| positions[parent]);
        positions.push(base + skeleton.offsets_m[joint]);
    }
    positions
}

/// The mannequin around `skeleton` in its rest pose. Canonical joint names get the shapes of a
/// body; other bones become plain capsules.
pub(crate) fn mannequin(skeleton: &Skeleton) -> Mannequin {
    let rest = rest_positions(skeleton);
    let scale = body_scale(&rest);
    let mut mesh = Mannequin::default();
    for (joint, parent) in skeleton.parents.iter().enumerate() {
        let name = skeleton.names[joint].as_str();
        if let Some(parent) = *parent {
            bone(&mut mesh, name, parent, rest[parent], rest[joint], scale);
        }
        extras(&mut mesh, name, joint, rest[joint], scale);
    }
    mesh
}

/// Size of the body against the canonical one, from the extent of its rest pose.
fn body_scale(rest: &[DVec3]) -> f64 {
    let extent = |axis: usize| {
        let (low, high) = rest.iter().fold((f64::MAX, f64::MIN), |(low, high), p| {
            (low.min(p[axis]), high.max(p[axis]))
        });
        high - low
    };
    (0..3).map(extent).fold(1e-3, f64::max) / 1.55
}

/// Radii at the start and the end of a limb, by the joint at its end.
fn limb(name: &str) -> Option<(f64, f64)> {
    match name {
        "left_knee" | "right_knee" => Some((0.078, 0.05)),
        "left_ankle" | "right_ankle" => Some((0.054, 0.034)),
        "neck" => Some((0.09, 0.05)),
        "head" => Some((0.046, 0.046)),
        "left_shoulder" | "right_shoulder" => Some((0.05, 0.05)),
        "left_elbow" | "right_elbow" => Some((0.046, 0.036)),
        "left_wrist" | "right_wrist" => Some((0.037, 0.026)),
        _ => None,
    }
}

fn bone(mesh: &mut Mannequin, name: &str, carrier: usize, from: DVec3, to: DVec3, scale: f64) {
    let length = from.distance(to);
    if length < 1e-4 * scale {
        return;
    }
    if name == "spine2" {
        let half = DVec3::new(0.126 * scale, 0.5 * length + 0.1 * scale, 0.092 * scale);
        let middle = from.midpoint(to) - (to - from) * (0.03 * scale / length);
        mesh.shell
            .ellipsoid(carrier, middle, half, DQuat::IDENTITY, 2.5);
        return;
    }
    match name {
        // Hips and collars lie inside pelvis and chest; feet and chest are shaped below.
        "left_hip" | "right_hip" | "left_collar" | "right_collar" | "left_foot" | "right_foot"
        | "spine1" | "spine3" => {}
        _ => {
            let (start, end) = limb(name).map_or_else(
                || {
                    let radius = (0.12 * length).min(0.04 * scale);
                    (radius, 0.8 * radius)
                },
                |(start, end)| (start * scale, end * scale),
            );
            mesh.shell.capsule(carrier, from, to, start, end);
        }
    }
}

/// Pieces that belong to a joint rather than to a bone: pelvis, chest, head, hands, feet, balls.
fn extras(mesh: &mut Mannequin, name: &str, joint: usize, at: DVec3, scale: f64) {
    let mut shell = |offset: [f64; 3], half: [f64; 3], power: f64| {
        let centre = at + DVec3::from_array(offset) * scale;
        let half = DVec3::from_array(half) * scale;
        mesh.shell
            .ellipsoid(joint, centre, half, DQuat::IDENTITY, power);
    };
    match name {
        "pelvis" => shell([0.0, -0.045, 0.0], [0.155, 0.11, 0.105], 2.5),
        "spine3" => shell([0.0, 0.055, 0.0], [0.165, 0.175, 0.11], 2.5),
        "head" => {
            shell([0.0, 0.085, 0.01], [0.078, 0.118, 0.096], 2.2);
            // A brow and nose line: which way a figure faces should show from afar.
            shell([0.0, 0.07, 0.1], [0.014, 0.03, 0.02], 2.0);
        }
        "left_wrist" => shell([0.08, -0.005, 0.008], [0.085, 0.02, 0.042], 2.4),
        "right_wrist" => shell([-0.08, -0.005, 0.008], [0.085, 0.02, 0.042], 2.4),
        "left_ankle" | "right_ankle" => {
            shell([0.0, -0.025, 0.045], [0.042, 0.034, 0.115], 3.2);
        }
        "left_foot" | "right_foot" => shell([0.0, 0.004, 0.03], [0.042, 0.018, 0.05], 3.0),
        _ => {}
    }
    let ball = match name {
        "left_hip" | "right_hip" => 0.076,
        "left_knee" | "right_knee" => 0.052,
        "left_ankle" | "right_ankle" => 0.036,
        "left_shoulder" | "right_shoulder" => 0.056,
        "left_elbow" | "right_elbow" => 0.038,
        "left_wrist" | "right_wrist" => 0.028,
        _ => return,
    };
    mesh.balls
        .ellipsoid(joint, at, DVec3::splat(ball * scale), DQuat::IDENTITY, 2.0);
}

const SIDES: usize = 16;
const RINGS: usize = 10;

impl Part {
    /// A superellipsoid: |x/a|^p + |y/b|^p + |z/c|^p = 1 in its own frame; `power` 2 is an
    /// ellipsoid and more is boxier.
    fn ellipsoid(&mut self, joint: usize, centre: DVec3, half: DVec3, turn: DQuat, power: f64) {
        self.surface(joint, |latitude, longitude| {
            let direction = DVec3::new(
                latitude.cos() * longitude.cos(),
                latitude.sin(),
                -latitude.cos() * longitude.sin(),
            );
            let sum: f64 = direction
                .abs()
                .to_array()
                .iter()
                .map(|d| d.powf(power))
                .sum();
            let unit = direction * sum.powf(-1.0 / power);
            let gradient = unit.signum() * unit.abs().powf(power - 1.0) / half;
            (centre + turn * (unit * half), turn * gradient)
        });
    }

    /// Two balls and the cone that touches both.
    fn capsule(&mut self, joint: usize, from: DVec3, to: DVec3, start: f64, end: f64) {
        let axis = (to - from).normalize_or(DVec3::Y);
        let side = axis.any_orthonormal_vector();
        let frame = DMat3::from_cols(side, axis, side.cross(axis));
        let length = from.distance(to);
        // Latitude at which the cone leaves the balls.
        let tangent = ((start - end) / length).clamp(-1.0, 1.0).asin();
        self.surface(joint, |latitude, longitude| {
            let direction = DVec3::new(
                latitude.cos() * longitude.cos(),
                latitude.sin(),
                -latitude.cos() * longitude.sin(),
            );
            let (centre, radius) = if latitude < tangent {
                (from, start)
            } else {
                (to, end)
            };
            let normal = frame * direction;
            (centre + radius * normal, normal)
        });
    }

    /// A closed surface over latitude and longitude, with one vertex at each pole.
    fn surface(&mut self, joint: usize, point: impl Fn(f64, f64) -> (DVec3, DVec3)) {
        let base = self.positions.len() as u32;
        let mut push = |latitude: f64, longitude: f64| {
            let (position, normal) = point(latitude, longitude);
            self.positions.push(position.as_vec3().to_array());
            self.normals.push(
                normal
                    .normalize_or(DVec3::Y)
                    .as_vec3()
                    .normalize()
                    .to_array(),
            );
            self.joints.push(joint as u16);
        };
        push(-PI / 2.0, 0.0);
        for ring in 1..RINGS {
            for side in 0..SIDES {
                push(
                    PI * (ring as f64 / RINGS as f64 - 0.5),
                    TAU * side as f64 / SIDES as f64,
                );
            }
        }
        push(PI / 2.0, 0.0);
        let (sides, rings) = (SIDES as u32, RINGS as u32);
        let vertex = |ring: u32, side: u32| base + 1 + (ring - 1) * sides + side % sides;
        let top = base + 1 + (rings - 1) * sides;
        for side in 0..sides {
            self.indices
                .extend([base, vertex(1, side + 1), vertex(1, side)]);
            for ring in 1..rings - 1 {
                let (a, b) = (vertex(ring, side), vertex(ring, side + 1));
                let (c, d) = (vertex(ring + 1, side), vertex(ring + 1, side + 1));
                self.indices.extend([a, b, d, a, d, c]);
            }
            self.indices
                .extend([top, vertex(rings - 1, side), vertex(rings - 1, side + 1)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triangles_face_outwards_and_close() {
        let mesh = mannequin(&Skeleton::canonical());
        for part in [&mesh.shell, &mesh.balls] {
            let at = |i: u32| DVec3::from_array(part.positions[i as usize].map(f64::from));
            let normal = |i: u32| DVec3::from_array(part.normals[i as usize].map(f64::from));
            let mut volume = 0.0;
            for t in part.indices.chunks_exact(3) {
                let (a, b, c) = (at(t[0]), at(t[1]), at(t[2]));
                let face = (b - a).cross(c - a);
                assert!(face.length() > 1e-12, "no degenerate triangles");
                let mean = normal(t[0]) + normal(t[1]) + normal(t[2]);
                assert!(face.dot(mean) > 0.0, "winding agrees with the normals");
                volume += a.dot(b.cross(c)) / 6.0;
            }
            assert!(volume > 1e-3, "{volume} m³");
        }
    }

    #[test]
    fn stands_on_the_floor_and_is_as_tall_as_a_body() {
        let mesh = mannequin(&Skeleton::canonical());
        let heights = || mesh.shell.positions.iter().map(|p| p[1]);
        let (low, high) = (
            heights().fold(9.0, f32::min),
            heights().fold(-9.0, f32::max),
        );
        assert!((-0.005..0.01).contains(&low), "{low}");
        assert!((1.65..1.80).contains(&high), "{high}");
    }
}
