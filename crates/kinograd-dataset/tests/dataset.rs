//! Data sets built from clips that are written here.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use glam::DVec3;
use kinograd_dataset::{
    BuildOptions, BuildReport, Entry, INDEX_SCHEMA, Index, Progress, Silent, build,
    entries_in_folder, read_manifest,
};
use kinograd_formats::bvh;
use kinograd_motion::features::decode_joints;
use kinograd_motion::mapping::MappingFile;
use kinograd_motion::synth::SynthWalk;
use kinograd_motion::{FEATURES, JOINT_NAMES, Motion, MotionError};
use ndarray::{Array1, Array2, s};

fn options() -> BuildOptions {
    let joints: serde_json::Map<String, serde_json::Value> = JOINT_NAMES
        .iter()
        .map(|&name| (name.to_owned(), name.into()))
        .collect();
    let mapping = serde_json::json!({"joints": joints, "unit_to_metre": 1.0});
    BuildOptions {
        mappings: Some(MappingFile::parse(mapping.to_string().as_bytes()).unwrap()),
        ..BuildOptions::default()
    }
}

fn walk(secs: f64, turn_rad_per_s: f64) -> Motion {
    SynthWalk {
        duration_secs: secs,
        turn_rad_per_s,
        fps: 30.0,
        ..SynthWalk::default()
    }
    .motion()
}

fn put(folder: &Path, name: &str, motion: &Motion) {
    bvh::write(&folder.join(name), motion, bvh::WriteOptions::default()).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn index_of(out: &Path) -> Index {
    serde_json::from_slice(&fs::read(out.join("index.json")).unwrap()).unwrap()
}

/// Three good clips and five bad ones, with a manifest.
fn mixed_folder(folder: &Path) -> Vec<Entry> {
    put(folder, "straight.bvh", &walk(5.0, 0.0));
    put(folder, "left.bvh", &walk(6.0, 0.5));
    put(folder, "held_out.bvh", &walk(4.0, 0.0));
    put(folder, "short.bvh", &walk(0.5, 0.0));
    let mut jumpy = walk(4.0, 0.0);
    for root in &mut jumpy.root_in_world_m[50..] {
        root.x += 5.0;
    }
    put(folder, "teleport.bvh", &jumpy);
    fs::write(folder.join("garbage.bvh"), "HIERARCHY\nROOT\n").unwrap();
    let whole = fs::read_to_string(folder.join("straight.bvh")).unwrap();
    fs::write(folder.join("truncated.bvh"), &whole[..whole.len() - 2000]).unwrap();
    fs::write(
        folder.join("manifest.csv"),
        "file,captions,label,split,family\n\
         straight.bvh,a person strolls|someone strolls,walk,train,a\n\
         left.bvh,a person strolls and turns left,walk turn left,train,a\n\
         held_out.bvh,a person strolls,walk,val,a\n\
         short.bvh,,,,\nteleport.bvh,,,,\ngarbage.bvh,,,,\ntruncated.bvh,,,,\nmissing.bvh,,,,\n",
    )
    .unwrap();
    read_manifest(&folder.join("manifest.csv")).unwrap()
}

#[test]
fn good_clips_are_kept_and_bad_ones_reported() {
    let folder = tempfile::tempdir().unwrap();
    let entries = mixed_folder(folder.path());
    let out = folder.path().join("out");
    let report = build(&entries, &options(), &out, &Silent).unwrap();
    assert_eq!(
        names(&out),
        [
            "features.npy",
            "index.json",
            "mean.npy",
            "report.json",
            "std.npy"
        ]
    );
    let index = index_of(&out);
    assert_eq!(index.schema, INDEX_SCHEMA);
    assert_eq!(index.fps, 20.0);

    let dropped: Vec<&str> = index.dropped.iter().map(|d| d.id.as_str()).collect();
    assert_eq!(
        dropped,
        ["short", "teleport", "garbage", "truncated", "missing"]
    );
    for (id, part) in [
        ("short", "too short"),
        ("teleport", "teleport"),
        ("garbage", "line"),
    ] {
        let reason = &index.dropped.iter().find(|d| d.id == id).unwrap().reason;
        assert!(reason.contains(part), "{id}: {reason}");
    }
    assert_eq!(
        (report.clips_in, report.clips_kept, report.clips_dropped),
        (8, 3, 5)
    );

    let features: Array2<f32> = ndarray_npy::read_npy(out.join("features.npy")).unwrap();
    assert_eq!(features.dim(), (report.frames, FEATURES));
    let ids: Vec<&str> = index.clips.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "straight",
            "straight_mirrored",
            "left",
            "left_mirrored",
            "held_out",
            "held_out_mirrored"
        ]
    );
    let mut offset = 0;
    for clip in &index.clips {
        assert_eq!(clip.offset, offset);
        offset += clip.frames;
        assert!(!clip.segments.is_empty());
        assert!(
            clip.segments
                .iter()
                .all(|s| s.start + s.frames <= clip.frames)
        );
    }
    assert_eq!(offset, report.frames);
    assert!(report.round_trip_max_m < 1e-4);

    let left = &index.clips[2].segments[0];
    let right = &index.clips[3].segments[0];
    assert_eq!(left.action.name(), "turn_left");
    assert_eq!(right.action.name(), "turn_right");
    assert_eq!(right.captions[0], "a person strolls and turns right");
    let rows = |c: usize| {
        let clip = &index.clips[c];
        let joints =
            decode_joints(features.slice(s![clip.offset..clip.offset + clip.frames, ..])).unwrap();
        joints[[clip.frames - 1, 0, 0]] - joints[[0, 0, 0]]
    };
    assert!(rows(2) > 0.5, "a left turn ends at +X: {}", rows(2));
    assert!((rows(2) + rows(3)).abs() < 1e-3);
}

