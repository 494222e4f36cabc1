//! Features against a NumPy statement of the published definition, and their inverse and adjoint.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use glam::{DQuat, DVec3};
use kinograd_motion::features::{
    CHAINS, CONTACTS, FEATURES, FloorLevel, Heading, ROTATIONS, VELOCITIES, YAW_VELOCITY,
    canonicalize, decode_headings, decode_joints, decode_joints_vjp, decode_root_path,
    decode_root_path_vjp, features_from_joints, features_from_motion, group_std,
    joints_from_motion, motion_from_features,
};
use kinograd_motion::synth::SynthWalk;
use kinograd_motion::{
    JOINTS, MIRRORED_JOINTS, Motion, MotionError, Normalizer, PARENTS, Skeleton, mirror,
};
use kinograd_testkit::{Golden, Tolerance, assert_close, central_difference};
use ndarray::{Array1, Array2, Array3, ArrayD, Axis, Ix2, Ix3, concatenate, s};

const fn within(absolute: f64) -> Tolerance {
    Tolerance::Within {
        absolute,
        relative: 0.0,
    }
}

const LEAVES: [usize; 5] = [10, 11, 15, 20, 21];

fn golden_motion(golden: &Golden, name: &str) -> Motion {
    let root = golden.f64(&format!("{name}_root"));
    let rotations = golden.f64(&format!("{name}_rotations_wxyz"));
    let frames = root.len_of(Axis(0));
    Motion {
        skeleton: Skeleton::canonical(),
        fps: 20.0,
        root_in_world_m: (0..frames)
            .map(|f| DVec3::new(root[[f, 0]], root[[f, 1]], root[[f, 2]]))
            .collect(),
        local_rotations: (0..frames)
            .map(|f| {
                (0..JOINTS)
                    .map(|j| {
                        let q = |k: usize| rotations[[f, j, k]];
                        DQuat::from_xyzw(q(1), q(2), q(3), q(0)).normalize()
                    })
                    .collect()
            })
            .collect(),
        translations: std::collections::BTreeMap::new(),
    }
}

/// `[frames, 263]` to `[frames, 137]`, as in the golden.
fn without_rotations(features: &Array2<f32>) -> Array2<f32> {
    concatenate![
        Axis(1),
        features.slice(s![.., ..ROTATIONS]),
        features.slice(s![.., VELOCITIES..])
    ]
}

fn golden_features(golden: &Golden, name: &str) -> Array2<f32> {
    let narrow = golden
        .f64(name)
        .mapv(|v| v as f32)
        .into_dimensionality::<Ix2>()
        .unwrap();
    concatenate![
        Axis(1),
        narrow.slice(s![.., ..ROTATIONS]),
        Array2::zeros((narrow.nrows(), VELOCITIES - ROTATIONS)),
        narrow.slice(s![.., ROTATIONS..])
    ]
}

fn max_difference(a: &Array3<f64>, b: &Array3<f64>) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

#[test]
fn features_equal_the_published_definition() {
    let golden = Golden::new("humanml3d_features");
    let motion = golden_motion(&golden, "bend");
    let features = without_rotations(&features_from_motion(&motion).unwrap());
    let expected = golden.f64("bend_features");
    assert_close(&features.into_dyn(), &expected, within(1e-6));
}

#[test]
fn decoding_equals_the_published_recovery() {
    let golden = Golden::new("humanml3d_features");
    let features = golden_features(&golden, "bend_features");
    let joints = decode_joints(features.view()).unwrap();
    assert_close(
        &joints.into_dyn(),
        &golden.f64("bend_recovered"),
        within(1e-5),
    );
}

