//! What is written comes back, and broken bytes are refused.

mod closed_forms;
mod text;

use glam::DVec3;
use kinograd_motion::synth::SynthWalk;
use kinograd_motion::{Motion, MotionError, Provenance};

use super::read::clip;
use super::{FORMAT, FbxOptions, fbx_bytes, fbx_provenance, write_fbx};
use crate::format::{LoadOptions, SourceClip};

fn walk() -> Motion {
    SynthWalk {
        turn_rad_per_s: 0.6,
        ..SynthWalk::default()
    }
    .motion()
}

fn largest_distance(a: &Motion, b: &Motion) -> f64 {
    let (a, b) = (a.joints_in_world_m(), b.joints_in_world_m());
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.map(|(a, b)| a.distance(*b)).fold(0.0, f64::max)
}

fn read(bytes: &[u8]) -> Result<SourceClip, MotionError> {
    clip(bytes, &LoadOptions::default())
}

#[test]
fn reads_back_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.fbx");
    let mut walk = walk();
    // A knee that comes off.
    let knee: Vec<DVec3> = (0..walk.len())
        .map(|f| walk.skeleton.offsets_m[4] * (1.0 + 0.001 * f as f64))
        .collect();
    walk.translations.insert(4, knee);
    let mut provenance = Provenance::new();
    provenance.seed = Some(3);
    write_fbx(&path, &walk, &FbxOptions::default(), &provenance).unwrap();
    let back = FORMAT.load(&path, &LoadOptions::default()).unwrap();
    assert_eq!(back.motion.fps, walk.fps);
    assert_eq!(back.motion.skeleton.names, walk.skeleton.names);
    assert_eq!(back.motion.skeleton.parents, walk.skeleton.parents);
    assert_eq!(
        back.motion.translations.keys().collect::<Vec<_>>(),
        [&4],
        "only what moves"
    );
    let off = largest_distance(&walk, &back.motion);
    assert!(off < 1e-5, "{off} m");
    assert_eq!(back.reading.warnings, Vec::<String>::new());
    assert_eq!(back.reading.unit_to_metre, 0.01);
    assert_eq!(back.reading.animation.as_deref(), Some("motion"));
    assert_eq!(back.provenance.as_ref(), Some(&provenance));
    assert_eq!(fbx_provenance(&path).unwrap(), Some(provenance));
}

#[test]
fn resamples_both_ways() {
    let walk = walk();
    let options = FbxOptions {
        fps: Some(60.0),
        ..FbxOptions::default()
    };
    let bytes = fbx_bytes(&walk, &options, &Provenance::default()).unwrap();
    assert_eq!(read(&bytes).unwrap().motion.fps, 60.0);
    let at_20 = LoadOptions {
        fps: Some(20.0),
        ..LoadOptions::default()
    };
    let mut back = clip(&bytes, &at_20).unwrap().motion;
    back.skeleton.offsets_m.iter_mut().for_each(|o| *o *= 0.01);
    back.root_in_world_m.iter_mut().for_each(|p| *p *= 0.01);
    assert!(largest_distance(&walk, &back) < 1e-5);
    for fps in [0.0, f64::NAN, 1e12] {
        let options = LoadOptions {
            fps: Some(fps),
            ..LoadOptions::default()
        };
        assert!(clip(&bytes, &options).is_err());
    }
}

#[test]
fn no_truncation_and_no_flipped_bit_panics() {
    let walk = SynthWalk {
        duration_secs: 0.2,
        ..SynthWalk::default()
    }
    .motion();
    let whole = fbx_bytes(&walk, &FbxOptions::default(), &Provenance::default()).unwrap();
    let objects = whole.windows(7).position(|w| w == b"Objects").unwrap();
    let mesh_ends = whole.windows(6).position(|w| w == b"Normal").unwrap();
    for end in (0..whole.len() - 200).step_by(whole.len() / 60) {
        assert!(read(&whole[..end]).is_err(), "{end} of {}", whole.len());
    }
    let mut broken = whole.clone();
    let places = (0..objects + 6000)
        .step_by(11)
        .chain((mesh_ends..whole.len()).step_by(1499));
    for at in places {
        broken[at] ^= 1 << (at % 8);
        drop(read(&broken));
        broken[at] = whole[at];
    }
    // Arrays that claim far more than there is, or a gigabyte.
    let keys = whole.windows(7).position(|w| w == b"KeyTime").unwrap() + 7;
    assert_eq!(whole[keys], b'l');
    for (count, encoding) in [(u32::MAX, 0), (1 << 27, 0), (1 << 27, 1), (u32::MAX, 1)] {
        broken[keys + 1..keys + 5].copy_from_slice(&u32::to_le_bytes(count));
        broken[keys + 5] = encoding;
        assert!(read(&broken).is_err(), "{count}");
    }
    for text in [
        "",
        "; FBX 7.4.0 project file\n{{{{",
        "Kaydara FBX Binary  \0\u{1a}\0",
    ] {
        assert!(read(text.as_bytes()).is_err());
    }
}
