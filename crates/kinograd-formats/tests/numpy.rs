//! Arrays of other people's tools.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::path::PathBuf;

use glam::DVec3;
use kinograd_formats::{LoadOptions, StoredClip, format_of};
use kinograd_motion::features::features_from_motion;
use kinograd_motion::mapping::Up;
use kinograd_motion::synth::synth_walk;
use kinograd_motion::{Motion, joints_array};

fn npy(descr: &str, shape: &[usize], data: &[f32]) -> Vec<u8> {
    let sides: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let shape = format!("({}{comma})", sides.join(", "));
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data.iter().flat_map(|value| match descr {
        "<f8" => f64::from(*value).to_le_bytes().to_vec(),
        _ => value.to_le_bytes().to_vec(),
    }));
    bytes
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn npy(&self, name: &str, shape: &[usize], data: &[f32]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, npy("<f4", shape, data)).unwrap();
        path
    }

    fn npz(&self, name: &str, arrays: &[(&str, Vec<u8>)]) -> PathBuf {
        let path = self.0.path().join(name);
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        for (name, bytes) in arrays {
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(format!("{name}.npy"), options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
        path
    }
}

fn load(path: &std::path::Path, options: &LoadOptions) -> StoredClip {
    format_of(path).unwrap().load(path, options).unwrap()
}

fn refused(path: &std::path::Path) -> String {
    let loaded = format_of(path).unwrap().load(path, &LoadOptions::default());
    loaded.unwrap_err().to_string()
}

fn difference(clip: &Motion, walk: &Motion) -> f64 {
    assert_eq!(clip.len(), walk.len());
    let off = &joints_array(clip) - &joints_array(walk);
    off.iter()
        .fold(0.0, |most: f64, o| most.max(f64::from(o.abs())))
}

/// Bones of any length keep every joint where it is.
#[test]
fn joints_alone_are_read_in_every_layout() {
    let folder = Folder::new();
    let walk = synth_walk(1.2, 2.0, 20.0);
    let mut joints = joints_array(&walk);
    // Another body, whose forearm stretches.
    for frame in 0..walk.len() {
        joints[[frame, 20, 1]] += 0.01 * (frame as f32).sin();
    }
    let (frames, flat) = (walk.len(), joints.iter().copied().collect::<Vec<f32>>());
    let last = joints.clone().permuted_axes([1, 2, 0]);
    let turned: Vec<f32> = last.iter().copied().collect();
    let twice: Vec<f32> = [&turned[..], &turned[..]].concat();
    let cases = [
        folder.npy("a.npy", &[frames, 22, 3], &flat),
        folder.npy("b.npy", &[frames, 66], &flat),
        folder.npy("c.npy", &[22, 3, frames], &turned),
        folder.npy("d.npy", &[2, 22, 3, frames], &twice),
        folder.npz("e.npz", &[("joints", npy("<f8", &[frames, 22, 3], &flat))]),
    ];
    for path in &cases {
        let clip = load(path, &LoadOptions::default());
        let got = joints_array(&clip.motion);
        let off = (&got - &joints)
            .iter()
            .fold(0.0, |most: f32, o| most.max(o.abs()));
        assert!(off < 1e-4, "{}: {off}", path.display());
        assert_eq!(clip.motion.fps, 20.0);
        assert!(
            clip.reading
                .warnings
                .iter()
                .any(|w| w.contains("no frame rate"))
        );
    }
    let second = LoadOptions {
        animation: Some("1".to_owned()),
        source_fps: Some(30.0),
        ..LoadOptions::default()
    };
    let clip = load(&cases[3], &second);
    assert_eq!(
        (clip.motion.fps, clip.reading.animation.as_deref()),
        (30.0, Some("1"))
    );
    let third = LoadOptions {
        animation: Some("2".to_owned()),
        ..LoadOptions::default()
    };
    assert!(
        format_of(&cases[3])
            .unwrap()
            .load(&cases[3], &third)
            .is_err()
    );
}

#[test]
fn features_are_decoded() {
    let folder = Folder::new();
    let walk = synth_walk(1.2, 2.0, 20.0);
    let features = features_from_motion(&walk).unwrap();
    let flat: Vec<f32> = features.iter().copied().collect();
    let path = folder.npy("000001.npy", &[features.nrows(), 263], &flat);
    let clip = load(&path, &LoadOptions::default());
    assert_eq!(clip.features.as_ref(), Some(&features));
    let joints = kinograd_motion::features::decode_joints(features.view()).unwrap();
    let off = &joints_array(&clip.motion).mapv(f64::from) - &joints;
    assert!(off.iter().all(|o| o.abs() < 1e-4));
    let normalised: Vec<f32> = flat.iter().map(|v| 3.0 * v - 2.0).collect();
    let path = folder.npy("norm.npy", &[features.nrows(), 263], &normalised);
    let clip = load(&path, &LoadOptions::default());
    assert!(
        clip.reading
            .warnings
            .iter()
            .any(|w| w.contains("normalised"))
    );
}

/// A walk as AMASS keeps it: Z up, axis-angle poses, the root's way.
#[test]
fn smpl_poses_are_read() {
    let folder = Folder::new();
    let walk = synth_walk(1.2, 2.0, 30.0);
    let turn = Up::Z.rotation_to_y_up().inverse();
    let z_up = walk.clone().turned(turn);
    let mut poses = Vec::new();
    for rotations in &z_up.local_rotations {
        for rotation in rotations {
            poses.extend(rotation.to_scaled_axis().as_vec3().to_array());
        }
        poses.extend([0.0; 90]);
    }
    let way: Vec<f32> = z_up
        .root_in_world_m
        .iter()
        .flat_map(|root| root.as_vec3().to_array())
        .collect();
    let frames = walk.len();
    let poses = npy("<f8", &[frames, 156], &poses);
    let trans = npy("<f8", &[frames, 3], &way);
    let rate = npy("<f8", &[], &[30.0]);
    let amass = [
        ("poses", poses.clone()),
        ("trans", trans.clone()),
        ("mocap_framerate", rate),
        ("gender", npy("<U4", &[], &[0.0; 4])),
    ];
    let clip = load(&folder.npz("amass.npz", &amass), &LoadOptions::default());
    assert_eq!((clip.motion.fps, clip.reading.up), (30.0, Up::Z));
    assert!(difference(&clip.motion, &walk) < 1e-4);
    assert!(clip.reading.warnings.iter().any(|w| w.contains("betas")));
    // Another tool's: the axis is found by the body.
    let other = [("smpl_poses", poses.clone()), ("smpl_trans", trans)];
    let clip = load(&folder.npz("other.npz", &other), &LoadOptions::default());
    assert_eq!(clip.reading.up, Up::Z);
    let told = refused(&folder.npz("no_way.npz", &[("poses", poses)]));
    assert!(told.contains("`trans`"), "{told}");
}

#[test]
fn what_is_no_clip_is_told_what_was_expected() {
    let folder = Folder::new();
    let cases = [
        (folder.npy("kit.npy", &[5, 251], &[0.0; 1255]), "KIT-ML"),
        (
            folder.npy("pose.npy", &[2, 72], &[0.0; 144]),
            "`trans` is missing",
        ),
        (
            folder.npy("odd.npy", &[3, 4], &[0.0; 12]),
            "joints [frames, 22, 3]",
        ),
        (
            folder.npz("other.npz", &[("weights", npy("<f4", &[1], &[1.0]))]),
            "`weights`",
        ),
        (folder.npz("empty.npz", &[]), "nothing"),
    ];
    for (path, part) in &cases {
        let told = refused(path);
        assert!(told.contains(part), "expected `{part}`, got `{told}`");
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(told.contains(&*name), "{told}");
    }
    let path = folder.0.path().join("results.npy");
    let header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }\n";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    std::fs::write(&path, bytes).unwrap();
    let told = refused(&path);
    assert!(
        told.contains("pickled") && told.contains("item()['motion']"),
        "{told}"
    );
}

