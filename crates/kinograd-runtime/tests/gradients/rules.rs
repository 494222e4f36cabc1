//! Every rule against PyTorch's gradient, in both modes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use ndarray_npy::NpzReader;
use onnx_grad::{Mode, Model};

use crate::common::engines;
use crate::{Data, Feeds, gradients, relative_difference};

pub const TOLERANCE: f32 = 2e-5;

/// Models that the built-in engine cannot run themselves: scales that are not constant, a product of
/// two vectors, negative pads.
pub const BUILT_IN_LACKS: &[&str] = &[
    "op_batch_normalization/affine",
    "op_matmul/dot",
    "op_pad/cropped",
];

/// One model with inputs, cotangents and the gradients that PyTorch gives for them.
#[derive(Default)]
pub struct Case {
    pub name: String,
    pub model: Vec<u8>,
    pub inputs: Feeds,
    pub cotangents: BTreeMap<String, ArrayD<f32>>,
    pub gradients: BTreeMap<String, ArrayD<f32>>,
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
            "output" => {}
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
fn rules_agree_with_pytorch() {
    let (engines, mut failures, mut count) = (engines(), Vec::new(), 0);
    for case in golden_folders().iter().flat_map(|folder| cases(folder)) {
        let model = Model::from_bytes(&case.model).unwrap();
        let wanted: Vec<String> = case.gradients.keys().cloned().collect();
        for engine in &engines {
            if engine.name() == "built-in" && BUILT_IN_LACKS.contains(&case.name.as_str()) {
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
    assert!(
        failures.is_empty(),
        "{} of {count} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
