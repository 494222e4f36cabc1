//! A mannequin of ellipsoids and tapered capsules, a piece per bone; pieces bend where they meet.

mod part;
mod skinning;
mod surface;

use glam::{DQuat, DVec3};
use kinograd_motion::export::{CanonicalForm, rest_positions};
use kinograd_motion::{JOINT_NAMES, Skeleton};

use part::Hold;
pub(crate) use part::Part;
use skinning::skin;

/// Shell and joint balls.
#[derive(Debug, Default)]
pub(crate) struct Mannequin {
    pub shell: Part,
    pub balls: Part,
}

/// The mannequin around `skeleton` in its rest pose. The canonical body, by any of the names that
/// it is written with, gets the shapes of a body; other bones become plain capsules.
pub(crate) fn mannequin(skeleton: &Skeleton) -> Mannequin {
    let form = CanonicalForm::of(skeleton);
    let canonical = |joint: usize| form.as_ref().and_then(|form| form.canonical(joint));
    let turns: Vec<DQuat> = match &form {
        None => vec![DQuat::IDENTITY; skeleton.len()],
        Some(form) => {
            let turns = form.rest_pose.turns(&Skeleton::canonical());
            let of = |joint| canonical(joint).map_or(DQuat::IDENTITY, |joint| turns[joint]);
            (0..skeleton.len()).map(of).collect()
        }
    };
    // Shapes are those of a body with its arms held out.
    let mut held_out = skeleton.clone();
    for (joint, parent) in skeleton.parents.iter().enumerate() {
        if let Some(parent) = *parent {
            held_out.offsets_m[joint] = turns[parent].conjugate() * skeleton.offsets_m[joint];
        }
    }
    let rest = rest_positions(&held_out);
    let is_body = |joint: &usize| form.is_none() || canonical(*joint).is_some();
    let body: Vec<DVec3> = (0..rest.len())
        .filter(is_body)
        .map(|joint| rest[joint])
        .collect();
    let scale = body_scale(&body);
    let mut mesh = Mannequin::default();
    for (joint, parent) in skeleton.parents.iter().enumerate() {
        let name = canonical(joint).map_or(skeleton.names[joint].as_str(), |j| JOINT_NAMES[j]);
        if let Some(parent) = *parent {
            let hold = Hold::Bone {
                parent,
                child: Some(joint),
                start_m: 0.0,
                end_m: 0.0,
            };
            bone(&mut mesh, name, hold, [rest[parent], rest[joint]], scale);
        }
        extras(&mut mesh, name, joint, rest[joint], scale);
    }
    let trunk = trunk(skeleton, form.as_ref());
    for part in [&mut mesh.shell, &mut mesh.balls] {
        skin(part, skeleton, &rest, &trunk, scale);
        skinning::pose(part, &rest, &rest_positions(skeleton), &turns);
    }
    mesh
}

