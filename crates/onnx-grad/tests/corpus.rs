//! The fuzzer's corpus, and mutations of it, as ordinary tests: see `fuzz/`.
//!
//! `ONNX_GRAD_FUZZ_SECONDS=600 cargo test --release -p onnx-grad --test corpus` searches longer; what
//! it finds is written to the folder for temporary files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests may; the lint only sees functions marked as tests"
)]

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use onnx_grad::Model;
use onnx_grad::proto::{
    AttributeProto, DimensionValue, GraphProto, ModelProto, NodeProto, TensorProto, TypeValue,
    ValueInfoProto,
};

/// The slowest that one input may be, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |path: PathBuf| (path.clone(), fs::read(path).unwrap());
    files.into_iter().map(read).collect()
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n.max(1)
    }

    fn number(&mut self) -> i64 {
        let odd = [
            0,
            1,
            -1,
            2,
            3,
            7,
            -7,
            64,
            1 << 31,
            -(1 << 31),
            i64::MAX,
            i64::MIN,
            1 << 40,
        ];
        odd[self.below(odd.len())]
    }
}

/// Bytes changed, cut out or doubled.
fn damaged(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let (at, length) = (random.below(bytes.len()), random.below(16));
        let end = (at + length).min(bytes.len());
        match random.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes[at] = u8::try_from(random.below(256)).unwrap(),
        }
    }
    bytes
}

