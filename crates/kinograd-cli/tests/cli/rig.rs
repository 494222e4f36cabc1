//! Clips on characters, end to end.

use std::path::Path;

use kinograd::motion::{Motion, Skeleton};
use kinograd::{Clip, LoadOptions, SaveOptions};

use crate::support::{files, kinograd};

/// A character of another size with names of another tool, as a BVH in centimetres.
fn write_hero(path: &Path, scale: f64) {
    let walk = kinograd::motion::synth::synth_walk(1.2, 0.2, 30.0);
    let mut skeleton: Skeleton = walk.skeleton.clone();
    for (name, joint) in skeleton.names.iter_mut().zip(kinograd::motion::JOINT_NAMES) {
        *name = joint.replace("left_", "L_").replace("right_", "R_");
    }
    for offset in &mut skeleton.offsets_m {
        *offset *= scale;
    }
    let roots = walk.root_in_world_m.iter().map(|root| *root * scale);
    let motion = Motion::new(skeleton, 30.0, roots.collect(), walk.local_rotations);
    let clip = Clip::new(motion, kinograd::motion::Provenance::new());
    let options = SaveOptions {
        unit_to_metre: 0.01,
        ..SaveOptions::default()
    };
    clip.save_with(path, &options).unwrap();
}

#[test]
fn a_guided_clip_reaches_its_goal_on_a_character_of_another_size() {
    let folder = tempfile::tempdir().unwrap();
    write_hero(&folder.path().join("hero.bvh"), 0.7);
    let args = [
        "generate",
        "a person walks forward",
        "--seconds",
        "2",
        "--steps",
        "4",
        "--target",
        "0.3,0.9",
        "--rig",
        "hero.bvh",
        "--runtime",
        "builtin",
        "--json",
        "-q",
        "-o",
        "walk.bvh",
        "-o",
        "walk.glb",
    ];
    let report = kinograd(folder.path(), &args).ok().json();
    let clip = &report["clips"][0];
    assert!(
        (clip["rig"]["scale"].as_f64().unwrap() - 0.7).abs() < 1e-3,
        "{clip}"
    );
    assert!(clip["goals"][0]["off"].as_f64().unwrap() < 0.02, "{clip}");
    assert_eq!(report["task"]["output"]["rig"]["file"], "hero.bvh");
    for file in ["walk.bvh", "walk.glb"] {
        let path = folder.path().join(file);
        let clip = Clip::load(&path, &LoadOptions::default()).unwrap();
        assert!(
            clip.motion
                .skeleton
                .names
                .iter()
                .any(|name| name == "L_hip"),
            "{file}"
        );
        let last = clip.motion.root_in_world_m[clip.motion.len() - 1];
        let off = (last.x - 0.3).hypot(last.z - 0.9);
        assert!(off < 0.03, "{file}: {off} m from the target");
    }
    // The same again, from its record.
    let again = [
        "generate",
        "--from",
        "walk.glb",
        "--runtime",
        "builtin",
        "-q",
        "-o",
        "again.glb",
    ];
    kinograd(folder.path(), &again).ok();
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(bytes("walk.glb"), bytes("again.glb"));
}

#[test]
fn what_is_no_character_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    write_hero(&folder.path().join("hero.bvh"), 1.0);
    let inspected = kinograd(folder.path(), &["rig", "inspect", "hero.bvh", "--json"])
        .ok()
        .json();
    assert_eq!(inspected["schema"], "kinograd.rig/1");
    assert_eq!(inspected["mapping"].as_array().map(Vec::len), Some(22));
    std::fs::write(
        folder.path().join("none.json"),
        r#"{"joints": {"pelvis": "Nobody"}}"#,
    )
    .unwrap();
    let args = [
        "convert",
        "hero.bvh",
        "o.glb",
        "--rig",
        "hero.bvh",
        "--rig-mapping",
        "none.json",
    ];
    let refused = kinograd(folder.path(), &args);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("Nobody"), "{}", refused.stderr);
    let args = ["convert", "hero.bvh", "o.glb", "--rig", "missing.glb"];
    let refused = kinograd(folder.path(), &args);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("missing.glb"), "{}", refused.stderr);
    assert_eq!(
        files(folder.path()),
        ["hero.bvh", "hero.bvh.json", "none.json"]
    );
}
