//! Batches of computed clips: what is written, resumed, refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

use kinograd::motion::Provenance;
use kinograd::motion::synth::synth_walk;
use kinograd::{Clip, ClipReport, Event, Observer, Task};
use kinograd_batch::{
    BatchError, BatchEvent, BatchObserver, BatchOptions, BatchReport, Filters, Made, Maker,
    Manifest, SampleFormat, Shard, Source, dataset_from_batch, run,
};
use kinograd_dataset::{Index, Silent};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;

/// Walks whose skate is stated by the task's duration, and whose embedding by the prompt: `at 30` has the
/// direction of 30°.
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
        let words = task.prompts_in_words();
        clip.embedding = words.strip_prefix("at ").map(|degrees| {
            let angle = degrees.parse::<f32>().unwrap().to_radians();
            vec![angle.cos(), angle.sin()]
        });
        Ok(clip)
    }

    fn embeds(&mut self, task: &Task) -> Result<bool, kinograd::Error> {
        Ok(task.model() != "blind")
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
    let source = list(
        folder.path(),
        &[walk("a", 1.0), walk("b", 2.0), towards("c", 0)],
    );
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
    assert_eq!(rows.len(), 3);
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
    let embeddings: Vec<_> = rows
        .iter()
        .map(|row| match row.is_null(at("embedding")).unwrap() {
            true => None,
            false => Some(row.get_list(at("embedding")).unwrap().elements().len()),
        })
        .collect();
    assert_eq!(embeddings, [None, None, Some(2)]);
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

/// A walk whose embedding has a direction, in degrees.
fn towards(id: &str, degrees: u32) -> String {
    walk(id, 1.0).replace("\"walk\"", &format!("\"at {degrees}\""))
}

/// 1 − cos 10° is 0.0152, 1 − cos 5° is 0.0038.
fn apart(shard: &str) -> BatchOptions {
    let mut options = options(shard);
    options.filters.min_distance = Some(0.01);
    options
}

fn rejected(out: &Path) -> Vec<(String, String)> {
    let of = |manifest: Manifest| manifest.rejected.into_iter();
    manifests(out)
        .into_iter()
        .flat_map(of)
        .map(|sample| (sample.id, sample.reason))
        .collect()
}

#[test]
fn near_copies_of_kept_clips_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [
        towards("first", 0),
        towards("near", 5),
        // Near to what was rejected, not to what was kept.
        towards("far", 10),
        towards("again", 10),
        towards("opposite", 180),
    ];
    let source = list(folder.path(), &lines);
    let out = folder.path().join("out");
    let report = go(&source, &out, &apart("0/1")).unwrap();
    assert_eq!((report.made, report.rejected, report.failed), (3, 2, 0));
    assert_eq!(manifests(&out)[0].samples, ["first", "far", "opposite"]);
    let expected = [
        ("near", "distance 0.0038 to first < 0.01"),
        ("again", "distance 0.0000 to far < 0.01"),
    ];
    assert_eq!(
        rejected(&out),
        expected.map(|(id, reason)| (id.to_owned(), reason.to_owned()))
    );
    // Nothing is nearer than 0.
    let mut none = apart("0/1");
    none.filters.min_distance = Some(0.0);
    let report = go(&source, &folder.path().join("all"), &none).unwrap();
    assert_eq!((report.made, report.rejected), (5, 0));
}

#[test]
fn a_run_that_goes_on_knows_the_clips_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    // Every fourth is new; its copies come in other parts.
    let lines: Vec<String> = (0..40)
        .map(|n| towards(&format!("walk-{n}"), 20 * (n % 10)))
        .collect();
    let source = list(folder.path(), &lines);
    let mut small = apart("0/1");
    small.part_bytes = 30_000;
    let whole = folder.path().join("whole");
    let report = go(&source, &whole, &small).unwrap();
    assert_eq!((report.made, report.rejected), (10, 30));
    let out = folder.path().join("out");
    for _ in 0..2 {
        let stopped = run(&source, &out, &small, &mut Walks, &mut StopAfter(17));
        assert!(matches!(stopped, Err(BatchError::Cancelled)));
    }
    // A process that was killed leaves files that no manifest names; its part is made again.
    fs::write(out.join("clips-00000-00019.tar"), "torn").unwrap();
    fs::write(out.join("clips-00000-00019.parquet"), "torn").unwrap();
    go(&source, &out, &small).unwrap();
    assert_eq!(samples(&out), samples(&whole));
    assert_eq!(rejected(&out), rejected(&whole));

    // With another number of shards, those of its tasks count, whoever made them.
    let more: Vec<String> = (0..80)
        .map(|n| towards(&format!("walk-{n}"), 20 * (n % 10)))
        .collect();
    let source = list(folder.path(), &more);
    for shard in ["0/2", "1/2"] {
        let own: Shard = shard.parse().unwrap();
        let kept: BTreeSet<u32> = (0..40)
            .filter(|n| *n < 10 && own.has(&format!("walk-{n}")))
            .map(|n| n % 10)
            .collect();
        let new: BTreeSet<u32> = (40..80)
            .filter(|n| own.has(&format!("walk-{n}")) && !kept.contains(&(n % 10)))
            .map(|n| n % 10)
            .collect();
        let report = go(&source, &out, &apart(shard)).unwrap();
        assert_eq!(report.made, new.len(), "{shard}");
    }
}