fn mutate_graph(random: &mut Random, graph: &mut GraphProto, ops: &[&'static str], depth: usize) {
    let names: Vec<String> = graph
        .node
        .iter()
        .flat_map(|node| node.input.iter().chain(&node.output))
        .chain(graph.input.iter().map(|info| &info.name))
        .cloned()
        .collect();
    let at = random.below(graph.node.len());
    let node = graph.node.get_mut(at);
    match (random.below(12), node) {
        (kind @ 0..=5, Some(node)) => mutate_node(random, kind, node, &names, ops),
        (6 | 7, _) => {
            let slot = random.below(graph.initializer.len());
            if let Some(tensor) = graph.initializer.get_mut(slot) {
                mutate_tensor(random, tensor);
            }
        }
        (8 | 9, _) => {
            let slot = random.below(graph.input.len());
            if let Some(info) = graph.input.get_mut(slot) {
                mutate_input(random, info);
            }
        }
        (10, Some(node)) => {
            let node = node.clone();
            graph.node.push(node);
        }
        (_, Some(node)) if depth < 4 => {
            let attributes = node.attribute.iter_mut();
            if let Some(body) = attributes.filter_map(|a| a.g.as_deref_mut()).next() {
                mutate_graph(random, body, ops, depth + 1);
            }
        }
        _ => {}
    }
}

fn mutate_node(
    random: &mut Random,
    kind: usize,
    node: &mut NodeProto,
    names: &[String],
    ops: &[&'static str],
) {
    match kind {
        0 | 1 => {
            let slot = random.below(node.input.len());
            if let Some(input) = node.input.get_mut(slot) {
                input.clone_from(&names[random.below(names.len())]);
            }
        }
        2 => node.op_type = ops[random.below(ops.len())].to_owned(),
        3 if random.below(2) == 0 && !names.is_empty() => {
            node.input.push(names[random.below(names.len())].clone());
        }
        3 => drop(node.input.pop()),
        4 => {
            let slot = random.below(node.attribute.len());
            if let Some(attribute) = node.attribute.get_mut(slot) {
                mutate_attribute(random, attribute);
            }
        }
        _ => {
            let slot = random.below(node.attribute.len());
            if slot < node.attribute.len() {
                node.attribute.remove(slot);
            }
        }
    }
}

fn mutate_attribute(random: &mut Random, attribute: &mut AttributeProto) {
    match random.below(3) {
        0 => attribute.i = Some(random.number()),
        1 => {
            let number = random.number();
            match attribute.ints.first_mut() {
                Some(first) => *first = number,
                None => attribute.ints.push(number),
            }
        }
        _ => attribute.ints.truncate(1),
    }
}

fn mutate_tensor(random: &mut Random, tensor: &mut TensorProto) {
    if let Some(raw) = &tensor.raw_data
        && random.below(2) == 0
    {
        let mut raw = raw.to_vec();
        let at = random.below(raw.len());
        if let Some(byte) = raw.get_mut(at) {
            *byte = u8::try_from(random.below(256)).unwrap();
        }
        tensor.raw_data = Some(raw.into());
        return;
    }
    match tensor.int64_data.first_mut() {
        Some(first) => *first = random.number(),
        None => tensor.dims.push(random.number()),
    }
}

fn mutate_input(random: &mut Random, info: &mut ValueInfoProto) {
    let Some(TypeValue::TensorType(tensor)) = info.r#type.as_mut().and_then(|t| t.value.as_mut())
    else {
        return;
    };
    let dim = tensor.shape.as_mut().and_then(|shape| {
        let at = random.below(shape.dim.len());
        shape.dim.get_mut(at)
    });
    match dim {
        Some(dim) if random.below(3) > 0 => {
            dim.value = Some(DimensionValue::DimValue(random.number()));
        }
        Some(dim) => dim.value = None,
        None => tensor.elem_type = Some(i32::try_from(random.below(20)).unwrap()),
    }
    if random.below(8) == 0 {
        tensor.shape = None;
    }
}

/// A model that still is one, changed in a few places.
fn twisted(random: &mut Random, bytes: &[u8], ops: &[&'static str]) -> Option<Vec<u8>> {
    let mut proto: ModelProto = Model::from_bytes(bytes).ok()?.proto().clone();
    let graph = proto.graph.as_mut()?;
    for _ in 0..=random.below(3) {
        mutate_graph(random, graph, ops, 0);
    }
    Model::from_proto(proto).to_bytes().ok()
}

/// Runs both targets; a panic or a slow input is kept in a file and reported.
fn survives(bytes: &[u8], what: &str) -> bool {
    let started = Instant::now();
    let run = catch_unwind(AssertUnwindSafe(|| {
        targets::read(bytes);
        targets::rewrite(bytes);
    }));
    let slow = started.elapsed() > PATIENCE;
    if run.is_ok() && !slow {
        return true;
    }
    let path = std::env::temp_dir().join(format!("onnx-grad-found-{what}.onnx"));
    fs::write(&path, bytes).unwrap();
    eprintln!(
        "{}: {} after {:?}",
        path.display(),
        if slow { "slow" } else { "panic" },
        started.elapsed()
    );
    false
}

#[test]
fn the_corpus_is_survived() {
    let corpus = corpus();
    assert!(corpus.len() > 30);
    for (path, bytes) in corpus {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(survives(&bytes, &name), "{}", path.display());
    }
}

#[test]
fn mutations_of_the_corpus_are_survived() {
    let seconds = std::env::var("ONNX_GRAD_FUZZ_SECONDS")
        .ok()
        .and_then(|s| s.parse().ok());
    let ops: Vec<&'static str> = onnx_grad::supported_ops().map(|op| op.name).collect();
    let corpus = corpus();
    let seed = if seconds.is_some() {
        std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
    } else {
        1
    };
    let mut random = Random(seed);
    let (started, mut tried, mut found) = (Instant::now(), 0, 0);
    loop {
        match seconds {
            Some(seconds) if started.elapsed() > Duration::from_secs(seconds) => break,
            None if tried >= 3000 => break,
            _ => {}
        }
        let bytes = &corpus[random.below(corpus.len())].1;
        let input = match random.below(4) {
            0 => Some(damaged(&mut random, bytes)),
            _ => twisted(&mut random, bytes, &ops),
        };
        tried += 1;
        if let Some(input) = input
            && !survives(&input, &format!("{seed}-{tried}"))
        {
            found += 1;
        }
    }
    eprintln!("{tried} inputs");
    assert!(
        found == 0,
        "{found} of {tried} inputs, kept in {}",
        std::env::temp_dir().display()
    );
}
