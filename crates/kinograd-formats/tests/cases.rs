//! Files as other tools write them, with the right values.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use glam::DVec3;
use kinograd_formats::{KnownBy, LoadOptions, StoredClip, format_of};
use kinograd_motion::mapping::Up;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn load_with(name: &str, options: &LoadOptions) -> StoredClip {
    let path = data(name);
    format_of(&path).unwrap().load(&path, options).unwrap()
}

fn load(name: &str) -> StoredClip {
    load_with(name, &LoadOptions::default())
}

fn error(name: &str) -> String {
    let path = data(name);
    let loaded = format_of(&path)
        .unwrap()
        .load(&path, &LoadOptions::default());
    loaded.unwrap_err().to_string()
}

fn place(clip: &StoredClip, frame: usize, joint: &str) -> DVec3 {
    let names = &clip.motion.skeleton.names;
    let at = names.iter().position(|name| name == joint).unwrap();
    clip.motion.joint_poses_in_world(frame).0[at]
}

/// Largest distance of joints that both clips have, metres.
fn difference(a: &StoredClip, b: &StoredClip) -> f64 {
    assert_eq!(a.motion.len(), b.motion.len());
    let mut worst: f64 = 0.0;
    for frame in 0..a.motion.len() {
        let (pa, pb) = (
            a.motion.joint_poses_in_world(frame).0,
            b.motion.joint_poses_in_world(frame).0,
        );
        for (joint, name) in a.motion.skeleton.names.iter().enumerate() {
            let other = b.motion.skeleton.names.iter().position(|n| n == name);
            if let Some(other) = other {
                worst = worst.max(pa[joint].distance(pb[other]));
            }
        }
    }
    worst
}

#[test]
fn hips_below_a_root_keep_their_way() {
    for (file, plain) in [
        ("hips_below_root.bvh", "same_without_root.bvh"),
        ("root_pelvis_walk.glb", "same_without_root.glb"),
    ] {
        let clip = load(file);
        assert!(difference(&clip, &load(plain)) < 1e-4, "{file}");
        let way = place(&clip, 60, "Hips") - place(&clip, 0, "Hips");
        assert!(way.distance(DVec3::Z * 2.0) < 0.05, "{file}: {way}");
        assert!(clip.reading.deviation_m.unwrap() < 1e-4);
        // Whatever is written holds it too.
        let folder = tempfile::tempdir().unwrap();
        for extension in ["bvh", "glb", "npz", "fbx"] {
            let out = folder.path().join(format!("out.{extension}"));
            let format = format_of(&out).unwrap();
            let provenance = kinograd_motion::Provenance::new();
            let stored = kinograd_formats::ClipRef {
                motion: &clip.motion,
                features: None,
                provenance: &provenance,
                unit_to_metre: 1.0,
            };
            (format.write)(&out, stored).unwrap();
            let back = format.load(&out, &LoadOptions::default()).unwrap();
            let off = difference(&back, &clip);
            assert!(off < 1e-4, "{file} as {extension}: {off}");
        }
    }
}

#[test]
fn a_walk_with_z_up_stands() {
    let clip = load("zup_walk.bvh");
    assert_eq!(
        (clip.reading.up, clip.reading.up_known_by),
        (Up::Z, KnownBy::Body)
    );
    assert!((place(&clip, 0, "Head").y - 1.57).abs() < 1e-3);
    let way = place(&clip, 60, "Hips") - place(&clip, 0, "Hips");
    assert!(way.distance(DVec3::Z * 2.0) < 1e-3, "{way}");
    // Told otherwise, it lies as the file has it.
    let told = LoadOptions {
        up: Some(Up::Y),
        ..LoadOptions::default()
    };
    let lying = load_with("zup_walk.bvh", &told);
    assert!((place(&lying, 0, "Head").z - 1.57).abs() < 1e-3);
    assert_eq!(lying.reading.up_known_by, KnownBy::Option);
}

#[test]
fn few_keys_are_curves_and_steps_hold() {
    for fps in [None, Some(30.0)] {
        let options = LoadOptions {
            fps,
            ..LoadOptions::default()
        };
        let cubic = load_with("five_keys_cubic.glb", &options);
        assert_eq!((cubic.motion.len(), cubic.motion.fps), (61, 30.0));
        for frame in 0..61 {
            let z = place(&cubic, frame, "Hips").z;
            assert!((z - frame as f64 / 30.0).abs() < 2e-3, "{frame}: {z}");
        }
        let step = load_with("five_keys_step.glb", &options);
        assert_eq!(step.motion.len(), 61);
        for frame in 0..61 {
            let z = place(&step, frame, "Hips").z;
            assert!((z - (frame / 15) as f64 * 0.5).abs() < 1e-6, "{frame}: {z}");
        }
    }
}

