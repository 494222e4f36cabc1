//! Closed surfaces of rings.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use glam::{DMat3, DQuat, DVec3};

use super::part::{Hold, Part};

const SIDES: usize = 16;
const RINGS: usize = 10;
/// Rings along the straight part of a capsule, as shares of it; where limbs bend there are more.
const SHAFT: [f64; 6] = [0.1, 0.22, 0.4, 0.6, 0.78, 0.9];

impl Part {
    /// A superellipsoid: |x/a|^p + |y/b|^p + |z/c|^p = 1 in its own frame; `power` 2 is an
    /// ellipsoid and more is boxier.
    pub(super) fn ellipsoid(
        &mut self,
        hold: Hold,
        centre: DVec3,
        half: DVec3,
        turn: DQuat,
        power: f64,
    ) {
        let rings: Vec<f64> = (0..=RINGS).map(latitude).collect();
        self.surface(hold, &rings, |latitude, longitude| {
            let direction = direction(latitude, longitude);
            let powers = direction.abs().to_array().map(|d| d.powf(power));
            let unit = direction * powers.iter().sum::<f64>().powf(-1.0 / power);
            let gradient = unit.signum() * unit.abs().powf(power - 1.0) / half;
            (centre + turn * (unit * half), turn * gradient)
        });
    }

    /// Two balls and the cone that touches both.
    pub(super) fn capsule(&mut self, hold: Hold, [from, to]: [DVec3; 2], [start, end]: [f64; 2]) {
        let axis = (to - from).normalize_or(DVec3::Y);
        let side = axis.any_orthonormal_vector();
        let frame = DMat3::from_cols(side, axis, side.cross(axis));
        // Latitude at which the cone leaves the balls.
        let tangent = ((start - end) / from.distance(to)).clamp(-1.0, 1.0).asin();
        // Latitudes of the first ball, then shares of the shaft, then latitudes of the second:
        // one number that rises all the way.
        let (shaft, beyond) = (10.0, 20.0);
        let before = (0..RINGS).map(latitude).filter(|&l| l < tangent);
        let after = (1..=RINGS).map(latitude).filter(|&l| l >= tangent);
        let rings: Vec<f64> = before
            .chain(SHAFT.map(|share| shaft + share))
            .chain(after.map(|l| beyond + l))
            .collect();
        self.surface(hold, &rings, |ring, longitude| {
            let (latitude, share) = if ring > beyond - PI {
                (ring - beyond, 1.0)
            } else if ring > shaft - PI {
                (tangent, ring - shaft)
            } else {
                (ring, 0.0)
            };
            let normal = frame * direction(latitude, longitude);
            let radius = start + (end - start) * share;
            (from.lerp(to, share) + radius * normal, normal)
        });
    }

    /// A closed surface of rings, with one vertex at each end.
    fn surface(&mut self, hold: Hold, rings: &[f64], point: impl Fn(f64, f64) -> (DVec3, DVec3)) {
        let base = self.positions.len() as u32;
        let mut push = |ring: f64, longitude: f64| {
            let (position, normal) = point(ring, longitude);
            self.positions.push(position.as_vec3().to_array());
            let normal = normal.normalize_or(DVec3::Y).as_vec3();
            self.normals.push(normal.normalize().to_array());
        };
        let [first, between @ .., last] = rings else {
            return;
        };
        push(*first, 0.0);
        for &ring in between {
            for side in 0..SIDES {
                push(ring, TAU * side as f64 / SIDES as f64);
            }
        }
        push(*last, 0.0);
        let (sides, rings) = (SIDES as u32, between.len() as u32 + 1);
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
        self.pieces
            .push((self.positions.len() - base as usize, hold));
    }
}

fn latitude(ring: usize) -> f64 {
    PI * ring as f64 / RINGS as f64 - FRAC_PI_2
}

fn direction(latitude: f64, longitude: f64) -> DVec3 {
    DVec3::new(
        latitude.cos() * longitude.cos(),
        latitude.sin(),
        -latitude.cos() * longitude.sin(),
    )
}