/// Pelvis and spine, from below, where the skeleton has them by those names.
fn trunk(skeleton: &Skeleton, form: Option<&CanonicalForm>) -> Vec<usize> {
    let at = |joint: usize| match form {
        Some(form) => Some(form.joints[joint]),
        None => skeleton
            .names
            .iter()
            .position(|name| name == JOINT_NAMES[joint]),
    };
    [0, 3, 6, 9].into_iter().map_while(at).collect()
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

/// `hold`: the bone, without its radii.
fn bone(mesh: &mut Mannequin, name: &str, hold: Hold, [from, to]: [DVec3; 2], scale: f64) {
    let length = from.distance(to);
    if length < 1e-4 * scale {
        return;
    }
    if name == "spine2" {
        let half = DVec3::new(0.126 * scale, 0.5 * length + 0.1 * scale, 0.092 * scale);
        let middle = from.midpoint(to) - (to - from) * (0.03 * scale / length);
        mesh.shell
            .ellipsoid(Hold::Trunk, middle, half, DQuat::IDENTITY, 2.5);
        return;
    }
    match name {
        // Hips and collars lie inside pelvis and chest; feet and chest are shaped below.
        "left_hip" | "right_hip" | "left_collar" | "right_collar" | "left_foot" | "right_foot"
        | "spine1" | "spine3" => {}
        // A bone above the hips is no limb.
        "pelvis" => {}
        _ => {
            let (start, end) = limb(name).map_or_else(
                || {
                    let radius = (0.12 * length).min(0.04 * scale);
                    (radius, 0.8 * radius)
                },
                |(start, end)| (start * scale, end * scale),
            );
            mesh.shell
                .capsule(hold.with_radii(start, end), [from, to], [start, end]);
        }
    }
}

/// Pieces that belong to a joint rather than to a bone: pelvis, chest, head, hands, feet, balls.
fn extras(mesh: &mut Mannequin, name: &str, joint: usize, at: DVec3, scale: f64) {
    let mut shell = |hold: Hold, offset: [f64; 3], half: [f64; 3], power: f64| {
        let centre = at + DVec3::from_array(offset) * scale;
        let half = DVec3::from_array(half) * scale;
        mesh.shell
            .ellipsoid(hold, centre, half, DQuat::IDENTITY, power);
    };
    let rigid = Hold::Rigid(joint);
    let end = |radius: f64| Hold::Bone {
        parent: joint,
        child: None,
        start_m: radius * scale,
        end_m: 0.0,
    };
    match name {
        "pelvis" => shell(Hold::Trunk, [0.0, -0.045, 0.0], [0.155, 0.11, 0.105], 2.5),
        "spine3" => shell(Hold::Trunk, [0.0, 0.055, 0.0], [0.165, 0.175, 0.11], 2.5),
        "head" => {
            shell(rigid, [0.0, 0.085, 0.01], [0.078, 0.118, 0.096], 2.2);
            // A brow and nose line: which way a figure faces should show from afar.
            shell(rigid, [0.0, 0.07, 0.1], [0.014, 0.03, 0.02], 2.0);
        }
        "left_wrist" => shell(end(0.026), [0.08, -0.005, 0.008], [0.085, 0.02, 0.042], 2.4),
        "right_wrist" => shell(
            end(0.026),
            [-0.08, -0.005, 0.008],
            [0.085, 0.02, 0.042],
            2.4,
        ),
        "left_ankle" | "right_ankle" => {
            shell(end(0.034), [0.0, -0.025, 0.045], [0.042, 0.034, 0.115], 3.2);
        }
        "left_foot" | "right_foot" => {
            shell(end(0.02), [0.0, 0.004, 0.03], [0.042, 0.018, 0.05], 3.0)
        }
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
        .ellipsoid(rigid, at, DVec3::splat(ball * scale), DQuat::IDENTITY, 2.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd_motion::export::{Export, JointNaming, RestPose, RootMotion};
    use kinograd_motion::synth::synth_walk;

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

    #[test]
    fn weights_are_whole_and_several_joints_carry_what_bends() {
        for skeleton in forms() {
            let mesh = mannequin(&skeleton);
            let mut most = 0;
            for part in [&mesh.shell, &mesh.balls] {
                assert_eq!(part.influences.len(), part.positions.len());
                for influences in &part.influences {
                    let shares = influences.shares;
                    assert_eq!(shares.iter().map(|&s| u32::from(s)).sum::<u32>(), 255);
                    assert!(shares[0] >= 255 / 4, "{shares:?}");
                    for (at, joint) in influences.joints.into_iter().enumerate() {
                        assert!(usize::from(joint) < skeleton.len());
                        assert!(shares[at] > 0 || joint == 0, "{influences:?}");
                        assert!(shares[at] == 0 || !influences.joints[..at].contains(&joint));
                    }
                    most = most.max(shares.iter().filter(|&&s| s > 0).count());
                }
            }
            assert!((2..=4).contains(&most));
        }
    }

    /// The same figure under any names, under a root bone, and in an A-pose, whose arms hang.
    #[test]
    fn every_form_of_the_body_has_its_shapes() {
        let plain = mannequin(&Skeleton::canonical());
        for skeleton in forms() {
            let mesh = mannequin(&skeleton);
            assert_eq!(mesh.shell.indices, plain.shell.indices);
            let hands = |mesh: &Mannequin| {
                let x = mesh.shell.positions.iter().map(|p| p[0]);
                x.fold(f32::MIN, f32::max)
            };
            let lowered = CanonicalForm::of(&skeleton).unwrap().rest_pose == RestPose::A;
            let reach = hands(&mesh) / hands(&plain);
            assert!(
                if lowered {
                    reach < 0.85
                } else {
                    (reach - 1.0).abs() < 1e-6
                },
                "{reach}"
            );
        }
    }

    fn forms() -> Vec<Skeleton> {
        let walk = synth_walk(1.2, 0.2, 20.0);
        let names = JointNaming::ALL.into_iter();
        names
            .flat_map(|names| {
                RestPose::ALL.map(|rest_pose| Export {
                    root_motion: RootMotion::Extract,
                    names: Some(names),
                    rest_pose: Some(rest_pose),
                })
            })
            .map(|export| export.apply(&walk).unwrap().skeleton)
            .chain([Skeleton::canonical()])
            .collect()
    }

    /// How thick a joint of the skin stays, at least, when it is turned: the smallest distance of
    /// its vertices from the axis of their bone against that at rest.
    fn thinnest(joint: usize, turn: DQuat) -> f64 {
        let skeleton = Skeleton::canonical();
        let rest = rest_positions(&skeleton);
        let mesh = mannequin(&skeleton);
        let below = |mut at: usize| loop {
            if at == joint {
                break true;
            }
            match skeleton.parents[at] {
                Some(parent) => at = parent,
                None => break false,
            }
        };
        let mut least = f64::INFINITY;
        for (position, influences) in mesh.shell.positions.iter().zip(&mesh.shell.influences) {
            let at = DVec3::from_array(position.map(f64::from));
            let shares = influences.joints.iter().zip(influences.shares);
            let moved: f64 = shares
                .filter(|(joint, _)| below(usize::from(**joint)))
                .map(|(_, share)| f64::from(share) / 255.0)
                .sum();
            let from = at - rest[joint];
            if moved == 0.0 || moved == 1.0 || from.length() > 0.15 {
                continue;
            }
            let posed = (1.0 - moved) * from + moved * (turn * from);
            // Arms lie along X: thickness is what is across it.
            let across = |v: DVec3| {
                if turn.x == 0.0 {
                    v.length()
                } else {
                    v.y.hypot(v.z)
                }
            };
            if across(from) > 0.02 {
                least = least.min(across(posed) / across(from));
            }
        }
        least
    }

    #[test]
    fn bent_and_twisted_limbs_keep_their_thickness() {
        for (joint, degrees, kept) in [(18, 90.0_f64, 0.78), (18, 130.0, 0.61), (20, 90.0, 0.78)] {
            let bent = thinnest(joint, DQuat::from_rotation_y(-degrees.to_radians()));
            assert!(bent > kept, "joint {joint} bent by {degrees}: {bent}");
            let twisted = thinnest(joint, DQuat::from_rotation_x(degrees.to_radians()));
            assert!(
                twisted > kept,
                "joint {joint} twisted by {degrees}: {twisted}"
            );
        }
    }
}