#[test]
fn what_cannot_be_compared_is_told_before_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let source = list(
        folder.path(),
        &[walk("unembedded", 1.0), towards("good", 0)],
    );
    let out = folder.path().join("out");
    let report = go(&source, &out, &apart("0/1")).unwrap();
    assert_eq!((report.made, report.failed), (1, 1));
    let errors = fs::read_to_string(out.join("errors-00000.jsonl")).unwrap();
    assert!(errors.contains("has no motion embedding"), "{errors}");

    let mut blind = apart("0/1");
    blind.model = Some("blind".to_owned());
    let other = folder.path().join("other");
    let error = go(&source, &other, &blind).unwrap_err();
    let expected = "--min-distance: the model `blind` has no motion embedding to compare clips by";
    assert_eq!(error.to_string(), expected);
    assert!(manifests(&other).is_empty());
    // Without the filter nobody asks.
    blind.filters = Filters::default();
    assert_eq!(go(&source, &other, &blind).unwrap().made, 2);

    // What was kept before must be known, whole.
    let index = out.join("clips-00000-00000.parquet");
    let mut bytes = fs::read(&index).unwrap();
    bytes[100] ^= 1;
    fs::write(&index, bytes).unwrap();
    let error = go(&source, &out, &apart("0/1")).unwrap_err();
    assert!(error.to_string().contains("00000.parquet"), "{error}");
    assert!(error.to_string().contains("hash"), "{error}");
}

fn labelled(id: &str, label: &str) -> String {
    walk(id, 1.0).replacen('{', &format!(r#"{{"label": "{label}", "#), 1)
}

/// Labels of the kept clips of a folder, counted.
fn counted(out: &Path) -> BTreeMap<Option<String>, usize> {
    let mut counts = BTreeMap::new();
    for manifest in manifests(out) {
        let Some(index) = manifest.index else {
            continue;
        };
        let reader = SerializedFileReader::new(File::open(out.join(index.path)).unwrap()).unwrap();
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let names = row.get_column_iter();
            let at = names.map(|(name, _)| name).position(|name| name == "label");
            let label = row.get_string(at.unwrap()).ok().cloned();
            *counts.entry(label).or_default() += 1;
        }
    }
    counts
}

#[test]
fn enough_of_a_label_is_exactly_enough() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines: Vec<String> = Vec::new();
    for n in 0..60 {
        lines.push(labelled(&format!("walk-{n}"), "walk"));
        lines.push(labelled(&format!("jog-{n}"), "jog"));
    }
    lines.extend((0..5).map(|n| labelled(&format!("jump-{n}"), "jump")));
    lines.extend((0..6).map(|n| walk(&format!("any-{n}"), 1.0)));
    let source = list(folder.path(), &lines);
    let expected = BTreeMap::from([
        (None, 6),
        (Some("jog".to_owned()), 10),
        (Some("jump".to_owned()), 5),
        (Some("walk".to_owned()), 10),
    ]);
    for count in [1, 3, 4] {
        let out = folder.path().join(format!("of-{count}"));
        let (mut made, mut enough) = (0, 0);
        for index in 0..count {
            let mut some = options(&format!("{index}/{count}"));
            // Of few jumps every shard may make its own.
            some.per_label = Some(10);
            let report = go(&source, &out, &some).unwrap();
            made += report.made;
            enough += report.enough;
        }
        let counts = counted(&out);
        for label in ["walk", "jog"] {
            assert_eq!(counts[&Some(label.to_owned())], 10, "{count}");
        }
        assert_eq!(counts[&None], 6);
        if count == 1 {
            assert_eq!(counts, expected);
            assert_eq!((made, enough), (31, 100));
        }
    }
}

