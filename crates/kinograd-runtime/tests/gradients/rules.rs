//! Every rule against PyTorch's gradient, in both modes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kinograd_runtime::Engine;
use ndarray::ArrayD;
use ndarray_npy::NpzReader;
use onnx_grad::{Mode, Model};

use crate::common::engines;
use crate::{Data, Feeds, gradients, relative_difference, run};

pub const TOLERANCE: f32 = 2e-5;

/// Folders whose gradients need what the built-in engine lacks: control flow, and kernels' gradients
/// with pads, and indices whose number it cannot infer.
const BUILT_IN_LACKS: &[&str] = &[
    "op_if_",
    "op_loop_",
    "op_recurrent",
    "op_conv/kernel_dilated",
    "op_top_k/dynamic",
];

/// Cases that an engine cannot run forwards or computes otherwise, `engine case` in each line.
const LEFT_OUT: &str = include_str!("left_out.txt");

/// One model with inputs, cotangents and the gradients that PyTorch gives for them.
#[derive(Default)]
pub struct Case {
    pub name: String,
    pub model: Vec<u8>,
    pub inputs: Feeds,
    pub outputs: BTreeMap<String, ArrayD<f32>>,
    pub cotangents: BTreeMap<String, ArrayD<f32>>,
    pub gradients: BTreeMap<String, ArrayD<f32>>,
}

impl Case {
    /// Whether an engine can run the model itself, and gives what PyTorch gives.
    pub fn runs_on(&self, engine: &Arc<dyn Engine>) -> bool {
        let lacks = |folder: &str| self.name.starts_with(folder);
        if engine.name() == "built-in" && BUILT_IN_LACKS.iter().any(|folder| lacks(folder)) {
            return false;
        }
        let model = Model::from_bytes(&self.model).unwrap();
        let feeds = self
            .inputs
            .iter()
            .map(|(name, data)| (name.clone(), data.tensor()))
            .collect();
        run(engine, &model, &feeds).is_ok_and(|results| {
            self.outputs.iter().all(|(name, expected)| {
                let got = results.get(name).and_then(|tensor| tensor.to_f32().ok());
                got.is_some_and(|got| relative_difference(&got.into_owned(), expected) < 1e-3)
            })
        })
    }
}

pub fn golden_folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.is_dir()
                && path
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with("op_")
        })
        .collect();
    folders.sort();
    folders
}

/// The cases of `io.npz`, whose entries are called `case|kind|tensor`.
pub fn cases(folder: &Path) -> Vec<Case> {
    let mut reader = NpzReader::new(File::open(folder.join("io.npz")).unwrap()).unwrap();
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for entry in reader.names().unwrap() {
        let parts: Vec<&str> = entry.trim_end_matches(".npy").split('|').collect();
        let [name, kind, tensor] = parts[..] else {
            panic!("odd entry {entry}")
        };
        let case = cases.entry(name.to_owned()).or_default();
        case.name = format!("{}/{name}", folder.file_name().unwrap().to_string_lossy());
        let tensor = tensor.to_owned();
        match kind {
            "model" => {
                let bytes: ArrayD<u8> = reader.by_name(&entry).unwrap();
                case.model = bytes.into_raw_vec_and_offset().0;
            }
            "input" => {
                let data = match reader.by_name(&entry) {
                    Ok(array) => Data::Float(array),
                    Err(_) => Data::Int(reader.by_name(&entry).unwrap()),
                };
                case.inputs.insert(tensor, data);
            }
            "output" => drop(case.outputs.insert(tensor, reader.by_name(&entry).unwrap())),
            "cotangent" => drop(
                case.cotangents
                    .insert(tensor, reader.by_name(&entry).unwrap()),
            ),
            "gradient" => drop(
                case.gradients
                    .insert(tensor, reader.by_name(&entry).unwrap()),
            ),
            other => panic!("odd kind {other}"),
        }
    }
    cases.into_values().collect()
}

#[test]
fn the_built_in_engine_refuses_what_it_gets_wrong() {
    let folder = golden_folders()
        .into_iter()
        .find(|folder| folder.ends_with("op_if_"))
        .unwrap();
    let engine = engines().remove(0);
    assert_eq!(engine.name(), "built-in");
    for case in cases(&folder) {
        let model = Model::from_bytes(&case.model).unwrap();
        let error = run(&engine, &model, &BTreeMap::new()).unwrap_err();
        assert!(error.contains("`If`"), "{}: {error}", case.name);
    }
}

#[test]
fn rules_agree_with_pytorch() {
    let (engines, mut failures, mut count) = (engines(), Vec::new(), 0);
    let mut left_out: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for case in golden_folders().iter().flat_map(|folder| cases(folder)) {
        let model = Model::from_bytes(&case.model).unwrap();
        let wanted: Vec<String> = case.gradients.keys().cloned().collect();
        for engine in &engines {
            if !case.runs_on(engine) {
                let list = left_out.entry(engine.name()).or_default();
                list.push(case.name.clone());
                continue;
            }
            for mode in [Mode::Joint, Mode::Split] {
                count += 1;
                let mut fail = |what: String| {
                    failures.push(format!("{} {} {mode:?}: {what}", case.name, engine.name()));
                };
                match gradients(
                    engine,
                    &model,
                    mode,
                    &case.inputs,
                    &case.cotangents,
                    &wanted,
                ) {
                    Err(error) => fail(error),
                    Ok(results) => {
                        for (input, expected) in &case.gradients {
                            let difference = relative_difference(&results[input], expected);
                            if difference > TOLERANCE {
                                fail(format!("{input} is off by {difference}"));
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(count > 300, "only {count} runs");
    // What an engine cannot run, or computes otherwise than PyTorch, says nothing about our rules.
    let expected: Vec<&str> = LEFT_OUT.lines().filter(|l| !l.starts_with('#')).collect();
    for engine in &engines {
        let found = left_out.remove(engine.name()).unwrap_or_default();
        let prefix = format!("{} ", engine.name());
        let listed = expected
            .iter()
            .filter_map(|line| line.strip_prefix(&prefix));
        let (found, listed): (Vec<&str>, Vec<&str>) =
            (found.iter().map(String::as_str).collect(), listed.collect());
        assert!(
            found == listed,
            "{}: cases left out are\n{}\nand not those of left_out.txt",
            engine.name(),
            found.join("\n")
        );
    }
    assert!(
        failures.is_empty(),
        "{} of {count} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
