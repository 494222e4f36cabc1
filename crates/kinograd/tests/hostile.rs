//! Damaged inputs for every reader: none may panic, abort, hang or take more memory than its budget.
//!
//! `KINOGRAD_FUZZ_RUNS=20000 cargo test --release -p kinograd --test hostile` searches longer, with
//! `KINOGRAD_FUZZ_SEED` elsewhere. What fails is written to the folder for temporary files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests may; the lint only sees functions marked as tests"
)]

#[path = "../../../fuzz/targets.rs"]
mod targets;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kinograd::motion::synth;
use kinograd::{Clip, LoadOptions};
use kinograd_testkit::Mutator;

/// The slowest that one input may be, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most memory that a process may have used, MiB.
const MOST_MIB: u64 = 2048;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect(variable))
}

/// Files of a folder with an ending.
fn files(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// What was found in attacks, and what is sound.
fn seeds(ending: &str, sound: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut all = files("fuzz/corpus", ending);
    all.extend(sound);
    assert!(!all.is_empty());
    all
}

/// A short walk in a format.
fn walk(ending: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("walk.{ending}"));
    let motion = synth::synth_walk(1.2, 2.0, 20.0);
    Clip::new(motion, kinograd::motion::Provenance::new())
        .save(&path)
        .unwrap();
    assert!(Clip::load(&path, &LoadOptions::default()).is_ok());
    std::fs::read(path).unwrap()
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// `share`: how many of the runs, in per cent: slow readers get fewer.
fn attack(name: &str, seeds: &[Vec<u8>], share: u64, target: fn(&[u8])) {
    let runs = number("KINOGRAD_FUZZ_RUNS", 200) * share / 100;
    let mut mutator = Mutator::new(number("KINOGRAD_FUZZ_SEED", 1));
    let mut slowest = Duration::ZERO;
    let unchanged = seeds.iter().cloned();
    let mutated = (0..runs).map(|_| {
        let input = &seeds[mutator.below(seeds.len())];
        mutator.mutated(input, seeds)
    });
    let started = Instant::now();
    // An abort says nothing: the input that is tried lies here.
    let at = std::env::temp_dir().join(format!("kinograd-{name}-{}", std::process::id()));
    for input in unchanged.chain(mutated) {
        std::fs::write(&at, &input).unwrap();
        let before = Instant::now();
        let outcome = std::panic::catch_unwind(|| target(&input));
        slowest = slowest.max(before.elapsed());
        assert!(outcome.is_ok(), "{name} panics: {}", at.display());
        assert!(
            before.elapsed() < PATIENCE,
            "{name} hangs: {}",
            at.display()
        );
        assert!(
            peak_mib() < MOST_MIB,
            "{name} takes too much memory: {}",
            at.display()
        );
    }
    std::fs::remove_file(at).unwrap();
    eprintln!(
        "{name}: {} inputs in {:.1} s, the slowest {:.2} s; peak {} MiB",
        runs + seeds.len() as u64,
        started.elapsed().as_secs_f64(),
        slowest.as_secs_f64(),
        peak_mib()
    );
}

#[test]
fn clips() {
    attack("bvh", &seeds(".bvh", vec![walk("bvh")]), 50, targets::bvh);
    attack("glb", &seeds(".glb", vec![walk("glb")]), 50, targets::glb);
    attack("fbx", &seeds(".fbx", vec![walk("fbx")]), 50, targets::fbx);
    attack("npz", &seeds(".npz", vec![walk("npz")]), 50, targets::npz);
}

#[test]
fn tasks_and_records() {
    let scenes = files("assets/scenes", ".json");
    attack("task", &seeds("weird-239.json", scenes), 300, targets::task);
    let record = r#"{"provenance": {"tool": "kinograd", "version": "0.1.0", "command": "x"}}"#;
    attack(
        "record",
        &[record.as_bytes().to_vec()],
        100,
        targets::record,
    );
}

#[test]
fn packages() {
    let mut manifests = seeds(".model.json", Vec::new());
    for package in ["motion-base", "emoji-64", "emoji-clip", "motion-judge"] {
        manifests.extend(files(&format!("models/{package}"), "model.json"));
    }
    attack("manifest", &manifests, 100, targets::manifest);
    let tokenizers = files("models/motion-base", "tokenizer.json");
    attack("tokenizer", &tokenizers, 20, targets::tokenizer);
    let arrays = files("models/motion-base", ".npz");
    attack("arrays", &arrays, 100, targets::arrays);
}

#[test]
fn pictures_and_pages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let picture =
        ndarray::Array3::from_shape_fn((3, 9, 7), |(c, y, x)| ((c * 5 + y * 3 + x) as f32).sin());
    let record = kinograd::motion::Provenance::new().by_command("a");
    kinograd::image::Picture(picture)
        .save(&path, Some(&record))
        .unwrap();
    let sound = std::fs::read(path).unwrap();
    attack("png", &seeds(".png", vec![sound]), 300, targets::png);
    let page =
        b"<!DOCTYPE html><a href=\"../../f/onnxruntime-1.31.1-cp313-cp313-any.whl#sha256=0\">x</a>";
    let json = br#"{"files": [{"url": "/f/x.whl", "hashes": {"sha256": "0"}}]}"#;
    attack("page", &[page.to_vec(), json.to_vec()], 300, targets::page);
}
