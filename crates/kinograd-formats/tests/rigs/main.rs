//! Clips on characters of other people's conventions.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod build;

use kinograd_formats::{Character, ClipRef, LoadOptions, format_of, glb};
use kinograd_motion::rig::{RigOptions, Travel};
use kinograd_motion::synth::SynthWalk;
use kinograd_motion::{Motion, Provenance};
use serde_json::Value;

use build::{CONVENTIONS, chunks};

fn walk() -> Motion {
    SynthWalk {
        turn_rad_per_s: 0.4,
        ..SynthWalk::default()
    }
    .motion()
}

#[test]
fn a_walk_comes_onto_every_convention_with_its_mesh() {
    let folder = tempfile::tempdir().unwrap();
    let walk = walk();
    for convention in &CONVENTIONS {
        let name = convention.name;
        let path = folder.path().join(format!("{name}.glb"));
        convention.write(&path);
        let character = Character::read(&path, &LoadOptions::default()).unwrap();
        let report = character.report();
        assert!(report.doubts.is_empty(), "{name}: {:?}", report.doubts);
        assert!(
            (report.scale - convention.leg_scale()).abs() < 1e-4,
            "{name}: {}",
            report.scale
        );
        for (_, hanging) in convention.hanging {
            assert!(
                report.unmapped.iter().any(|joint| joint == hanging),
                "{name}: {hanging}"
            );
        }
        let on_rig = character.retarget(&walk, &RigOptions::default()).unwrap();
        let measured = &on_rig.report;
        assert!(
            measured.gates().is_empty(),
            "{name}: {:?}",
            measured.gates()
        );
        assert!(measured.effector_error_p95_m < 0.02, "{name}");
        assert!(
            measured.foot_skate_ratio <= measured.source_foot_skate_ratio + 1e-9,
            "{name}: {measured:?}"
        );
        // Knees, elbows and all between are where the body has them.
        let skeleton = &on_rig.motion.skeleton;
        for frame in (0..walk.len()).step_by(9) {
            let body = walk.joint_poses_in_world(frame).0;
            let own = on_rig.motion.joint_poses_in_world(frame).0;
            for joint in 0..22 {
                // A body of other proportions bends its knees elsewhere; its feet stand as they do.
                if convention.limbs != [1.0; 6] && ![7, 8].contains(&joint) {
                    continue;
                }
                let place = own[convention.of(skeleton, joint)];
                let off = place.distance(body[joint] * convention.leg_scale());
                assert!(off < 0.01, "{name}, frame {frame}, joint {joint}: {off} m");
            }
        }
        let out = folder.path().join(format!("{name}-walk.glb"));
        let record = Provenance::new().by_command("test");
        let clip = ClipRef {
            motion: &on_rig.motion,
            features: None,
            provenance: &record,
            unit_to_metre: 1.0,
        };
        character.write(&glb::FORMAT, &out, clip).unwrap();
        same_but_for_the_animation(&path, &out, name);
        // Read by the names and nodes of the file.
        let back = glb::FORMAT.load(&out, &LoadOptions::default()).unwrap();
        assert_eq!(back.provenance, Some(record));
        for frame in (0..walk.len()).step_by(7) {
            let wanted = on_rig.motion.joint_poses_in_world(frame).0;
            let got = back.motion.joint_poses_in_world(frame).0;
            for (joint, joint_name) in skeleton.names.iter().enumerate() {
                let names = &back.motion.skeleton.names;
                let place = names.iter().position(|other| other == joint_name).unwrap();
                let off = got[place].distance(wanted[joint]);
                assert!(off < 1e-4, "{name}, frame {frame}, {joint_name}: {off} m");
            }
        }
    }
}

/// Meshes, materials, skins, names and default poses are those of the character.
fn same_but_for_the_animation(character: &std::path::Path, clip: &std::path::Path, name: &str) {
    let [before, after] = [character, clip].map(|path| chunks(&std::fs::read(path).unwrap()));
    for key in [
        "nodes",
        "meshes",
        "materials",
        "skins",
        "scenes",
        "extensions",
    ] {
        assert!(
            rounded(&before.0[key]) == rounded(&after.0[key]),
            "{name}: {key}"
        );
    }
    assert_eq!(after.0["animations"].as_array().unwrap().len(), 1);
    assert!(
        after.1.starts_with(before.1.trim_ascii_end()),
        "{name}: data"
    );
    let accessors = before.0["accessors"].as_array().unwrap().len();
    assert_eq!(
        before.0["accessors"].as_array().unwrap()[..],
        after.0["accessors"].as_array().unwrap()[..accessors]
    );
}

/// JSON with numbers in single precision, which is what glTF means.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => serde_json::json!(number.as_f64().unwrap() as f32),
        Value::Array(list) => list.iter().map(rounded).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, field)| (key.clone(), rounded(field)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn a_bvh_character_keeps_its_unit_axes_and_joints() {
    use kinograd_formats::bvh;
    let folder = tempfile::tempdir().unwrap();
    let walk = walk();
    // Z up, centimetres, with fingers and a root.
    let skeleton = CONVENTIONS[1].skeleton();
    let standing = Motion::new(
        skeleton.clone(),
        30.0,
        vec![skeleton.offsets_m[0]; 2],
        vec![vec![glam::DQuat::IDENTITY; skeleton.len()]; 2],
    );
    let turn = kinograd_motion::mapping::Up::Z.rotation_to_y_up().inverse();
    let path = folder.path().join("hero.bvh");
    let centimetres = bvh::WriteOptions {
        unit_to_metre: 0.01,
    };
    bvh::write(&path, &standing.in_axes(turn, 1.0), centimetres).unwrap();
    let hero = Character::read(&path, &LoadOptions::default()).unwrap();
    let on_rig = hero
        .retarget(
            &walk,
            &RigOptions {
                travel: Travel::Kept,
            },
        )
        .unwrap();
    let out = folder.path().join("walk.bvh");
    let record = Provenance::new();
    let clip = ClipRef {
        motion: &on_rig.motion,
        features: None,
        provenance: &record,
        unit_to_metre: 1.0,
    };
    hero.write(format_of(&out).unwrap(), &out, clip).unwrap();
    let (before, after) = (bvh::read(&path).unwrap(), bvh::read(&out).unwrap());
    for name in &before.skeleton.names {
        let [a, b] = [&before, &after].map(|file| {
            let at = file.skeleton.names.iter().position(|other| other == name);
            file.skeleton.offsets_m[at.unwrap_or_else(|| panic!("{name}"))]
        });
        if name != "root" && name != "pelvis" {
            assert!(a.distance(b) < 1e-3, "{name}: {a} {b}");
        }
    }
    let back = bvh::FORMAT.load(&out, &LoadOptions::default()).unwrap();
    assert_eq!(back.reading.unit_to_metre, 0.01);
    let hips = back
        .motion
        .skeleton
        .names
        .iter()
        .position(|n| n == "pelvis")
        .unwrap();
    let way = |frame: usize| back.motion.joint_poses_in_world(frame).0[hips];
    let (first, last) = (way(0), way(walk.len() - 1));
    let own = walk.root_in_world_m[walk.len() - 1] - walk.root_in_world_m[0];
    assert!(((last - first) - own).length() < 0.03);
}

#[test]
fn a_file_without_a_body_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.glb");
    std::fs::write(&path, b"glTF").unwrap();
    assert!(Character::read(&path, &LoadOptions::default()).is_err());
    let other = Character::read(&folder.path().join("a.txt"), &LoadOptions::default());
    assert!(other.unwrap_err().to_string().contains("a.txt"));
}
