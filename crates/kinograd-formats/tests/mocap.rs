//! Captured motion of many rigs through every format, and onto characters.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "rigs/build.rs"]
#[allow(dead_code, reason = "the tests of characters use more of it")]
mod build;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use kinograd_formats::{Character, ClipRef, LoadOptions, StoredClip, format_of};
use kinograd_motion::Provenance;
use kinograd_motion::rig::RigOptions;

/// Files of this size at most, bytes: long takes say no more.
const MOST_BYTES: u64 = 4_000_000;

/// `KINOGRAD_MOCAP=folder cargo test --release -p kinograd-formats --test mocap`: the first file of
/// each rig family, a folder of `folder/bvh`.
fn takes() -> Option<Vec<PathBuf>> {
    let Some(folder) = std::env::var_os("KINOGRAD_MOCAP") else {
        kinograd_testkit::skip("mocap", "KINOGRAD_MOCAP names no folder");
        return None;
    };
    let sorted = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let mut takes = Vec::new();
    for family in sorted(&Path::new(&folder).join("bvh")) {
        let files = sorted(&family).into_iter();
        takes.extend(files.into_iter().find(|file| {
            file.extension() == Some(OsStr::new("bvh"))
                && file.metadata().is_ok_and(|file| file.len() < MOST_BYTES)
        }));
    }
    Some(takes)
}

fn load(path: &Path) -> StoredClip {
    let format = format_of(path).unwrap();
    format.load(path, &LoadOptions::default()).unwrap()
}

#[test]
fn rigs_go_through_every_format_and_back() {
    let Some(takes) = takes() else { return };
    assert!(takes.len() >= 12, "{} rig families", takes.len());
    let folder = tempfile::tempdir().unwrap();
    let mut worst: f64 = 0.0;
    for take in takes {
        let first = load(&take);
        let mut clip = first.clone();
        for extension in ["glb", "fbx", "bvh", "npz"] {
            let path = folder.path().join(format!("clip.{extension}"));
            let provenance = Provenance::new();
            let stored = ClipRef {
                motion: &clip.motion,
                features: None,
                provenance: &provenance,
                unit_to_metre: 1.0,
            };
            (format_of(&path).unwrap().write)(&path, stored).unwrap();
            // Nothing in a BVH of a rig of unknown names tells its unit and axis.
            let told = extension == "bvh";
            let options = LoadOptions {
                unit_to_metre: told.then_some(1.0),
                up: told.then_some(kinograd_motion::mapping::Up::Y),
                ..LoadOptions::default()
            };
            clip = format_of(&path).unwrap().load(&path, &options).unwrap();
            assert_eq!(clip.motion.len(), first.motion.len(), "{}", take.display());
            for frame in (0..first.motion.len()).step_by(11) {
                let wanted = first.motion.joint_poses_in_world(frame).0;
                let got = clip.motion.joint_poses_in_world(frame).0;
                for (joint, name) in first.motion.skeleton.names.iter().enumerate() {
                    let names = &clip.motion.skeleton.names;
                    let Some(place) = names.iter().position(|other| other == name) else {
                        panic!("{}: `{name}` is lost as {extension}", take.display());
                    };
                    let off = got[place].distance(wanted[joint]);
                    worst = worst.max(off);
                    assert!(
                        off < 1e-4,
                        "{} as {extension}, frame {frame}, `{name}`: {off} m",
                        take.display()
                    );
                }
            }
        }
    }
    println!("largest difference {worst:.2e} m");
}

#[test]
fn captured_clips_sit_on_every_convention() {
    let Some(takes) = takes() else { return };
    let folder = tempfile::tempdir().unwrap();
    for convention in &build::CONVENTIONS {
        let path = folder.path().join(format!("{}.glb", convention.name));
        convention.write(&path);
        let character = Character::read(&path, &LoadOptions::default()).unwrap();
        let (mut effectors, mut skate): (f64, f64) = (0.0, 0.0);
        for take in &takes {
            let options = LoadOptions {
                retarget: true,
                ..LoadOptions::default()
            };
            let Ok(clip) = format_of(take).unwrap().load(take, &options) else {
                continue;
            };
            let on_rig = character
                .retarget(&clip.motion, &RigOptions::default())
                .unwrap();
            let report = &on_rig.report;
            let name = take.display();
            assert!(report.gates().is_empty(), "{name}: {:?}", report.gates());
            effectors = effectors.max(report.effector_error_p95_m);
            skate = skate.max(report.foot_skate_ratio - report.source_foot_skate_ratio);
        }
        println!(
            "{}: effectors within {:.1} mm (95 %), {:.3} more frames of sliding feet",
            convention.name,
            1e3 * effectors,
            skate
        );
    }
}