/// The published arcsine turns the wrong way in the one frame where the heading crosses 180°.
#[test]
fn only_the_crossing_of_half_a_turn_differs_from_the_published_definition() {
    let golden = Golden::new("humanml3d_features");
    let motion = golden_motion(&golden, "around");
    let features = features_from_motion(&motion).unwrap();
    let expected = golden.f64("around_root_features");
    let mut crossings = 0;
    for ((row, column), &theirs) in expected
        .into_dimensionality::<Ix2>()
        .unwrap()
        .indexed_iter()
    {
        let ours = f64::from(features[[row, column]]);
        if column == YAW_VELOCITY && (ours - theirs).abs() > 1e-6 {
            crossings += 1;
            assert!(
                (ours + theirs).abs() < 1e-6,
                "row {row}: {ours} is not −({theirs})"
            );
        } else {
            assert!(
                (ours - theirs).abs() < 1e-6,
                "[{row}, {column}]: {ours} against {theirs}"
            );
        }
    }
    assert_eq!(crossings, 1);
    let canonical = canonicalize(&motion, FloorLevel::Lowest).unwrap();
    let joints = joints_from_motion(&canonical).unwrap();
    let kept = joints.slice(s![..features.nrows(), .., ..]).to_owned();
    assert!(max_difference(&decode_joints(features.view()).unwrap(), &kept) < 1e-5);
    let published = golden
        .f64("around_recovered_pelvis")
        .into_dimensionality::<Ix2>()
        .unwrap();
    let pelvis = kept.index_axis(Axis(1), 0);
    let off = published
        .iter()
        .zip(pelvis)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    assert!(
        off > 0.01,
        "the published round trip is off by {off} m only"
    );
}

#[test]
fn joints_come_back_within_a_tenth_of_a_millimetre() {
    for walk in [
        SynthWalk {
            duration_secs: 60.0,
            turn_rad_per_s: 0.9,
            ..SynthWalk::default()
        },
        SynthWalk {
            duration_secs: 2.0,
            speed_mps: 0.4,
            ..SynthWalk::default()
        },
    ] {
        let motion = walk.motion();
        let canonical = canonicalize(&motion, FloorLevel::Lowest).unwrap();
        let joints = joints_from_motion(&canonical).unwrap();
        for heading in [Heading::Published, Heading::Corrected { sigma_frames: 0.0 }] {
            let features =
                features_from_joints(joints.view(), &canonical.local_rotations, heading).unwrap();
            assert_eq!(features.dim(), (motion.len() - 1, FEATURES));
            let decoded = decode_joints(features.view()).unwrap();
            let kept = joints.slice(s![..features.nrows(), .., ..]).to_owned();
            assert!(max_difference(&decoded, &kept) < 1e-4);
        }
    }
}

#[test]
fn rotations_reproduce_the_joints() {
    let golden = Golden::new("humanml3d_features");
    let motion = golden_motion(&golden, "around");
    let features = features_from_motion(&motion).unwrap();
    let joints = decode_joints(features.view()).unwrap();
    let decoded = motion_from_features(features.view()).unwrap();
    let by_rotations = joints_from_motion(&decoded).unwrap();
    assert!(max_difference(&joints, &by_rotations) < 1e-5);

    // Forward kinematics over the chains, as the published code does it, from the slots alone.
    let yaws = decode_headings(features.view()).unwrap();
    let body = Skeleton::canonical();
    for (frame, row) in features.outer_iter().enumerate() {
        for chain in CHAINS {
            let mut rotation = DQuat::from_rotation_y(yaws[frame]);
            let from = chain[0];
            let mut at = DVec3::from_array(std::array::from_fn(|a| joints[[frame, from, a]]));
            for &joint in &chain[1..] {
                let slot = ROTATIONS + 6 * (joint - 1);
                let column = |k: usize| {
                    DVec3::from_array(std::array::from_fn(|a| f64::from(row[slot + 3 * k + a])))
                };
                let (x, y) = (column(0), column(1));
                rotation *= DQuat::from_mat3(&glam::DMat3::from_cols(x, y, x.cross(y)));
                at += rotation * body.offsets_m[joint];
                let expected =
                    DVec3::from_array(std::array::from_fn(|a| joints[[frame, joint, a]]));
                assert!(at.distance(expected) < 1e-4, "frame {frame}, joint {joint}");
            }
        }
    }

    // Leaves carry no bone, so their own rotation is not in the features.
    let canonical = canonicalize(&motion, FloorLevel::Lowest).unwrap();
    for (frame, rotations) in decoded.local_rotations.iter().enumerate() {
        for joint in (0..JOINTS).filter(|j| !LEAVES.contains(j)) {
            let expected = canonical.local_rotations[frame][joint];
            assert!(
                rotations[joint].angle_between(expected) < 1e-3,
                "frame {frame}, joint {joint}"
            );
        }
    }
}