/// Joints that were edited without the rotations are not dropped in silence.
#[test]
fn edited_joints_are_noticed() {
    let folder = Folder::new();
    let walk = synth_walk(1.2, 1.0, 20.0);
    let path = folder.0.path().join("walk.npz");
    let record = kinograd_motion::Provenance::new();
    kinograd_formats::npz::write_npz(&path, &walk, None, &record).unwrap();
    let mut files = kinograd_files::unzip(
        &std::fs::read(&path).unwrap(),
        kinograd_files::Budget::of_process(),
    )
    .unwrap();
    let mut joints = joints_array(&walk);
    joints[[7, 20, 1]] += 0.25;
    let flat: Vec<f32> = joints.iter().copied().collect();
    let edited = npy("<f4", &[walk.len(), 22, 3], &flat);
    files.insert("joints.npy".to_owned(), edited);
    let arrays: Vec<(&str, Vec<u8>)> = files
        .iter()
        .map(|(name, bytes)| (name.trim_end_matches(".npy"), bytes.clone()))
        .collect();
    let told = refused(&folder.npz("edited.npz", &arrays));
    assert!(
        told.contains("0.2500 m at joint `left_wrist` of frame 7"),
        "{told}"
    );
    // Without rotations the joints are read.
    let alone: Vec<(&str, Vec<u8>)> = arrays
        .into_iter()
        .filter(|(name, _)| *name != "local_rotations")
        .collect();
    let clip = load(&folder.npz("alone.npz", &alone), &LoadOptions::default());
    let wrist = clip.motion.joint_poses_in_world(7).0[20];
    let place = DVec3::from_array([0, 1, 2].map(|axis| f64::from(joints[[7, 20, axis]])));
    assert!(wrist.distance(place) < 1e-4);
}
