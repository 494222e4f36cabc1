//! Rotations from positions, and limbs that reach.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use glam::{DQuat, DVec3};
use kinograd_motion::{
    JOINT_NAMES, Motion, Skeleton,
    ik::{self, Limb},
};

/// A small generator of the linear congruential kind, enough to vary poses.
struct Noise(u64);

impl Noise {
    /// In [−1, 1).
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn vector(&mut self) -> DVec3 {
        DVec3::new(self.next(), self.next(), self.next())
    }

    /// About any axis by up to `most_rad`.
    fn turn(&mut self, most_rad: f64) -> DQuat {
        let axis = self.vector().try_normalize().unwrap_or(DVec3::X);
        DQuat::from_axis_angle(axis, most_rad * self.next())
    }
}

fn random_motion(seed: u64, frames: usize, most_rad: f64) -> Motion {
    let mut noise = Noise(seed);
    let skeleton = Skeleton::canonical();
    Motion {
        fps: 20.0,
        root_in_world_m: (0..frames).map(|_| noise.vector()).collect(),
        local_rotations: (0..frames)
            .map(|_| (0..skeleton.len()).map(|_| noise.turn(most_rad)).collect())
            .collect(),
        skeleton,
        translations: std::collections::BTreeMap::new(),
    }
}

fn worst(a: &[Vec<DVec3>], b: &[Vec<DVec3>]) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.map(|(x, y)| x.distance(*y)).fold(0.0, f64::max)
}

fn mean(a: &[Vec<DVec3>], b: &[Vec<DVec3>]) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.map(|(x, y)| x.distance(*y)).sum::<f64>() / (a.len() * a[0].len()) as f64
}

#[test]
fn joints_of_a_body_are_reproduced() {
    for seed in 0..20 {
        for most_rad in [0.3, 1.0, 3.1] {
            let motion = random_motion(seed, 30, most_rad);
            let joints = motion.joints_in_world_m();
            let fit = ik::fit_rotations(&motion.skeleton, &joints, 20.0).unwrap();
            let error = worst(&joints, &fit.joints_in_world_m());
            assert!(error < 1e-6, "seed {seed}, up to {most_rad} rad: {error} m");
        }
    }
}

#[test]
fn any_skeleton_will_do() {
    // A star, a long chain and a joint without length.
    let parents = [
        None,
        Some(0),
        Some(0),
        Some(0),
        Some(3),
        Some(4),
        Some(5),
        Some(1),
    ];
    let mut noise = Noise(5);
    let skeleton = Skeleton {
        names: (0..8).map(|j| format!("j{j}")).collect(),
        parents: parents.to_vec(),
        offsets_m: (0..8)
            .map(|j| if j == 5 { DVec3::ZERO } else { noise.vector() })
            .collect(),
    };
    let motion = Motion {
        fps: 30.0,
        root_in_world_m: vec![DVec3::ONE; 10],
        local_rotations: (0..10)
            .map(|_| (0..8).map(|_| noise.turn(2.0)).collect())
            .collect(),
        skeleton,
        translations: std::collections::BTreeMap::new(),
    };
    let joints = motion.joints_in_world_m();
    let fit = ik::fit_rotations(&motion.skeleton, &joints, 30.0).unwrap();
    let error = worst(&joints, &fit.joints_in_world_m());
    assert!(error < 1e-6, "{error} m");
}

#[test]
fn bones_that_are_off_by_millimetres_cost_millimetres() {
    let motion = random_motion(3, 50, 0.8);
    let mut noise = Noise(9);
    let exact = motion.joints_in_world_m();
    let off: Vec<Vec<DVec3>> = exact
        .iter()
        .map(|frame| frame.iter().map(|p| *p + 0.005 * noise.vector()).collect())
        .collect();
    let fit = ik::fit_rotations(&motion.skeleton, &off, 20.0).unwrap();
    let error = mean(&off, &fit.joints_in_world_m());
    assert!(error < 0.005, "mean {error} m");
}