#[test]
fn statistics_are_those_of_the_train_split() {
    let folder = tempfile::tempdir().unwrap();
    let entries = mixed_folder(folder.path());
    let out = folder.path().join("out");
    build(&entries, &options(), &out, &Silent).unwrap();
    let features: Array2<f32> = ndarray_npy::read_npy(out.join("features.npy")).unwrap();
    let mean: Array1<f32> = ndarray_npy::read_npy(out.join("mean.npy")).unwrap();
    let std: Array1<f32> = ndarray_npy::read_npy(out.join("std.npy")).unwrap();
    let held_out = index_of(&out)
        .clips
        .iter()
        .find(|c| c.split == "val")
        .unwrap()
        .offset;
    let train = features.slice(s![..held_out, ..]).mapv(f64::from);
    for column in 0..FEATURES {
        let expected = train.column(column).mean().unwrap();
        assert!(
            (f64::from(mean[column]) - expected).abs() < 1e-5,
            "mean[{column}]"
        );
    }
    // Groups share the mean of their own deviations; the root's velocity has two columns.
    let pair = (train.column(1).std(0.0) + train.column(2).std(0.0)) / 2.0;
    assert!((f64::from(std[1]) - pair).abs() < 1e-5);
    assert_eq!(std[1], std[2]);
    assert!(std.iter().all(|&s| s >= 1e-3));
}

#[test]
fn a_build_is_the_same_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let entries = mixed_folder(folder.path());
    let bytes = |threads: usize| {
        let out = folder.path().join(format!("out{threads}"));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| build(&entries, &options(), &out, &Silent))
            .unwrap();
        ["features.npy", "index.json", "mean.npy", "std.npy"]
            .map(|f| fs::read(out.join(f)).unwrap())
    };
    assert!(bytes(1) == bytes(3));
}

#[test]
fn a_folder_without_a_manifest_is_described_by_names_and_joints() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rig")).unwrap();
    put(folder.path(), "rig/Walk_01.bvh", &walk(5.0, 0.0));
    fs::write(folder.path().join("rig/notes.txt"), "no clip").unwrap();
    let entries = entries_in_folder(folder.path()).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].id.as_str(), entries[0].label.as_str()),
        ("rig__Walk_01", "walk")
    );
    let out = folder.path().join("out");
    let without = BuildOptions {
        without_mirrored: true,
        ..options()
    };
    build(&entries, &without, &out, &Silent).unwrap();
    let index = index_of(&out);
    assert_eq!(index.clips.len(), 1);
    assert_eq!(index.clips[0].family, "rig");
    assert_eq!(
        index.clips[0].segments[0].captions[0],
        "a person walks forward"
    );
}

#[test]
fn a_clip_that_climbs_is_kept_where_it_is_on_the_floor() {
    let folder = tempfile::tempdir().unwrap();
    let mut climb = walk(24.0, 0.0);
    let lifted = 330..420;
    for root in &mut climb.root_in_world_m[lifted] {
        *root += DVec3::Y * 0.4;
    }
    put(folder.path(), "climb.bvh", &climb);
    let mut entries = entries_in_folder(folder.path()).unwrap();
    entries[0].captions = vec!["a person goes up and down".to_owned()];
    let out = folder.path().join("out");
    let report = build(&entries, &options(), &out, &Silent).unwrap();
    assert_eq!(report.cut.len(), 1);
    let index = index_of(&out);
    let ids: Vec<&str> = index
        .clips
        .iter()
        .filter(|c| !c.mirrored)
        .map(|c| c.id.as_str())
        .collect();
    assert_eq!(ids, ["climb_part1", "climb_part2"]);
    assert!(index.clips.iter().all(|c| c.source_id == "climb"));
    let said = |c: &str| c == "a person goes up and down";
    assert!(
        index
            .clips
            .iter()
            .flat_map(|c| &c.segments)
            .all(|s| !s.captions.iter().any(|c| said(c)))
    );
}

