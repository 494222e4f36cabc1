//! Reading and writing of BVH.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write as _, path::PathBuf};

use glam::{DQuat, DVec3};
use kinograd_formats::bvh::{self, Channel, WriteOptions};
use kinograd_motion::{Motion, MotionError, Skeleton};
use kinograd_testkit::Golden;
use ndarray::{Array3, Axis};

fn asset(name: &str) -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/clips");
    PathBuf::from(root).join(name)
}

fn table(joints: &[Vec<DVec3>]) -> Array3<f64> {
    Array3::from_shape_fn((joints.len(), joints[0].len(), 3), |(f, j, a)| {
        joints[f][j][a]
    })
}

#[test]
fn other_readers_agree_on_every_joint() {
    // bvhio computes in f32; values reach 170 (centimetres).
    for (name, tolerance) in [
        ("walk", 5e-6),
        ("walk_mixamo_cm", 5e-4),
        ("walk_odd_120fps", 2e-5),
    ] {
        let clip = bvh::read(&asset(&format!("{name}.bvh"))).unwrap();
        let joints = table(&clip.joints_in_world_m(1.0));
        let tenth: Vec<usize> = (0..clip.len()).step_by(10).collect();
        let ours = joints.select(Axis(0), &tenth).into_dyn();
        let theirs = Golden::new("bvh_rigs").f64(name);
        assert_eq!(ours.shape(), theirs.shape(), "{name}");
        let worst = (&ours - &theirs)
            .mapv(f64::abs)
            .fold(0.0, |a: f64, b| a.max(*b));
        assert!(worst <= tolerance, "{name}: max |difference| {worst}");
    }
}

#[test]
fn resampling_agrees_with_scipy() {
    let clip = bvh::read(&asset("walk_odd_120fps.bvh")).unwrap();
    let ours = table(&clip.joints_at_fps_m(50.0, 1.0).unwrap()).into_dyn();
    let theirs = Golden::new("bvh_rigs").f64("walk_odd_120fps_at_50");
    assert_eq!(ours.shape(), theirs.shape());
    let worst = (&ours - &theirs)
        .mapv(f64::abs)
        .fold(0.0, |a: f64, b| a.max(*b));
    assert!(worst <= 2e-5, "max |difference| {worst} inches");
}

#[test]
fn odd_rigs_keep_their_names_orders_and_rates() {
    let clip = bvh::read(&asset("walk_odd_120fps.bvh")).unwrap();
    assert_eq!(clip.fps, 120.0);
    assert_eq!(clip.len(), 121);
    let joint = |name: &str| clip.skeleton.names.iter().position(|n| n == name).unwrap();
    assert_eq!(clip.channels[joint("Bip01 L Calf")], [Channel::Rotation(0)]);
    let scarf = joint("Écharpe flottante");
    assert_eq!(
        clip.channels[scarf],
        [
            Channel::Rotation(1),
            Channel::Position(0),
            Channel::Position(1)
        ]
    );
    assert!(clip.end_sites[joint("Écharpe flottante_end")]);
    assert!(clip.channels[joint("Bip01 Head_end")].is_empty());
}

/// Rotations about pseudo-random axes that vary smoothly in time.
fn wobble(frames: usize, swing_rad: f64) -> Motion {
    let skeleton = Skeleton::canonical();
    let joints = skeleton.len();
    let axis = |j: usize| {
        let a = j as f64 * 2.4;
        DVec3::new(a.sin(), (1.7 * a).cos(), (0.6 * a).sin() + 0.2).normalize()
    };
    Motion {
        skeleton,
        fps: 20.0,
        root_in_world_m: (0..frames)
            .map(|f| DVec3::new(0.05 * f as f64, 1.0, -0.02 * f as f64))
            .collect(),
        local_rotations: (0..frames)
            .map(|f| {
                let turn = |j: usize| swing_rad * (0.2 * f as f64 + j as f64).sin();
                (0..joints)
                    .map(|j| DQuat::from_axis_angle(axis(j), turn(j)))
                    .collect()
            })
            .collect(),
        translations: std::collections::BTreeMap::new(),
    }
}

