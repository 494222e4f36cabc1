//! What foreign networks and a changed cache can do, on every engine of this machine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking"
)]

mod common;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kinograd_runtime::{ModelSource, SessionOptions, Tensor};
use ndarray::arr1;

use common::{FLOAT, Graph, engines};

const BOOL: i32 = 9;

/// `y = x + 1 + 1 …`, `turns` times.
fn endless(turns: i64) -> Vec<u8> {
    let body = Graph::new()
        .input("turn", common::INT64, &[])
        .input("goes_on", BOOL, &[])
        .input("sum", FLOAT, &["1"])
        .weights("one", &[1], &[1.0])
        .node("Identity", &["goes_on"], &["on"])
        .node("Add", &["sum", "one"], &["more"])
        .output("on", BOOL, &[])
        .output("more", FLOAT, &["1"]);
    Graph::new()
        .input("x", FLOAT, &["1"])
        .ints("turns", &[], &[turns])
        .node_with(
            "Loop",
            &["turns", "", "x"],
            &["y"],
            vec![body.into_attribute("body")],
        )
        .output("y", FLOAT, &["1"])
        .bytes()
}

#[test]
fn a_loop_without_end_is_stopped() {
    for engine in engines() {
        let limited = SessionOptions {
            time_limit: Some(Duration::from_millis(300)),
            ..SessionOptions::default()
        };
        let x = Tensor::from(arr1(&[1.0_f32]));
        let few = ModelSource::memory("few", endless(3));
        // The built-in engine knows no such loop.
        if engine.name() != "ONNX Runtime" {
            continue;
        }
        let mut session = engine.load(&few, &limited).unwrap();
        let mut outputs = session.run(&[("x", &x)], &["y"]).unwrap();
        assert_eq!(outputs.remove(0).into_f32().unwrap()[[0]], 4.0);
        let many = ModelSource::memory("many", endless(1 << 40));
        let mut session = engine.load(&many, &limited).unwrap();
        let started = Instant::now();
        let error = session.run(&[("x", &x)], &["y"]).unwrap_err().to_string();
        assert!(error.contains("more than 0.3 s"), "{error}");
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{:?}",
            started.elapsed()
        );
    }
}

fn doubled(factor: f32) -> ModelSource {
    let bytes = Graph::new()
        .input("x", FLOAT, &["n"])
        .weights("factor", &[1], &[factor])
        .node("Mul", &["x", "factor"], &["y"])
        .output("y", FLOAT, &["n"])
        .bytes();
    ModelSource::memory("doubled", bytes)
}

fn saved(cache: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cache.join("graphs"))
        .into_iter()
        .flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "ort"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn another_models_graph_under_this_ones_name_is_not_run() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let options = SessionOptions {
            cache_dir: Some(folder.path().to_owned()),
            ..SessionOptions::default()
        };
        let run = |model: &ModelSource| {
            let mut session = engine.load(model, &options).unwrap();
            let x = Tensor::from(arr1(&[1.0_f32]));
            let mut outputs = session.run(&[("x", &x)], &["y"]).unwrap();
            outputs.remove(0).into_f32().unwrap()[[0]]
        };
        let (two, three) = (doubled(2.0), doubled(3.0));
        assert_eq!((run(&two), run(&three)), (2.0, 3.0));
        let graphs = saved(folder.path());
        assert_eq!(graphs.len() % 2, 0);
        if let [a, b] = graphs.as_slice() {
            let name = |path: &Path| path.with_extension("kept");
            std::fs::rename(a, name(a)).unwrap();
            std::fs::rename(b, a).unwrap();
            std::fs::rename(name(a), b).unwrap();
            assert_eq!((run(&two), run(&three)), (2.0, 3.0));
            // Every single byte counts.
            let whole = std::fs::read(a).unwrap();
            for at in (0..whole.len()).step_by(1 + whole.len() / 50) {
                let mut bytes = whole.clone();
                bytes[at] ^= 0x10;
                std::fs::write(a, &bytes).unwrap();
                assert_eq!((run(&two), run(&three)), (2.0, 3.0), "byte {at}");
            }
        }
    }
}