#[test]
fn the_mirror_of_a_clip_has_mirrored_features() {
    let golden = Golden::new("humanml3d_features");
    let motion = golden_motion(&golden, "bend");
    let features = features_from_motion(&motion).unwrap();
    let other = features_from_motion(&mirror(&motion).unwrap()).unwrap();
    let joints = decode_joints(features.view()).unwrap();
    let mirrored = decode_joints(other.view()).unwrap();
    for frame in 0..features.nrows() {
        assert!((features[[frame, 0]] + other[[frame, 0]]).abs() < 1e-6);
        assert!((features[[frame, 1]] + other[[frame, 1]]).abs() < 1e-6);
        assert!((features[[frame, 2]] - other[[frame, 2]]).abs() < 1e-6);
        for (joint, &to) in MIRRORED_JOINTS.iter().enumerate() {
            assert_eq!(MIRRORED_JOINTS[to], joint);
            assert_eq!(MIRRORED_JOINTS[PARENTS[joint]], PARENTS[to]);
            for (axis, sign) in [(0, -1.0), (1, 1.0), (2, 1.0)] {
                let difference = joints[[frame, joint, axis]] - sign * mirrored[[frame, to, axis]];
                assert!(
                    difference.abs() < 1e-5,
                    "frame {frame}, joint {joint}, axis {axis}"
                );
            }
        }
        let contacts = |f: &Array2<f32>, k: usize| f[[frame, CONTACTS + k]];
        assert_eq!(contacts(&features, 0), contacts(&other, 2));
        assert_eq!(contacts(&features, 1), contacts(&other, 3));
    }
    let twice = mirror(&mirror(&motion).unwrap()).unwrap();
    assert_eq!(twice, motion);
}

/// Features whose headings turn by large angles, away from any symmetry.
fn rough_features(frames: usize) -> Array2<f32> {
    Array2::from_shape_fn((frames, FEATURES), |(f, c)| {
        let wave = (0.7 * f as f64 + 1.3 * c as f64).sin();
        (if c == 0 { 0.2 * wave + 0.1 } else { 0.4 * wave }) as f32
    })
}

fn rough_cotangent(shape: &[usize]) -> ArrayD<f64> {
    let mut state = 1.0_f64;
    ArrayD::from_shape_simple_fn(shape, || {
        state = (state * 12.9898 + 0.618).sin();
        state
    })
}

#[test]
fn the_adjoint_of_decoding_joints_is_its_derivative() {
    let features = rough_features(6);
    let cotangent = rough_cotangent(&[6, JOINTS, 3])
        .into_dimensionality::<Ix3>()
        .unwrap();
    let gradient = decode_joints_vjp(features.view(), cotangent.view()).unwrap();
    let value = |x: &ArrayD<f32>| {
        let x = x.view().into_dimensionality::<Ix2>().unwrap();
        (&decode_joints(x).unwrap() * &cotangent).sum()
    };
    let numeric = central_difference(value, &features.into_dyn(), 1e-3);
    assert_close(&gradient.into_dyn(), &numeric, within(2e-4));
}

#[test]
fn the_adjoint_of_decoding_the_path_is_its_derivative() {
    let features = rough_features(9);
    let cotangent = rough_cotangent(&[9, 2])
        .into_dimensionality::<Ix2>()
        .unwrap();
    let gradient = decode_root_path_vjp(features.view(), cotangent.view()).unwrap();
    let value = |x: &ArrayD<f32>| {
        let x = x.view().into_dimensionality::<Ix2>().unwrap();
        (&decode_root_path(x).unwrap() * &cotangent).sum()
    };
    let numeric = central_difference(value, &features.clone().into_dyn(), 1e-3);
    assert_close(&gradient.clone().into_dyn(), &numeric, within(2e-4));

    // The path is the root of the joints.
    let mut on_joints = Array3::<f64>::zeros((9, JOINTS, 3));
    on_joints
        .slice_mut(s![.., 0, 0])
        .assign(&cotangent.column(0));
    on_joints
        .slice_mut(s![.., 0, 2])
        .assign(&cotangent.column(1));
    let by_joints = decode_joints_vjp(features.view(), on_joints.view()).unwrap();
    assert_close(&gradient.into_dyn(), &by_joints.into_dyn(), within(1e-12));
}