/// A body whose joints turn slowly and smoothly, arms and legs through straight.
fn slow(frames: usize) -> Motion {
    let skeleton = Skeleton::canonical();
    let at = |name: &str| JOINT_NAMES.iter().position(|n| *n == name).unwrap();
    let local_rotations = (0..frames)
        .map(|f| {
            let t = f as f64 / 20.0;
            let mut q = vec![DQuat::IDENTITY; skeleton.len()];
            q[0] = DQuat::from_rotation_y(1.3 * t);
            q[at("spine2")] = DQuat::from_rotation_x(0.4 * t.sin());
            for (side, sign) in [("left", 1.0), ("right", -1.0)] {
                let bend = 1.0 - (1.1 * t).cos();
                q[at(&format!("{side}_hip"))] = DQuat::from_rotation_x(-0.7 * bend);
                q[at(&format!("{side}_knee"))] = DQuat::from_rotation_x(bend);
                q[at(&format!("{side}_shoulder"))] =
                    DQuat::from_rotation_z(-sign * (0.9 + 0.4 * t.sin()));
                q[at(&format!("{side}_elbow"))] = DQuat::from_rotation_y(-sign * 0.9 * bend);
            }
            q
        })
        .collect();
    Motion {
        fps: 20.0,
        root_in_world_m: (0..frames)
            .map(|f| DVec3::new(0.0, 0.95, 0.03 * f as f64))
            .collect(),
        local_rotations,
        skeleton,
        translations: std::collections::BTreeMap::new(),
    }
}

#[test]
fn smooth_motion_gives_smooth_rotations_with_signs_kept() {
    let motion = slow(240);
    let fit = ik::fit_rotations(&motion.skeleton, &motion.joints_in_world_m(), 20.0).unwrap();
    for (frame, pair) in fit.local_rotations.windows(2).enumerate() {
        for (joint, (a, b)) in pair[0].iter().zip(&pair[1]).enumerate() {
            assert!(
                a.dot(*b) > 0.0,
                "frame {frame}, {}: sign",
                JOINT_NAMES[joint]
            );
            let turn = a.angle_between(*b).to_degrees();
            assert!(
                turn < 12.0,
                "frame {frame}, {}: {turn}°",
                JOINT_NAMES[joint]
            );
        }
    }
}

#[test]
fn knees_and_elbows_bend_about_their_hinges() {
    let motion = slow(240);
    let fit = ik::fit_rotations(&motion.skeleton, &motion.joints_in_world_m(), 20.0).unwrap();
    let at = |name: &str| JOINT_NAMES.iter().position(|n| *n == name).unwrap();
    let hinges = [
        ("left_knee", DVec3::X),
        ("right_knee", DVec3::X),
        ("left_elbow", DVec3::NEG_Y),
        ("right_elbow", DVec3::Y),
    ];
    for (name, hinge) in hinges {
        for frame in 0..fit.len() {
            let (axis, angle) = fit.local_rotations[frame][at(name)].to_axis_angle();
            if angle > 0.7 {
                let off = axis.angle_between(hinge).to_degrees();
                assert!(off < 6.0, "{name}, frame {frame}: axis {axis}, {off}° off");
            }
        }
    }
}

#[test]
fn twist_between_pelvis_and_chest_spreads_over_the_spine() {
    let mut motion = slow(5);
    for rotations in &mut motion.local_rotations {
        rotations.fill(DQuat::IDENTITY);
        rotations[9] = DQuat::from_rotation_y(0.9);
    }
    let fit = ik::fit_rotations(&motion.skeleton, &motion.joints_in_world_m(), 20.0).unwrap();
    for joint in [3, 6, 9] {
        let turn = fit.local_rotations[2][joint].to_axis_angle().1;
        assert!(
            (turn - 0.3).abs() < 0.02,
            "{}: {turn} rad",
            JOINT_NAMES[joint]
        );
    }
}