fn worst_by_name(a: &Motion, b: &Motion) -> f64 {
    let (from, to) = (a.joints_in_world_m(), b.joints_in_world_m());
    let mut worst: f64 = 0.0;
    for (joint, name) in a.skeleton.names.iter().enumerate() {
        let other = b.skeleton.names.iter().position(|n| n == name).unwrap();
        for (x, y) in from.iter().zip(&to) {
            worst = worst.max(x[joint].distance(y[other]));
        }
    }
    worst
}

#[test]
fn written_clips_read_back() {
    for (swing, unit) in [(0.8, 1.0), (3.0, 0.01), (1.6, 0.0254)] {
        let motion = wobble(40, swing);
        let options = WriteOptions {
            unit_to_metre: unit,
        };
        let bytes = bvh::to_bytes(&motion, options).unwrap();
        let back = bvh::parse(&bytes).unwrap();
        assert_eq!(back.fps, 20.0);
        let worst = worst_by_name(&motion, &back.to_motion(unit));
        assert!(worst < 2e-6, "unit {unit}: {worst} m");
    }
}

#[test]
fn foreign_clips_survive_a_round_trip() {
    let clip = bvh::read(&asset("walk_mixamo_cm.bvh")).unwrap();
    let motion = clip.to_motion(0.01);
    let bytes = bvh::to_bytes(&motion, WriteOptions::default()).unwrap();
    let back = bvh::parse(&bytes).unwrap();
    assert_eq!(back.skeleton.names, motion.skeleton.names);
    assert_eq!(back.end_sites, clip.end_sites);
    assert!(worst_by_name(&motion, &back.to_motion(1.0)) < 1e-5);
}

#[test]
fn angles_are_written_without_jumps() {
    let mut motion = wobble(60, 0.1);
    for (frame, rotations) in motion.local_rotations.iter_mut().enumerate() {
        // Three full turns.
        rotations[0] = DQuat::from_rotation_y(frame as f64 * 0.32);
    }
    let text = String::from_utf8(bvh::to_bytes(&motion, WriteOptions::default()).unwrap()).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip_while(|line| !line.starts_with("Frame Time"))
        .skip(1)
        .map(|line| line.split(' ').map(|x| x.parse().unwrap()).collect())
        .collect();
    let steps = rows
        .windows(2)
        .flat_map(|w| w[0].iter().zip(&w[1]).map(|(a, b)| (a - b).abs()));
    assert!(steps.fold(0.0, f64::max) < 25.0);
}