/// <u, Jv> = <Jᵀu, v> on 200 frames, with Jv from a small step in f64 of exact cumulative sums.
#[test]
fn the_adjoint_holds_over_long_clips() {
    let features = rough_features(200).mapv(|v| v * 0.05);
    let cotangent = rough_cotangent(&[200, JOINTS, 3])
        .into_dimensionality::<Ix3>()
        .unwrap();
    let direction = rough_cotangent(&[200, FEATURES])
        .into_dimensionality::<Ix2>()
        .unwrap();
    let step = 1e-4;
    let moved = |sign: f64| features.mapv(f64::from) + &direction * (sign * step);
    let (low, high) = (
        moved(-1.0).mapv(|v| v as f32),
        moved(1.0).mapv(|v| v as f32),
    );
    let taken = (&high - &low).mapv(f64::from);
    let value = |x: &Array2<f32>| (&decode_joints(x.view()).unwrap() * &cotangent).sum();
    let forward = value(&high) - value(&low);
    let gradient = decode_joints_vjp(features.view(), cotangent.view()).unwrap();
    let backward = (&gradient * &taken).sum();
    assert!(
        (forward - backward).abs() < 1e-4 * forward.abs().max(backward.abs()),
        "{forward} against {backward}"
    );
}

#[test]
fn wrong_shapes_are_errors() {
    let narrow = Array2::<f32>::zeros((4, 262));
    assert!(matches!(
        decode_joints(narrow.view()),
        Err(MotionError::Shape { .. })
    ));
    assert!(matches!(
        decode_root_path(narrow.view()),
        Err(MotionError::Shape { .. })
    ));
    assert!(matches!(
        motion_from_features(narrow.view()),
        Err(MotionError::Shape { .. })
    ));
    let features = Array2::<f32>::zeros((4, FEATURES));
    let short = Array3::<f64>::zeros((3, JOINTS, 3));
    assert!(decode_joints_vjp(features.view(), short.view()).is_err());
    let one = Motion {
        skeleton: Skeleton::canonical(),
        fps: 20.0,
        root_in_world_m: vec![DVec3::Y],
        local_rotations: vec![vec![DQuat::IDENTITY; JOINTS]],
        translations: std::collections::BTreeMap::new(),
    };
    assert!(matches!(
        features_from_motion(&one),
        Err(MotionError::Shape { .. })
    ));
    assert_eq!(
        decode_joints(Array2::zeros((0, FEATURES)).view())
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn normalisation_is_undone_and_its_adjoint_scales() {
    let mean = Array1::from_shape_fn(FEATURES, |c| c as f32 * 0.01);
    let std = Array1::from_shape_fn(FEATURES, |c| 0.5 + c as f32 * 0.01);
    let normalizer = Normalizer::new(mean.clone(), std.clone()).unwrap();
    let features = rough_features(5);
    let back = normalizer
        .invert(normalizer.apply(features.view()).unwrap().view())
        .unwrap();
    assert_close(&back.into_dyn(), &features.clone().into_dyn(), within(1e-5));
    let cotangent = rough_cotangent(&[5, FEATURES])
        .into_dimensionality::<Ix2>()
        .unwrap();
    let value = |x: &ArrayD<f32>| {
        let x = x.view().into_dimensionality::<Ix2>().unwrap();
        (&normalizer.invert(x).unwrap().mapv(f64::from) * &cotangent).sum()
    };
    let numeric = central_difference(value, &features.into_dyn(), 0.1);
    let exact = normalizer.invert_vjp(cotangent.view()).unwrap();
    assert_close(&exact.into_dyn(), &numeric, within(1e-3));
    assert!(Normalizer::new(mean.clone(), Array1::zeros(FEATURES)).is_err());
    assert!(Normalizer::new(mean, Array1::ones(5)).is_err());

    let grouped = group_std(&std).unwrap();
    assert_eq!(grouped[0], std[0]);
    assert!((grouped[1] - (std[1] + std[2]) / 2.0).abs() < 1e-6);
    assert_eq!(grouped[ROTATIONS], grouped[VELOCITIES - 1]);
}
