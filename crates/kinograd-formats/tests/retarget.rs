//! From any rig to the canonical body.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use glam::{DQuat, DVec3};
use kinograd_formats::bvh::{self, Bvh};
use kinograd_motion::{
    JOINT_NAMES, Motion, MotionError, Skeleton,
    mapping::{JointSource, Mapping, MappingFile, Up},
    resample,
    retarget::{self, Retargeted},
};

fn asset(name: &str) -> Bvh {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/clips");
    bvh::read(&PathBuf::from(root).join(name)).unwrap()
}

fn automatic(name: &str, fps: f64) -> Retargeted {
    let clip = asset(name);
    let mapping = Mapping::automatic(&clip.skeleton).unwrap();
    clip.retarget(&mapping, fps).unwrap()
}

fn own_mapping() -> Mapping {
    let own = |name: &&str| (name.to_string(), JointSource::Joint(name.to_string()));
    Mapping {
        joints: JOINT_NAMES.iter().map(own).collect(),
        unit_to_metre: Some(1.0),
        up: Up::Y,
    }
}

fn worst(a: &Motion, b: &Motion) -> f64 {
    let (a, b) = (a.joints_in_world_m(), b.joints_in_world_m());
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.map(|(x, y)| x.distance(*y)).fold(0.0, f64::max)
}

#[test]
fn the_body_itself_comes_back() {
    let clip = asset("walk.bvh");
    let done = clip.retarget(&own_mapping(), 30.0).unwrap();
    assert!((done.scale - 1.0).abs() < 1e-6);
    assert!(done.fit_error_m < 1e-4, "{} m", done.fit_error_m);
    let ours = done.motion.joints_in_world_m();
    let source = clip.joints_in_world_m(1.0);
    for (joint, name) in JOINT_NAMES.iter().enumerate() {
        let theirs = clip.skeleton.names.iter().position(|n| n == name).unwrap();
        // Feet are levelled and the chest of the walk turns against its collars: not exact.
        let most = if name.ends_with("foot") { 0.02 } else { 0.002 };
        for (a, b) in ours.iter().zip(&source) {
            let lifted = a[joint] + DVec3::Y * done.floor.height_m;
            let apart = lifted.distance(b[theirs]);
            assert!(apart < most, "{name}: {apart} m");
        }
    }
}

#[test]
fn rigs_with_other_names_units_and_rates_give_the_same_body() {
    let metres = automatic("walk.bvh", 30.0);
    let centimetres = automatic("walk_mixamo_cm.bvh", 30.0);
    assert_eq!(
        (metres.unit_to_metre, centimetres.unit_to_metre),
        (1.0, 0.01)
    );
    assert!(worst(&metres.motion, &centimetres.motion) < 1e-4);
    let inches = automatic("walk_odd_120fps.bvh", 30.0);
    assert_eq!(inches.unit_to_metre, 0.0254);
    assert_eq!(inches.motion.len(), 31);
    // One second of it, so that floor and feet are judged by the same frames.
    let mut first = asset("walk.bvh").to_motion(1.0);
    first.root_in_world_m.truncate(31);
    first.local_rotations.truncate(31);
    let mapping = Mapping::automatic(&first.skeleton).unwrap();
    let first = retarget::retarget_motion(&first, &mapping).unwrap();
    // Each clip integrates its own path along the ground; the body on it is the same.
    let in_place = |motion: &Motion| {
        let mut motion = motion.clone();
        for root in &mut motion.root_in_world_m {
            (root.x, root.z) = (0.0, 0.0);
        }
        motion
    };
    let apart = worst(&in_place(&first.motion), &in_place(&inches.motion));
    assert!(apart < 3e-3, "{apart} m");
}

#[test]
fn a_clip_that_faces_forward_has_its_left_at_positive_x() {
    let done = automatic("walk_mixamo_cm.bvh", 20.0);
    let joints = done.motion.joints_in_world_m();
    let way = joints[joints.len() - 1][0] - joints[0][0];
    assert!(way.z > 1.0 && way.x.abs() < 0.3, "{way}");
    for frame in &joints {
        for [left, right] in [[1, 2], [16, 17], [7, 8]] {
            assert!(frame[left].x > frame[right].x);
        }
    }
}