#[test]
fn an_unwritable_place_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/such/folder/clip.bvh");
    let error = bvh::write(&path, &wobble(2, 0.1), WriteOptions::default()).unwrap_err();
    assert!(matches!(error, MotionError::Io { .. }), "{error}");
    let mut broken = wobble(2, 0.1);
    broken.root_in_world_m[1].y = f64::NAN;
    let path = folder.path().join("clip.bvh");
    let error = bvh::write(&path, &broken, WriteOptions::default()).unwrap_err();
    assert!(error.to_string().contains("frame 1"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    bvh::write(&path, &wobble(2, 0.1), WriteOptions::default()).unwrap();
    assert_eq!(bvh::read(&path).unwrap().len(), 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

const GOOD: &str = "HIERARCHY\nROOT hips\n{\n\tOFFSET 0 1 0\n\tCHANNELS 2 Yposition Xrotation\n\
    \tJOINT leg\n\t{\n\t\tOFFSET 0 -1 0\n\t\tCHANNELS 1 Zrotation\n\t\tEnd Site\n\t\t{\n\
    \t\t\tOFFSET 0 -1 0\n\t\t}\n\t}\n}\nMOTION\nFrames: 2\nFrame Time: 0.05\n1 0 0\n1 90 0\n";

#[test]
fn line_ends_tabs_case_and_braces_do_not_matter() {
    let reference = bvh::parse(GOOD.as_bytes()).unwrap();
    let variants = [
        GOOD.replace('\n', "\r\n"),
        GOOD.replace('\n', "\r"),
        GOOD.replace('\t', "  ").replace("1 90 0", " 1\t90  0 "),
        GOOD.replace("\n{", " {")
            .replace("\n\t{", " {")
            .replace("\n\t\t{", " {"),
        GOOD.to_lowercase(),
        format!("\u{feff}\n\n{GOOD}\n\n"),
        GOOD.replace("0.05", "5e-2")
            .replace("1 90 0", "+1 9.0E1 -0"),
    ];
    for text in variants {
        let got = bvh::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(
            got.joints_in_world_m(1.0),
            reference.joints_in_world_m(1.0),
            "{text}"
        );
    }
    // x turns by 90° at the hips: down becomes back (−z).
    let knee = reference.joints_in_world_m(1.0)[1][1];
    assert!(knee.distance(DVec3::new(0.0, 1.0, -1.0)) < 1e-12, "{knee}");
}

#[test]
fn malformed_files_name_the_line_and_the_reason() {
    let cases = [
        ("", 1, "empty"),
        ("PK\u{3}\u{4}", 1, "expected HIERARCHY"),
        ("HIERARCHY\n", 1, "before any ROOT"),
        (&GOOD[..22], 3, "no MOTION"),
        (&GOOD.replace("ROOT hips", "JOINT hips"), 2, "before ROOT"),
        (
            &GOOD.replace("MOTION", "ROOT second\n{\n}\nMOTION"),
            16,
            "several roots",
        ),
        (
            &GOOD.replace("\tOFFSET 0 1 0", "\tOFFSET 0 1"),
            4,
            "needs 3 numbers",
        ),
        (
            &GOOD.replace("\tOFFSET 0 1 0", "\tOFFSET 0 nan 0"),
            4,
            "not finite",
        ),
        (
            &GOOD.replace("Xrotation", "Wrotation"),
            5,
            "unknown channel `Wrotation`",
        ),
        (&GOOD.replace("\nMOTION", ""), 16, "expected"),
        (
            &GOOD.replacen("\t}\n}\n", "\t}\n", 1),
            15,
            "before joint `hips` is closed",
        ),
        (&GOOD[..GOOD.len() - 13], 18, "zero frames"),
        (
            &GOOD.replace("Frames: 2", "Frames: two"),
            17,
            "whole number",
        ),
        (&GOOD.replace("Frames: 2", "Frames: -1"), 17, "whole number"),
        (&GOOD.replace("0.05", "0"), 18, "Frame Time"),
        (&GOOD.replace("0.05", "inf"), 18, "Frame Time"),
        (
            &GOOD.replace("1 90 0", "1 90"),
            20,
            "needs 3 numbers, got 2",
        ),
        (
            &GOOD.replace("1 90 0", "1 90 0 7"),
            20,
            "needs 3 numbers, got 4",
        ),
        (
            &GOOD.replace("1 90 0", "1 NaN 0"),
            20,
            "value 2 is not finite",
        ),
        (&GOOD.replace("1 90 0", "1 1e60 0"), 20, "not finite"),
        (
            &GOOD.replace("1 90 0", "1 9O 0"),
            20,
            "`9O` is not a number",
        ),
        (&GOOD[..GOOD.len() - 4], 20, "needs 3 numbers, got 2"),
        (&GOOD.replace("1 90 0", "END\n1 90 0"), 20, "`END` is not"),
    ];
    for (text, line, part) in cases {
        match bvh::parse(text.as_bytes()) {
            Err(MotionError::Bvh { line: got, message }) => {
                assert!(message.contains(part), "expected `{part}`, got `{message}`");
                assert_eq!(got, line, "{message}");
            }
            other => panic!("expected `{part}`, got {other:?}"),
        }
    }
}

fn chain(joints: usize, nested: bool) -> String {
    let mut text = String::from("HIERARCHY\nROOT j\n{\nOFFSET 0 0 0\nCHANNELS 1 Xrotation\n");
    for joint in 1..joints {
        let end = if nested { "" } else { "}\n" };
        let _ = write!(
            text,
            "JOINT j{joint}\n{{\nOFFSET 0 1 0\nCHANNELS 1 Xrotation\n{end}"
        );
    }
    text.push_str(&"}\n".repeat(if nested { joints } else { 1 }));
    let _ = write!(
        text,
        "MOTION\nFrames: 1\nFrame Time: 0.1\n{}\n",
        "0 ".repeat(joints)
    );
    text
}

#[test]
fn large_rigs_are_read_and_absurd_ones_refused() {
    assert_eq!(
        bvh::parse(chain(300, false).as_bytes())
            .unwrap()
            .skeleton
            .len(),
        300
    );
    assert_eq!(
        bvh::parse(chain(150, true).as_bytes())
            .unwrap()
            .skeleton
            .len(),
        150
    );
    let error = bvh::parse(chain(1001, false).as_bytes())
        .unwrap_err()
        .to_string();
    assert!(error.contains("more than 1000 joints"), "{error}");
    let error = bvh::parse(chain(300, true).as_bytes())
        .unwrap_err()
        .to_string();
    assert!(error.contains("nested deeper"), "{error}");
}

#[test]
fn names_may_be_latin_1_and_twice() {
    let text = GOOD
        .replace("JOINT leg", "JOINT h#fte links")
        .replace("ROOT hips", "ROOT h#fte links");
    let bytes: Vec<u8> = text
        .bytes()
        .map(|b| if b == b'#' { 0xfc } else { b })
        .collect();
    let clip = bvh::parse(&bytes).unwrap();
    assert_eq!(clip.skeleton.names[0], "hüfte links");
    assert_eq!(clip.skeleton.names[1], "hüfte links#2");
}

#[test]
fn moving_joints_keep_their_way() {
    let text = GOOD.replace("CHANNELS 1 Zrotation", "CHANNELS 2 Zrotation Yposition");
    let text = text.replace("1 0 0\n1 90 0", "1 0 0 -2\n1 0 0 -4");
    let clip = bvh::parse(text.as_bytes()).unwrap();
    let joints = clip.joints_in_world_m(0.1);
    assert!((joints[0][1].y - -0.1).abs() < 1e-12 && (joints[1][1].y - -0.3).abs() < 1e-12);
    let motion = clip.to_motion(0.1);
    assert!((motion.root_in_world_m[0].y - 0.1).abs() < 1e-12);
    assert_eq!(motion.joints_in_world_m(), joints);
    let back = bvh::parse(&bvh::to_bytes(&motion, WriteOptions::default()).unwrap()).unwrap();
    assert!((back.joints_in_world_m(1.0)[1][1].y - -0.3).abs() < 1e-6);
}

/// Each is read as the plain file is, and said.
#[test]
fn harmless_irregularities_are_read_over_with_a_warning() {
    let rows = "1 0 0\n1 90 0";
    let plain = bvh::parse(GOOD.as_bytes()).unwrap();
    assert!(plain.warnings.is_empty());
    let cases = [
        (
            GOOD.replace("Frames: 2", "Frames: 1"),
            "1 frames are announced, 2",
        ),
        (
            GOOD.replace("Frames: 2", "Frames: 0"),
            "0 frames are announced, 2",
        ),
        (
            GOOD.replace("Frames: 2", "Frames: 18446744073709551615"),
            "announced, 2 are there",
        ),
        (GOOD.replace(rows, "1 0\n0\n1\n90 0"), "rows are wrapped"),
        (GOOD.replace(rows, "1 0 0 1 90 0"), "rows are wrapped"),
        (format!("{GOOD}\nEND\n}}\n"), "text from line"),
        (format!("{GOOD}1 2"), "a row of 2 numbers"),
        (
            GOOD.replace("2 Yposition", "3 Yposition"),
            "announces 3 names",
        ),
        (GOOD.replace(rows, "1,0 0 0\n1,0 90,0 0"), "decimal commas"),
    ];
    for (text, part) in cases {
        let clip = bvh::parse(text.as_bytes()).unwrap();
        assert_eq!(
            clip.joints_in_world_m(1.0),
            plain.joints_in_world_m(1.0),
            "{part}"
        );
        assert_eq!(clip.warnings.len(), 1, "{:?}", clip.warnings);
        assert!(clip.warnings[0].contains(part), "{:?}", clip.warnings);
    }
    // An end-of-file mark and padding say nothing.
    for end in ["\x1a", "\0\0\0", "\n\x1a\n"] {
        let clip = bvh::parse(format!("{GOOD}{end}").as_bytes()).unwrap();
        assert_eq!(clip, plain);
    }
}