#[test]
fn labels_are_counted_over_runs() {
    let folder = tempfile::tempdir().unwrap();
    let line = |n: usize| labelled(&format!("walk-{n}"), ["walk", "jog"][n % 2]);
    let lines: Vec<String> = (0..40).map(line).collect();
    let source = list(folder.path(), &lines);
    let mut some = options("0/1");
    some.per_label = Some(8);
    some.part_bytes = 30_000;
    let whole = folder.path().join("whole");
    let report = go(&source, &whole, &some).unwrap();
    assert_eq!((report.made, report.enough), (16, 24));
    let out = folder.path().join("out");
    let stopped = run(&source, &out, &some, &mut Walks, &mut StopAfter(7));
    assert!(matches!(stopped, Err(BatchError::Cancelled)));
    let report = go(&source, &out, &some).unwrap();
    assert_eq!((report.made, report.skipped, report.enough), (9, 7, 24));
    assert_eq!(samples(&out), samples(&whole));
    // More are wanted, by other processes: what is there counts.
    for shard in ["0/2", "1/2"] {
        let mut more = some.clone();
        more.shard = shard.parse().unwrap();
        more.per_label = Some(11);
        go(&source, &out, &more).unwrap();
    }
    let counts = counted(&out);
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [11, 11]);
    // What a filter rejects is not counted.
    let strict = folder.path().join("strict");
    some.filters.max_skate = Some(0.05);
    let report = go(&source, &strict, &some).unwrap();
    assert_eq!((report.made, report.rejected, report.enough), (0, 40, 0));
}

#[test]
fn a_batch_is_training_data() {
    let folder = tempfile::tempdir().unwrap();
    let prompt = |line: String, text: &str| line.replace("\"walk\"}", &format!("\"{text}\"}}"));
    let lines = [
        prompt(walk("plain", 4.0), "a person walks"),
        prompt(labelled("named", "walk"), "someone strolls").replace("1}", "3}"),
        prompt(walk("slides", 6.0), "a person walks"),
        prompt(walk("untold", 4.0), "42"),
    ];
    let source = list(folder.path(), &lines);
    let batch = folder.path().join("batch");
    let mut options = options("0/1");
    options.formats = vec![SampleFormat::Npz];
    options.filters.max_skate = Some(0.5);
    let report = go(&source, &batch, &options).unwrap();
    assert_eq!((report.made, report.rejected, report.failed), (3, 1, 0));

    let out = folder.path().join("data");
    let report = dataset_from_batch(&batch, &out, false, &Silent).unwrap();
    assert_eq!((report.clips_in, report.clips_kept), (3, 2));
    let read = |name: &str| fs::read(out.join(name)).unwrap();
    let index: Index = serde_json::from_slice(&read("index.json")).unwrap();
    let clips: Vec<_> = index.clips.iter().map(|clip| clip.id.as_str()).collect();
    assert_eq!(
        clips,
        ["plain", "plain_mirrored", "named", "named_mirrored"]
    );
    assert_eq!(index.dropped[0].id, "untold");
    assert!(index.dropped[0].reason.contains("no prompt"));
    let mut offset = 0;
    for clip in &index.clips {
        assert_eq!((clip.offset, clip.segments.len()), (offset, 1));
        offset += clip.frames;
        let segment = &clip.segments[0];
        assert_eq!((segment.start, segment.frames), (0, clip.frames));
        assert_eq!(segment.action.name(), "walk", "{}", clip.id);
        let made = clip.made.as_ref().unwrap();
        assert_eq!(made.part, "clips-00000-00000.tar");
        // Records of JSON hold every seed of an id exactly.
        let line = lines.iter().position(|line| line.contains(&clip.source_id));
        let parsed = kinograd_batch::Line::parse(1, &lines[line.unwrap()]).unwrap();
        assert_eq!(made.seed, parsed.checked(None).unwrap().sampling.seed);
    }
    assert_eq!(index.clips[0].segments[0].captions, ["a person walks"]);
    assert_eq!(index.clips[2].segments[0].captions, ["someone strolls"]);
    assert_eq!(
        (index.clips[0].label.as_str(), index.clips[2].label.as_str()),
        ("", "walk")
    );
    let made_from = index.made_from.unwrap();
    let manifest = &manifests(&batch)[0];
    let tar = manifest.tar.as_ref().unwrap();
    assert_eq!(made_from.parts[&tar.path], tar.sha256);
    let features = read("features.npy");
    assert_eq!(features.len(), 128 + offset * 263 * 4);

    // It is there already; a batch that was changed is none.
    let error = dataset_from_batch(&batch, &out, false, &Silent).unwrap_err();
    assert!(matches!(error, BatchError::Dataset(_)), "{error:?}");
    let path = batch.join(&tar.path);
    let mut bytes = fs::read(&path).unwrap();
    bytes[600] ^= 1;
    fs::write(&path, bytes).unwrap();
    let other = folder.path().join("other");
    let error = dataset_from_batch(&batch, &other, false, &Silent).unwrap_err();
    assert!(error.to_string().contains(&tar.path), "{error}");
    assert!(error.to_string().contains("hash"), "{error}");
    let error = dataset_from_batch(folder.path(), &other, false, &Silent).unwrap_err();
    assert!(error.to_string().contains("no clip of a batch"), "{error}");
    assert!(!other.exists());
}
