//! The stick figure: thick limbs, left blue and right orange.

use glam::{DVec2, DVec3};

use super::camera::Camera;
use super::canvas::{Canvas, Ink, capsule_outline};

pub(super) const LEFT: Ink = Ink::hex(0x2f7fd0);
pub(super) const RIGHT: Ink = Ink::hex(0xe4703a);
const TORSO: Ink = Ink::hex(0x3d4655);
const HEAD: Ink = Ink::hex(0x4b5566);
const LIGHT: DVec3 = DVec3::new(0.35, 1.0, 0.25);

/// A thick line between two points, metres.
struct Limb {
    from: DVec3,
    to: DVec3,
    radii_m: (f64, f64),
    ink: Ink,
}

/// The body in pieces; the limbs of a piece are drawn as one shape.
fn pieces(pose: &[DVec3]) -> Vec<Vec<Limb>> {
    let limb = |from: DVec3, to: DVec3, start: f64, end: f64, ink: Ink| Limb {
        from,
        to,
        radii_m: (start, end),
        ink,
    };
    let beyond = |from: usize, to: usize, length_m: f64| {
        pose[to] + (pose[to] - pose[from]).normalize_or_zero() * length_m
    };
    let crown = beyond(12, 15, 0.1);
    let (left, right) = (pose[16], pose[17]);
    let mut all = vec![
        vec![
            limb(pose[1], pose[2], 0.088, 0.088, TORSO),
            limb(pose[0], pose[6], 0.1, 0.092, TORSO),
            limb(pose[6], pose[9], 0.092, 0.1, TORSO),
            limb(pose[9], pose[12], 0.1, 0.05, TORSO),
            limb(
                left.lerp(right, 0.06),
                left.lerp(right, 0.94),
                0.062,
                0.062,
                TORSO,
            ),
        ],
        vec![
            limb(pose[12], pose[15], 0.045, 0.045, HEAD),
            limb(pose[15].lerp(crown, 0.45), crown, 0.082, 0.095, HEAD),
        ],
    ];
    for (side, ink) in [(0, LEFT), (1, RIGHT)] {
        let leg = [1 + side, 4 + side, 7 + side, 10 + side];
        let arm = [16 + side, 18 + side, 20 + side];
        all.push(vec![limb(pose[leg[0]], pose[leg[1]], 0.08, 0.056, ink)]);
        all.push(vec![limb(pose[leg[1]], pose[leg[2]], 0.056, 0.038, ink)]);
        all.push(vec![limb(
            pose[leg[2]],
            beyond(leg[2], leg[3], 0.05),
            0.04,
            0.03,
            ink,
        )]);
        all.push(vec![limb(pose[arm[0]], pose[arm[1]], 0.05, 0.04, ink)]);
        all.push(vec![limb(
            pose[arm[1]],
            beyond(arm[1], arm[2], 0.07),
            0.04,
            0.027,
            ink,
        )]);
    }
    all
}

/// Draws a figure, far pieces first. `fade` mixes it with `paper`: 0 is full colour.
pub(super) fn figure(canvas: &mut Canvas, camera: &Camera, pose: &[DVec3], fade: f64, paper: Ink) {
    let depth = |piece: &[Limb]| {
        let sum: f64 = piece
            .iter()
            .map(|limb| camera.project(limb.from.midpoint(limb.to)).1)
            .sum();
        sum / piece.len() as f64
    };
    let mut pieces: Vec<(f64, Vec<Limb>)> = pieces(pose)
        .into_iter()
        .map(|piece| (depth(&piece), piece))
        .collect();
    pieces.sort_by(|a, b| b.0.total_cmp(&a.0));
    let farthest = pieces.first().map_or(0.0, |piece| piece.0);
    let nearest = pieces.last().map_or(0.0, |piece| piece.0);
    for (depth, piece) in &pieces {
        // Far limbs are a little darker, as if in the body's shade.
        let back = (depth - nearest) / (farthest - nearest).max(0.2);
        let shade = |ink: Ink| {
            ink.towards(Ink::hex(0x1c2430), 0.3 * back)
                .towards(paper, fade)
        };
        let drawn: Vec<_> = piece
            .iter()
            .map(|limb| {
                let (a, a_depth) = camera.project(limb.from);
                let (b, b_depth) = camera.project(limb.to);
                let start = limb.radii_m.0 * camera.px_per_m(a_depth);
                let end = limb.radii_m.1 * camera.px_per_m(b_depth);
                (a, b, start, end, shade(limb.ink))
            })
            .collect();
        for &(a, b, start, end, _) in &drawn {
            let halo = (0.12 * start.min(end)).clamp(0.7, 2.2);
            canvas.capsule(a, b, start + halo, end + halo, paper.alpha(0.92));
        }
        for &(a, b, start, end, ink) in &drawn {
            canvas.capsule(a, b, start, end, ink);
        }
        for &(a, b, start, end, ink) in &drawn {
            // Light from above, on the upper side of the limb.
            let shine = |radius: f64| DVec2::new(-0.22, -0.30) * radius;
            canvas.capsule(
                a + shine(start),
                b + shine(end),
                0.52 * start,
                0.52 * end,
                ink.towards(Ink::hex(0xffffff), 0.2),
            );
        }
    }
}

/// The figure's shadow on the ground.
pub(super) fn shadow(canvas: &mut Canvas, camera: &Camera, pose: &[DVec3], ink: Ink) {
    let drop = |point: DVec3| {
        let height = point.y.max(0.0);
        (point - LIGHT * (height / LIGHT.y)).with_y(0.0)
    };
    // One path for the whole body: overlapping limbs must not add up.
    let mut outlines = Vec::new();
    for limb in pieces(pose).into_iter().flatten() {
        let (a, a_depth) = camera.project(drop(limb.from));
        let (b, b_depth) = camera.project(drop(limb.to));
        outlines.push(capsule_outline(
            a,
            b,
            0.9 * limb.radii_m.0 * camera.px_per_m(a_depth),
            0.9 * limb.radii_m.1 * camera.px_per_m(b_depth),
        ));
    }
    canvas.polygons(&outlines, ink);
}