#[test]
fn one_of_several_animations_is_said_and_chosen() {
    let idle = load("idle_then_walk.glb");
    assert_eq!(idle.reading.animation.as_deref(), Some("Idle"));
    assert!(idle.reading.warnings[0].contains("2 animations: Idle, Walk; took Idle"));
    for wanted in ["Walk", "walk", "1"] {
        let options = LoadOptions {
            animation: Some(wanted.to_owned()),
            ..LoadOptions::default()
        };
        let walk = load_with("idle_then_walk.glb", &options);
        assert!(walk.reading.warnings.is_empty());
        let way = place(&walk, 60, "Hips") - place(&walk, 0, "Hips");
        assert!((way.z - 2.0).abs() < 1e-3, "{wanted}");
    }
    let options = LoadOptions {
        animation: Some("Fly".to_owned()),
        ..LoadOptions::default()
    };
    let path = data("idle_then_walk.glb");
    let refused = format_of(&path).unwrap().load(&path, &options).unwrap_err();
    assert!(
        refused.to_string().contains("there are Idle, Walk"),
        "{refused}"
    );
}

#[test]
fn a_unit_holds_for_every_format_and_an_odd_size_is_said() {
    let tall = load("centimetres.glb");
    assert!(
        tall.reading.warnings[0].contains("`--unit 0.01`"),
        "{:?}",
        tall.reading.warnings
    );
    let options = LoadOptions {
        unit_to_metre: Some(0.01),
        ..LoadOptions::default()
    };
    let clip = load_with("centimetres.glb", &options);
    assert!(clip.reading.warnings.is_empty());
    assert!(difference(&clip, &load("same_without_root.glb")) < 1e-4);
}

#[test]
fn animations_without_a_skin_and_sparse_accessors_are_read() {
    let plain = load("same_without_root.glb");
    let no_skin = load("no_skin.glb");
    assert_eq!(no_skin.motion.skeleton.len(), 21);
    assert!(difference(&no_skin, &plain) < 1e-6);
    assert!(no_skin.reading.warnings[0].contains("no skin"));
    assert!(difference(&load("sparse_accessors.glb"), &plain) < 1e-6);
    let refused = error("meshopt_required.glb");
    assert!(refused.contains("EXT_meshopt_compression"), "{refused}");
    assert!(refused.contains("gltfpack"), "{refused}");
}

#[test]
fn odd_bvh_files_are_read_with_a_warning() {
    let clip = load("end_site_channels.bvh");
    assert!(difference(&clip, &load("same_without_root.bvh")) < 1e-4);
    assert!(clip.reading.warnings.iter().any(|w| w.contains("Head_end")));
    let rigify = LoadOptions {
        retarget: true,
        ..LoadOptions::default()
    };
    let rigify = load_with("Rigify.bvh", &rigify);
    let way = place(&rigify, 60, "pelvis") - place(&rigify, 0, "pelvis");
    assert!((way.z - 1.98).abs() < 0.01, "{way}");
}

#[test]
fn arrays_of_any_number_type_are_read() {
    for file in ["f32root.npz", "names.npz"] {
        let clip = load(file);
        assert_eq!(clip.motion.skeleton.names[0], "Hips", "{file}");
    }
}

#[test]
fn files_that_ask_for_more_than_they_hold_are_refused_by_name() {
    let refused = error("stride0.glb");
    assert!(refused.contains("accessor 0: a stride of 0"), "{refused}");
    let refused = error("liehuge.npz");
    assert!(refused.contains("`root`"), "{refused}");
    // A few keys far apart are curves; their frames are counted before they are made.
    let path = data("frames10M.glb");
    let dense = LoadOptions {
        fps: Some(1000.0),
        ..LoadOptions::default()
    };
    let refused = format_of(&path).unwrap().load(&path, &dense).unwrap_err();
    assert!(refused.to_string().contains("joints × frames"), "{refused}");
    // Names that are empty or twice are made up, so that every writer can hold them.
    let named = load("empty_joint_name.glb");
    assert!(
        named
            .motion
            .skeleton
            .names
            .iter()
            .all(|name| !name.trim().is_empty())
    );
}
