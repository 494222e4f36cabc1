//! Clips in the forms that engines want, through every format and back.

use kinograd_formats::{ClipRef, FORMATS, LoadOptions};
use kinograd_motion::export::{Export, JointNaming, RestPose, RootMotion};
use kinograd_motion::synth::SynthWalk;
use kinograd_motion::{Motion, Provenance, Skeleton};

fn largest_distance_m(a: &Motion, b: &Motion) -> f64 {
    assert_eq!(a.len(), b.len());
    let joints = a.joints_in_world_m().into_iter().zip(b.joints_in_world_m());
    joints
        .flat_map(|(a, b)| a.into_iter().zip(b))
        .map(|(a, b)| a.distance(b))
        .fold(0.0, f64::max)
}

/// A root bone, the names of any tool and an A-pose come back as the plain body, within what single
/// precision keeps.
#[test]
fn every_form_comes_back_exactly_on_the_canonical_body() {
    let folder = tempfile::tempdir().unwrap();
    let walk = SynthWalk {
        turn_rad_per_s: 0.6,
        duration_secs: 2.0,
        ..SynthWalk::default()
    }
    .motion();
    for naming in JointNaming::ALL {
        for rest_pose in RestPose::ALL {
            let export = Export {
                root_motion: RootMotion::Extract,
                names: Some(naming),
                rest_pose: Some(rest_pose),
            };
            let written = export.apply(&walk).unwrap();
            let mut provenance = Provenance::new();
            export.record(&written, &mut provenance);
            let clip = ClipRef {
                motion: &written,
                features: None,
                provenance: &provenance,
                unit_to_metre: 1.0,
            };
            for format in FORMATS {
                let path = folder.path().join(format!("walk.{}", format.extension));
                (format.write)(&path, clip).unwrap();
                let what = format!("{} {} {}", format.name, naming.name(), rest_pose.name());
                let as_it_is = format.load(&path, &LoadOptions::default()).unwrap();
                assert_eq!(as_it_is.motion.skeleton.names[0], naming.root(), "{what}");
                assert!(as_it_is.reading.warnings.is_empty(), "{what}");
                let options = LoadOptions {
                    retarget: true,
                    ..LoadOptions::default()
                };
                let back = format.load(&path, &options).unwrap();
                assert_eq!(back.motion.skeleton, Skeleton::canonical(), "{what}");
                let off = largest_distance_m(&back.motion, &walk);
                assert!(off < 1e-4, "{what}: {off} m");
                if let Some(record) = back.provenance {
                    let said = Export::recorded(&record).unwrap();
                    assert_eq!(said.root_motion, RootMotion::Extract, "{what}");
                    assert_eq!(said.names.unwrap_or_default(), naming, "{what}");
                    assert_eq!(said.rest_pose.unwrap_or_default(), rest_pose, "{what}");
                }
            }
        }
    }
}

/// What was taken away cannot be had again: the reader says so.
#[test]
fn a_clip_in_place_says_that_its_travel_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.glb");
    let export = Export {
        root_motion: RootMotion::InPlace,
        ..Export::default()
    };
    let written = export.apply(&SynthWalk::default().motion()).unwrap();
    let mut provenance = Provenance::new();
    export.record(&written, &mut provenance);
    kinograd_formats::glb::write_glb(&path, &written, &Default::default(), &provenance).unwrap();
    let format = kinograd_formats::format_of(&path).unwrap();
    let warnings = format
        .load(&path, &LoadOptions::default())
        .unwrap()
        .reading
        .warnings;
    assert!(
        warnings.iter().any(|w| w.contains("in-place")),
        "{warnings:?}"
    );
}

/// `extras.loop` is there where the clip loops, and only there.
#[test]
fn the_animation_says_whether_it_loops() {
    let says = |duration_secs: f64| {
        let walk = SynthWalk {
            duration_secs,
            fps: 30.0,
            ..SynthWalk::default()
        };
        let options = kinograd_formats::glb::GlbOptions::default();
        let bytes =
            kinograd_formats::glb::glb_bytes(&walk.motion(), &options, &Provenance::new()).unwrap();
        let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
        let json: serde_json::Value = serde_json::from_slice(&bytes[20..20 + length]).unwrap();
        json["animations"][0]["extras"].clone()
    };
    assert_eq!(says(2.0), serde_json::json!({"loop": true}));
    assert_eq!(says(1.5), serde_json::Value::Null);
}
