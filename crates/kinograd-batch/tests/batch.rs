//! Batches of computed clips: what is written, resumed, refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

use kinograd::motion::Provenance;
use kinograd::motion::synth::synth_walk;
use kinograd::{Clip, ClipReport, Event, Observer, Task};
use kinograd_batch::{
    BatchError, BatchEvent, BatchObserver, BatchOptions, BatchReport, Filters, Made, Maker,
    Manifest, SampleFormat, Shard, Source, run,
};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;

/// Walks whose skate is stated by the task's duration.
struct Walks;

impl Maker for Walks {
    fn make(&mut self, task: &Task, _: &mut dyn Observer) -> Result<Clip, kinograd::Error> {
        if task.prompts_in_words() == "fail" {
            return Err(kinograd::Error::Internal("asked to fail".to_owned()));
        }
        let mut report = ClipReport::default();
        report.seed = task.sampling.seed;
        report.foot_skate_ratio = task.duration_secs / 10.0;
        let mut clip = Clip::new(synth_walk(1.2, task.duration_secs, 20.0), Provenance::new());
        clip.report = Some(report);
        Ok(clip)
    }

    fn describe(&self, _: &Task) -> Made {
        Made::default()
    }
}

/// Stops after so many tasks.
struct StopAfter(usize);

impl Observer for StopAfter {
    fn event(&mut self, _: &Event) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl BatchObserver for StopAfter {
    fn batch(&mut self, event: &BatchEvent<'_>) -> ControlFlow<()> {
        if matches!(event, BatchEvent::Done(_)) {
            self.0 -= 1;
        }
        if self.0 == 0 {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

fn walk(id: &str, seconds: f64) -> String {
    format!(r#"{{"id": "{id}", "prompts": [{{"text": "walk"}}], "duration_secs": {seconds}}}"#)
}

fn list(folder: &Path, lines: &[String]) -> Source {
    let path = folder.join("tasks.jsonl");
    fs::write(&path, lines.join("\n")).unwrap();
    Source::open(&path).unwrap()
}

fn options(shard: &str) -> BatchOptions {
    let mut options = BatchOptions::default();
    options.shard = shard.parse().unwrap();
    options.formats = vec![SampleFormat::Json, SampleFormat::Bvh];
    options
}

fn go(source: &Source, out: &Path, options: &BatchOptions) -> Result<BatchReport, BatchError> {
    run(source, out, options, &mut Walks, &mut ())
}

fn manifests(out: &Path) -> Vec<Manifest> {
    let mut paths: Vec<_> = fs::read_dir(out)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    let texts = paths
        .into_iter()
        .map(|path| fs::read_to_string(path).unwrap());
    texts
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect()
}

/// Every sample of the folder with the names and bytes of its files; fails where one is twice.
fn samples(out: &Path) -> BTreeSet<(String, Vec<u8>)> {
    let mut found = BTreeSet::new();
    for manifest in manifests(out) {
        let Some(tar) = manifest.tar else { continue };
        let sha256 = kinograd::runtime::sha256_of_file(&out.join(&tar.path)).unwrap();
        assert_eq!(sha256, tar.sha256);
        let mut archive = tar::Archive::new(File::open(out.join(&tar.path)).unwrap());
        let mut stems = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            stems.push(name.split('.').next().unwrap().to_owned());
            assert!(found.insert((name.clone(), bytes)), "{name} is twice");
        }
        stems.dedup();
        assert_eq!(stems, manifest.samples);
    }
    found
}

fn stray(out: &Path) -> Vec<String> {
    let names = fs::read_dir(out).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".kinograd-")).collect()
}

#[test]
fn any_number_of_processes_makes_the_same_samples() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..40).map(|n| walk(&format!("walk-{n}"), 1.0)).collect();
    let source = list(folder.path(), &lines);
    let mut all = Vec::new();
    for count in [1, 3] {
        let out = folder.path().join(format!("of-{count}"));
        let mut made = 0;
        for index in 0..count {
            let report = go(&source, &out, &options(&format!("{index}/{count}"))).unwrap();
            made += report.made;
        }
        assert_eq!(made, 40);
        all.push(samples(&out));
    }
    assert_eq!(all[0].len(), 80);
    assert_eq!(all[0], all[1]);
}

#[test]
fn a_run_that_was_stopped_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..20).map(|n| walk(&format!("walk-{n}"), 1.0)).collect();
    let source = list(folder.path(), &lines);
    let out = folder.path().join("out");
    let mut small = options("0/1");
    small.part_bytes = 30_000;
    let stopped = run(&source, &out, &small, &mut Walks, &mut StopAfter(7));
    assert!(matches!(stopped, Err(BatchError::Cancelled)));
    assert_eq!(samples(&out).len(), 14, "what was made is kept");

    // A process that was killed leaves a tar that no manifest names.
    fs::write(out.join("clips-00000-00009.tar"), "torn").unwrap();
    let report = go(&source, &out, &small).unwrap();
    assert_eq!((report.made, report.skipped), (13, 7));
    assert!(report.parts > 1);
    assert_eq!(samples(&out).len(), 40);
    assert!(!out.join("clips-00000-00009.tar").exists());
    assert_eq!(stray(&out), [""; 0]);

    let report = go(&source, &out, &small).unwrap();
    assert_eq!((report.made, report.skipped, report.parts), (0, 20, 0));
    // Other processes, as many as one likes.
    let report = go(&source, &out, &options("1/2")).unwrap();
    assert_eq!(report.made, 0);
}