#[test]
fn a_jab_of_less_than_a_second_is_lengthened_and_a_frame_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut still = walk(0.8, 0.0);
    for frame in 0..still.len() {
        still.root_in_world_m[frame] = still.root_in_world_m[0];
        still.local_rotations[frame] = still.local_rotations[0].clone();
    }
    put(folder.path(), "jab.bvh", &still);
    let mut one = still.clone();
    one.root_in_world_m.truncate(1);
    one.local_rotations.truncate(1);
    put(folder.path(), "one.bvh", &one);
    put(folder.path(), "stride.bvh", &walk(0.8, 0.0));
    let mut entries = entries_in_folder(folder.path()).unwrap();
    for entry in &mut entries {
        entry.captions = vec!["a person throws a left jab".to_owned()];
    }
    let out = folder.path().join("out");
    build(&entries, &options(), &out, &Silent).unwrap();
    let index = index_of(&out);
    assert_eq!(index.clips[0].id, "jab");
    assert!(index.clips[0].frames >= 20);
    assert_eq!(index.clips[0].segments[0].captions, entries[0].captions);
    assert_eq!(
        index.clips[1].segments[0].captions,
        ["a person throws a right jab"]
    );
    let reason = |id: &str| &index.dropped.iter().find(|d| d.id == id).unwrap().reason;
    assert!(reason("one").contains("one frame"), "{}", reason("one"));
    assert!(
        reason("stride").contains("too short"),
        "{}",
        reason("stride")
    );
}

#[test]
fn a_build_without_a_usable_clip_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "short.bvh", &walk(0.5, 0.0));
    let entries = entries_in_folder(folder.path()).unwrap();
    let out = folder.path().join("out");
    let message = build(&entries, &options(), &out, &Silent)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("short") && message.contains("too short"),
        "{message}"
    );
    assert!(build(&[], &options(), &out, &Silent).is_err());
    assert_eq!(names(folder.path()), ["short.bvh"]);
}

#[test]
fn an_existing_folder_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.bvh", &walk(3.0, 0.0));
    let entries = entries_in_folder(folder.path()).unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("mine"), "x").unwrap();
    assert!(build(&entries, &options(), &out, &Silent).is_err());
    assert_eq!(names(&out), ["mine"]);
}

#[derive(Default)]
struct StopAfterOne {
    done: AtomicUsize,
}

impl Progress for StopAfterOne {
    fn start(&self, _total: usize) {}
    fn advance(&self, _item: &str) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
    fn finish(&self) {}
    fn is_cancelled(&self) -> bool {
        self.done.load(Ordering::Relaxed) > 0
    }
}

#[test]
fn a_cancelled_build_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.bvh", &walk(3.0, 0.0));
    put(folder.path(), "b.bvh", &walk(3.0, 0.0));
    let entries = entries_in_folder(folder.path()).unwrap();
    let out = folder.path().join("out");
    let result = build(&entries, &options(), &out, &StopAfterOne::default());
    assert!(matches!(result, Err(MotionError::Cancelled)));
    assert_eq!(names(folder.path()), ["a.bvh", "b.bvh"]);
}

/// Over real capture: `KINOGRAD_MOCAP=folder cargo test --release -- real_capture`, where the folder
/// holds `manifest.csv` and `skeletons.json`.
#[test]
fn real_capture_is_imported_or_refused_with_a_reason() {
    let Some(folder) = std::env::var_os("KINOGRAD_MOCAP") else {
        kinograd_testkit::skip("mocap", "KINOGRAD_MOCAP names no folder");
        return;
    };
    let folder = Path::new(&folder);
    let entries = read_manifest(&folder.join("manifest.csv")).unwrap();
    let options = BuildOptions {
        mappings: Some(MappingFile::read(&folder.join("skeletons.json")).unwrap()),
        ..BuildOptions::default()
    };
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    let report: BuildReport = build(&entries, &options, &out, &Silent).unwrap();
    assert_eq!(report.clips_kept + report.clips_dropped, entries.len());
    assert!(report.round_trip_max_m < 1e-3);
    let index = index_of(&out);
    assert!(index.dropped.iter().all(|d| !d.reason.is_empty()));
    // Words for speed agree with the speed of the segment.
    let features: Array2<f32> = ndarray_npy::read_npy(out.join("features.npy")).unwrap();
    let (mut told, mut right) = (0, 0);
    for clip in &index.clips {
        for segment in clip
            .segments
            .iter()
            .filter(|s| s.action.name() == "walk" && s.frames >= 40)
        {
            let from = clip.offset + segment.start;
            let rows = features.slice(s![from..from + segment.frames, ..]);
            let joints = decode_joints(rows).unwrap();
            let way = (1..segment.frames)
                .map(|f| {
                    let step = |a: usize| joints[[f, 0, a]] - joints[[f - 1, 0, a]];
                    step(0).hypot(step(2))
                })
                .sum::<f64>();
            told += 1;
            right += usize::from((0.25..2.3).contains(&(way * 20.0 / segment.frames as f64)));
        }
    }
    assert!(
        told > 0 && right == told,
        "{right} of {told} walks have the speed of a walk"
    );
}