#[test]
fn planted_feet_stay_planted_on_the_floor() {
    let done = automatic("walk.bvh", 30.0);
    let joints = done.motion.joints_in_world_m();
    let lowest = joints
        .iter()
        .flatten()
        .map(|p| p.y)
        .fold(f64::MAX, f64::min);
    assert!((0.0..0.03).contains(&lowest), "lowest joint at {lowest} m");
    let mut slide: f64 = 0.0;
    for pair in joints.windows(2) {
        let lower = if pair[0][7].y < pair[0][8].y { 7 } else { 8 };
        if pair[0][lower].y < 0.065 && pair[1][lower].y < 0.065 {
            let step = pair[1][lower] - pair[0][lower];
            slide = slide.max(step.x.hypot(step.z) * 30.0);
        }
    }
    assert!(slide < 0.25, "a standing ankle moves at {slide} m/s");
    assert!(done.floor.drift_m < 0.05, "{}", done.floor.drift_m);
}

#[test]
fn turning_and_moving_the_source_turns_and_moves_the_result() {
    let clip = asset("walk.bvh").to_motion(1.0);
    let mut moved = clip.clone();
    let turn = DQuat::from_rotation_y(2.2);
    for (root, rotations) in moved
        .root_in_world_m
        .iter_mut()
        .zip(&mut moved.local_rotations)
    {
        *root = turn * *root + DVec3::new(3.0, 0.7, -5.0);
        rotations[0] = turn * rotations[0];
    }
    let here = retarget::retarget_motion(&clip, &own_mapping()).unwrap();
    let there = retarget::retarget_motion(&moved, &own_mapping()).unwrap();
    let lift = there.floor.height_m - here.floor.height_m;
    assert!((lift - 0.7).abs() < 1e-6, "{lift}");
    let expected = here.motion.joints_in_world_m();
    for (a, b) in expected
        .iter()
        .flatten()
        .zip(there.motion.joints_in_world_m().iter().flatten())
    {
        let a = turn * *a + DVec3::new(3.0, 0.0, -5.0);
        assert!(a.distance(*b) < 1e-6, "{a} {b}");
    }
}

#[test]
fn bodies_of_other_sizes_are_scaled_by_their_legs() {
    let mut clip = asset("walk.bvh").to_motion(1.0);
    let same = retarget::retarget_motion(&clip, &own_mapping()).unwrap();
    for offset in &mut clip.skeleton.offsets_m {
        *offset *= 0.6;
    }
    for root in &mut clip.root_in_world_m {
        *root *= 0.6;
    }
    let child = retarget::retarget_motion(&clip, &own_mapping()).unwrap();
    assert!((child.scale - 1.0 / 0.6).abs() < 1e-6);
    assert!(worst(&same.motion, &child.motion) < 1e-6);
}

#[test]
fn z_up_rigs_stand_up() {
    let clip = asset("walk.bvh").to_motion(1.0);
    let y_up = retarget::retarget_motion(&clip, &own_mapping()).unwrap();
    // World axes (x, y, z) become (x, −z, y): the same walk in a Z-up world.
    let tip = DQuat::from_rotation_x(std::f64::consts::FRAC_PI_2);
    let mut tipped = clip.clone();
    for (root, rotations) in tipped
        .root_in_world_m
        .iter_mut()
        .zip(&mut tipped.local_rotations)
    {
        *root = tip * *root;
        rotations[0] = tip * rotations[0];
    }
    let mapping = Mapping {
        up: Up::Z,
        ..own_mapping()
    };
    let z_up = retarget::retarget_motion(&tipped, &mapping).unwrap();
    assert!(worst(&y_up.motion, &z_up.motion) < 1e-6);
    // Seen from the rest pose, where that is Z up.
    let mut skeleton = clip.skeleton;
    for offset in &mut skeleton.offsets_m {
        *offset = tip * *offset;
    }
    assert_eq!(Mapping::automatic(&skeleton).unwrap().up, Up::Z);
}

/// A skeleton from `name parent` pairs.
fn skeleton(joints: &[(&str, &str)]) -> Skeleton {
    let at = |name: &str| joints.iter().position(|j| j.0 == name);
    Skeleton {
        names: joints.iter().map(|j| j.0.to_owned()).collect(),
        parents: joints.iter().map(|j| at(j.1)).collect(),
        offsets_m: joints.iter().map(|_| DVec3::Y * 0.1).collect(),
    }
}

fn source_of<'a>(mapping: &'a Mapping, joint: &str) -> &'a str {
    match &mapping.joints[joint] {
        JointSource::Joint(name) => name,
        JointSource::Between(name, ..) => name,
    }
}