#[test]
fn bad_tasks_are_told_and_cost_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [
        walk("good", 1.0),
        "{".to_owned(),
        walk("good", 1.0),
        walk("bad/name", 1.0),
        walk("long", 1e9),
        walk("fail", 1.0).replace("\"walk\"", "\"fail\""),
        String::new(),
        walk("other", 1.0),
    ];
    let source = list(folder.path(), &lines);
    let out = folder.path().join("out");
    let report = go(&source, &out, &options("0/1")).unwrap();
    assert_eq!((report.made, report.failed), (2, 5));
    let errors = fs::read_to_string(out.join("errors-00000.jsonl")).unwrap();
    let told: Vec<serde_json::Value> = errors
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expected = [
        (2, "EOF"),
        (3, "line 1 has it already"),
        (4, "bad/name"),
        (5, "duration_secs"),
        (6, "asked to fail"),
    ];
    assert_eq!(told.len(), expected.len(), "{errors}");
    for (told, (line, says)) in told.iter().zip(expected) {
        assert_eq!(told["line"], line);
        assert!(told["error"].as_str().unwrap().contains(says), "{told}");
    }
    let mut strict = options("0/1");
    strict.max_errors = 2;
    let error = go(&source, &out, &strict).unwrap_err();
    assert!(error.to_string().contains("3 tasks failed"), "{error}");
}

#[test]
fn what_a_filter_rejects_is_told_and_not_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [walk("short", 1.0), walk("long", 4.0)];
    let source = list(folder.path(), &lines);
    let out = folder.path().join("out");
    let mut strict = options("0/1");
    let mut filters = Filters::default();
    filters.max_skate = Some(0.2);
    strict.filters = filters;
    let report = go(&source, &out, &strict).unwrap();
    assert_eq!((report.made, report.rejected), (1, 1));
    let manifest = &manifests(&out)[0];
    assert_eq!(manifest.samples, ["short"]);
    assert_eq!(manifest.rejected[0].id, "long");
    assert_eq!(manifest.rejected[0].reason, "skate 0.400 > 0.2");
    let report = go(&source, &out, &strict).unwrap();
    assert_eq!((report.made, report.rejected, report.skipped), (0, 0, 2));
    // One folder, one kind of samples.
    let error = go(&source, &out, &options("0/1")).unwrap_err();
    assert!(error.to_string().contains("other limits"), "{error}");
}

#[test]
fn the_index_has_a_row_a_clip() {
    let folder = tempfile::tempdir().unwrap();
    let source = list(folder.path(), &[walk("a", 1.0), walk("b", 2.0)]);
    let out = folder.path().join("out");
    go(&source, &out, &options("0/1")).unwrap();
    let file = File::open(out.join("clips-00000-00000.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let rows: Vec<_> = reader
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let names: Vec<&String> = rows[0].get_column_iter().map(|(name, _)| name).collect();
    let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].get_string(at("id")).unwrap(), "b");
    assert_eq!(
        rows[1].get_string(at("tar")).unwrap(),
        "clips-00000-00000.tar"
    );
    assert_eq!(rows[1].get_double(at("foot_skate_ratio")).unwrap(), 0.2);
    assert!(
        rows[1].get_double(at("text_score")).is_err(),
        "not measured is null"
    );
    let task = rows[1].get_string(at("task")).unwrap();
    let task = Task::from_json(task).unwrap();
    assert_eq!(
        i64::try_from(task.sampling.seed).unwrap(),
        rows[1].get_long(at("seed")).unwrap()
    );
}

#[test]
fn processes_that_start_at_once_do_not_take_each_other_for_themselves() {
    const SHARDS: usize = 8;
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..SHARDS)
        .map(|n| walk(&format!("walk-{n}"), 1.0))
        .collect();
    let source = list(folder.path(), &lines);
    for round in 0..10 {
        let out = folder.path().join(round.to_string());
        let start = std::sync::Barrier::new(SHARDS);
        let made: usize = std::thread::scope(|scope| {
            let one = |index| {
                let (source, out, start) = (&source, &out, &start);
                scope.spawn(move || {
                    start.wait();
                    let shard = options(&format!("{index}/{SHARDS}"));
                    go(source, out, &shard).unwrap().made
                })
            };
            let all: Vec<_> = (0..SHARDS).map(one).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(made, SHARDS);
        assert_eq!(samples(&out).len(), 2 * SHARDS);
    }
}

#[test]
fn a_look_at_a_lock_is_waited_for_and_an_unsaid_number_is_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let source = list(folder.path(), &[walk("a", 1.0)]);
    let looked_at = File::create(out.join(".shard-00000.lock")).unwrap();
    looked_at.lock().unwrap();
    // Holds its lock, but has not written how many there are.
    let starting = File::create(out.join(".shard-00001.lock")).unwrap();
    starting.lock().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(200));
            drop(looked_at);
        });
        go(&source, &out, &options("0/2")).unwrap();
    });
}

#[test]
fn two_processes_of_one_shard_are_one_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let source = list(folder.path(), &[walk("a", 1.0)]);
    let mut lock = File::create(out.join(".shard-00000.lock")).unwrap();
    lock.lock().unwrap();
    lock.write_all(b"2").unwrap();
    let error = go(&source, &out, &options("0/2")).unwrap_err();
    assert!(error.to_string().contains("as shard 0"), "{error}");
    let error = go(&source, &out, &options("1/3")).unwrap_err();
    assert!(error.to_string().contains("2 shards, not 3"), "{error}");
    drop(lock);
    assert_eq!(go(&source, &out, &options("0/1")).unwrap().made, 1);
    let whole = Shard::WHOLE;
    assert!(whole.has("anything"));
}
