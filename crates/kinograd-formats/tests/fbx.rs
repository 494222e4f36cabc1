//! Clips of other tools through FBX and back.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use glam::DVec3;
use kinograd_formats::fbx::{FbxOptions, write_fbx};
use kinograd_formats::{LoadOptions, format_of};
use kinograd_motion::{Motion, Provenance};

fn load(path: &std::path::Path) -> Motion {
    let clip = format_of(path)
        .unwrap()
        .load(path, &LoadOptions::default())
        .unwrap();
    assert_eq!(
        clip.reading.warnings,
        Vec::<String>::new(),
        "{}",
        path.display()
    );
    clip.motion
}

/// Every joint of every frame, of any rig, joints that come off their parents among them.
#[test]
fn bvh_through_fbx_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let clips = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/clips");
    for name in ["walk.bvh", "walk_mixamo_cm.bvh", "walk_odd_120fps.bvh"] {
        let motion = load(&clips.join(name));
        let path = folder.path().join("clip.FBX");
        write_fbx(&path, &motion, &FbxOptions::default(), &Provenance::new()).unwrap();
        let back = load(&path);
        assert_eq!(back.skeleton.names, motion.skeleton.names, "{name}");
        assert_eq!(back.skeleton.parents, motion.skeleton.parents, "{name}");
        assert_eq!(back.len(), motion.len(), "{name}");
        assert!((back.fps / motion.fps - 1.0).abs() < 1e-9, "{name}");
        for frame in 0..motion.len() {
            let (expected, turned) = motion.joint_poses_in_world(frame);
            let (places, turns) = back.joint_poses_in_world(frame);
            for joint in 0..expected.len() {
                let off = places[joint].distance(expected[joint]);
                assert!(off < 1e-5, "{name}, joint {joint}, frame {frame}: {off} m");
                let turn = turns[joint].angle_between(turned[joint]);
                assert!(
                    turn < 1e-5,
                    "{name}, joint {joint}, frame {frame}: {turn} rad"
                );
            }
        }
        let rest = |motion: &Motion| -> Vec<DVec3> { motion.skeleton.offsets_m.clone() };
        for (joint, (a, b)) in rest(&motion).iter().zip(rest(&back)).enumerate().skip(1) {
            assert!(a.distance(b) < 1e-5, "{name}, joint {joint}: {a} and {b}");
        }
    }
}