#[test]
fn names_that_mean_different_joints_are_told_apart_by_the_hierarchy() {
    let smpl = skeleton(&[
        ("Pelvis", ""),
        ("L_Hip", "Pelvis"),
        ("L_Knee", "L_Hip"),
        ("L_Ankle", "L_Knee"),
        ("L_Foot", "L_Ankle"),
        ("R_Hip", "Pelvis"),
        ("R_Knee", "R_Hip"),
        ("R_Ankle", "R_Knee"),
        ("R_Foot", "R_Ankle"),
        ("Spine1", "Pelvis"),
        ("Spine2", "Spine1"),
        ("Spine3", "Spine2"),
        ("Neck", "Spine3"),
        ("Head", "Neck"),
        ("L_Collar", "Spine3"),
        ("L_Shoulder", "L_Collar"),
        ("L_Elbow", "L_Shoulder"),
        ("L_Wrist", "L_Elbow"),
        ("L_Hand", "L_Wrist"),
        ("R_Collar", "Spine3"),
        ("R_Shoulder", "R_Collar"),
        ("R_Elbow", "R_Shoulder"),
        ("R_Wrist", "R_Elbow"),
        ("R_Hand", "R_Wrist"),
    ]);
    let found = Mapping::automatic(&smpl).unwrap();
    for (canonical, name) in [
        ("left_hip", "L_Hip"),
        ("left_ankle", "L_Ankle"),
        ("left_foot", "L_Foot"),
        ("right_shoulder", "R_Shoulder"),
        ("head", "Head"),
        ("neck", "Neck"),
    ] {
        assert_eq!(source_of(&found, canonical), name, "{canonical}");
    }
    found.resolve(&smpl).unwrap();

    // Unreal: thigh_l, calf_l, foot_l, ball_l, twist bones beside.
    let unreal = skeleton(&[
        ("root", ""),
        ("pelvis", "root"),
        ("spine_01", "pelvis"),
        ("spine_02", "spine_01"),
        ("spine_03", "spine_02"),
        ("neck_01", "spine_03"),
        ("head", "neck_01"),
        ("clavicle_l", "spine_03"),
        ("upperarm_l", "clavicle_l"),
        ("upperarm_twist_01_l", "upperarm_l"),
        ("lowerarm_l", "upperarm_l"),
        ("hand_l", "lowerarm_l"),
        ("clavicle_r", "spine_03"),
        ("upperarm_r", "clavicle_r"),
        ("upperarm_twist_01_r", "upperarm_r"),
        ("lowerarm_r", "upperarm_r"),
        ("hand_r", "lowerarm_r"),
        ("thigh_l", "pelvis"),
        ("thigh_twist_01_l", "thigh_l"),
        ("calf_l", "thigh_l"),
        ("foot_l", "calf_l"),
        ("ball_l", "foot_l"),
        ("thigh_r", "pelvis"),
        ("thigh_twist_01_r", "thigh_r"),
        ("calf_r", "thigh_r"),
        ("foot_r", "calf_r"),
        ("ball_r", "foot_r"),
        ("ik_foot_root", "root"),
        ("ik_foot_l", "ik_foot_root"),
        ("ik_foot_r", "ik_foot_root"),
    ]);
    let found = Mapping::automatic(&unreal).unwrap();
    for (canonical, name) in [
        ("left_hip", "thigh_l"),
        ("left_foot", "ball_l"),
        ("right_ankle", "foot_r"),
        ("right_shoulder", "upperarm_r"),
        ("left_elbow", "lowerarm_l"),
        ("left_wrist", "hand_l"),
    ] {
        assert_eq!(source_of(&found, canonical), name, "{canonical}");
    }

    // No toes but End Sites, no collars, no neck, legs named by the word alone.
    let sparse = skeleton(&[
        ("Hips", ""),
        ("LeftLeg", "Hips"),
        ("LeftKnee", "LeftLeg"),
        ("LeftFoot", "LeftKnee"),
        ("LeftFoot_end", "LeftFoot"),
        ("RightLeg", "Hips"),
        ("RightKnee", "RightLeg"),
        ("RightFoot", "RightKnee"),
        ("RightFoot_end", "RightFoot"),
        ("Chest", "Hips"),
        ("Head", "Chest"),
        ("Head_end", "Head"),
        ("LeftArm", "Chest"),
        ("LeftForeArm", "LeftArm"),
        ("LeftHand", "LeftForeArm"),
        ("RightArm", "Chest"),
        ("RightForeArm", "RightArm"),
        ("RightHand", "RightForeArm"),
    ]);
    let found = Mapping::automatic(&sparse).unwrap();
    assert_eq!(source_of(&found, "left_hip"), "LeftLeg");
    assert_eq!(source_of(&found, "left_foot"), "LeftFoot_end");
    assert_eq!(found.joints.len(), 22);
    found.resolve(&sparse).unwrap();
}