#[test]
fn degenerate_and_broken_input_does_not_break() {
    let body = Skeleton::canonical();
    let heap = vec![vec![DVec3::ONE; 22]; 3];
    let fit = ik::fit_rotations(&body, &heap, 20.0).unwrap();
    assert!(
        fit.local_rotations
            .iter()
            .flatten()
            .all(|q| q.is_normalized())
    );
    // Upside down: every bone against its rest direction.
    let rest = Motion {
        skeleton: body.clone(),
        fps: 20.0,
        root_in_world_m: vec![DVec3::ZERO],
        local_rotations: vec![vec![DQuat::IDENTITY; 22]],
        translations: std::collections::BTreeMap::new(),
    };
    let mirrored: Vec<Vec<DVec3>> = rest
        .joints_in_world_m()
        .iter()
        .map(|f| f.iter().map(|p| -*p).collect())
        .collect();
    let fit = ik::fit_rotations(&body, &mirrored, 20.0).unwrap();
    assert!(
        fit.local_rotations
            .iter()
            .flatten()
            .all(|q| q.is_normalized())
    );
    assert!(ik::fit_rotations(&body, &[], 20.0).unwrap().is_empty());
    let mut broken = heap.clone();
    broken[1][4].z = f64::NAN;
    let error = ik::fit_rotations(&body, &broken, 20.0)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("frame 1") && error.contains("left_knee"),
        "{error}"
    );
    assert!(ik::fit_rotations(&body, &[vec![DVec3::ONE; 21]], 20.0).is_err());
    assert!(ik::fit_rotations(&body, &heap, 0.0).is_err());
}

#[test]
fn two_bones_obey_the_law_of_cosines() {
    let mut noise = Noise(11);
    for _ in 0..500 {
        let (a, b, c) = (noise.vector(), noise.vector(), noise.vector());
        let target = a + 1.5 * noise.vector();
        let goal = ik::two_bone(a, b, c, target, DVec3::Z);
        let (upper, lower) = (a.distance(b), b.distance(c));
        assert!((goal.middle.distance(a) - upper).abs() < 1e-9);
        assert!((goal.end.distance(goal.middle) - lower).abs() < 1e-9);
        let far = a.distance(target);
        let left_over = (far - upper - lower)
            .max((upper - lower).abs() - far)
            .max(0.0);
        assert!((goal.end.distance(target) - left_over).abs() < 1e-9);
        // The bend stays on its side of the line.
        let line = (target - a).normalize();
        let before = (b - a).reject_from_normalized(line);
        let after = (goal.middle - a).reject_from_normalized(line);
        assert!(before.cross(after).length() < 1e-9 && before.dot(after) >= -1e-12);
    }
}

#[test]
fn a_straight_limb_bends_towards_its_pole() {
    let goal = ik::two_bone(
        DVec3::Y * 2.0,
        DVec3::Y,
        DVec3::ZERO,
        DVec3::Y * 0.6,
        DVec3::Z,
    );
    assert!(goal.middle.z > 0.5 && goal.middle.x.abs() < 1e-12);
    assert!(goal.end.distance(DVec3::Y * 0.6) < 1e-12);
}

#[test]
fn limbs_reach_and_keep_the_end_turned_as_it_was() {
    for (seed, limb) in [
        Limb::LEFT_LEG,
        Limb::RIGHT_LEG,
        Limb::LEFT_ARM,
        Limb::RIGHT_ARM,
    ]
    .into_iter()
    .enumerate()
    {
        let mut motion = random_motion(seed as u64 + 40, 3, 0.9);
        let before = motion.joints_in_world_m();
        let turned = world_rotation(&motion, 1, limb.end);
        let target = before[1][limb.end] + DVec3::new(0.03, -0.02, 0.04);
        let target = before[1][limb.root] + 0.9 * (target - before[1][limb.root]);
        let left = ik::reach(&mut motion, 1, limb, target).unwrap();
        let after = motion.joints_in_world_m();
        assert!(left < 1e-12 && after[1][limb.end].distance(target) < 1e-9);
        assert!(turned.angle_between(world_rotation(&motion, 1, limb.end)) < 1e-7);
        assert_eq!(before[0], after[0]);
        assert_eq!(before[1][limb.root], after[1][limb.root]);
        assert!(ik::reach(&mut motion, 7, limb, target).is_err());
        assert!(ik::reach(&mut motion, 1, limb, DVec3::NAN).is_err());
    }
}

fn world_rotation(motion: &Motion, frame: usize, joint: usize) -> DQuat {
    let local = motion.local_rotations[frame][joint];
    match motion.skeleton.parents[joint] {
        None => local,
        Some(parent) => world_rotation(motion, frame, parent) * local,
    }
}