#[test]
fn what_is_missing_is_named() {
    let mut clip = asset("walk_mixamo_cm.bvh");
    for name in &mut clip.skeleton.names {
        if name.contains("LeftLeg") || name.contains("RightFore") {
            *name = format!("thing{}", name.len());
        }
    }
    let error = Mapping::automatic(&clip.skeleton).unwrap_err().to_string();
    assert!(
        error.contains("left_knee") && error.contains("right_elbow"),
        "{error}"
    );
    assert!(
        !error.contains("right_knee") && !error.contains("left_elbow"),
        "{error}"
    );

    let mut mapping = own_mapping();
    mapping.joints.remove("neck");
    mapping
        .joints
        .insert("head".into(), JointSource::Joint("Kopf".into()));
    let error = asset("walk.bvh").retarget(&mapping, 20.0).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("`neck` has no entry") && error.contains("no joint `Kopf`"),
        "{error}"
    );
}

#[test]
fn mapping_files_hold_one_rig_or_many() {
    let one =
        r#"{"joints": {"pelvis": "Hips", "spine3": ["a", "b", 0.25]}, "up": "+Z", "note": 1}"#;
    let file = MappingFile::parse(one.as_bytes()).unwrap();
    let mapping = file.get("anything").unwrap();
    assert_eq!(mapping.up, Up::Z);
    assert_eq!(mapping.unit_to_metre, None);
    let between = JointSource::Between("a".into(), "b".into(), 0.25);
    assert_eq!(mapping.joints["spine3"], between);

    let many = format!(r#"{{"_about": "x", "rig": {one}, "other": {one}}}"#);
    let file = MappingFile::parse(many.as_bytes()).unwrap();
    assert_eq!(file.families.len(), 2);
    assert!(file.get("rig").is_some() && file.get("third").is_none());

    for (text, part) in [
        ("{", "EOF"),
        (
            r#"{"joints": {"tail": "Tail"}}"#,
            "`tail` is not a canonical joint",
        ),
        (
            r#"{"joints": {}, "unit_to_metre": 0}"#,
            "unit_to_metre is 0",
        ),
        (r#"{"a": {"joints": {"neck": ["x", 1]}}}"#, "family `a`"),
        (r#"{"a": 3}"#, "family `a`"),
    ] {
        let error = MappingFile::parse(text.as_bytes()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(part), "expected `{part}`, got `{text}`");
        assert!(matches!(
            error,
            MotionError::Format { .. } | MotionError::Mapping { .. }
        ));
    }
}

#[test]
fn a_steady_turn_is_resampled_exactly() {
    let rate = 1.9;
    let motion = Motion {
        skeleton: skeleton(&[("root", "")]),
        fps: 30.0,
        root_in_world_m: (0..31).map(|f| DVec3::X * f as f64 / 30.0).collect(),
        local_rotations: (0..31)
            .map(|f| vec![DQuat::from_rotation_y(rate * f as f64 / 30.0)])
            .collect(),
        translations: std::collections::BTreeMap::new(),
    };
    let slower = resample::resample(&motion, 20.0).unwrap();
    assert_eq!(slower.len(), 21);
    for frame in 0..21 {
        let secs = frame as f64 / 20.0;
        assert!((slower.root_in_world_m[frame].x - secs).abs() < 1e-12);
        let expected = DQuat::from_rotation_y(rate * secs);
        assert!(slower.local_rotations[frame][0].angle_between(expected) < 1e-7);
    }
    assert_eq!(resample::resample(&motion, 30.0).unwrap(), motion);
    assert_eq!(resample::resample(&motion, 60.0).unwrap().len(), 62);
    // The longer way round is not taken, whatever the sign.
    let mut flipped = motion.clone();
    flipped.local_rotations[1][0] = -flipped.local_rotations[1][0];
    let a = resample::resample(&flipped, 45.0).unwrap().local_rotations[1][0];
    assert!(a.angle_between(DQuat::from_rotation_y(rate / 45.0)) < 1e-7);
    let mut torn = motion.clone();
    torn.local_rotations.pop();
    assert!(resample::resample(&torn, 20.0).is_err());
    torn = motion.clone();
    torn.skeleton.parents[0] = Some(3);
    assert!(resample::resample(&torn, 20.0).is_err());
    for fps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(resample::resample(&motion, fps).is_err());
    }
}
