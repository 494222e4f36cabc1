//! Goldens, and the built-in engine to run graphs on.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::{ArrayD, Zip};
use ndarray_npy::NpzReader;
use onnx_grad::{DataType, Model, TensorInfo};
use tract_onnx::prelude::*;

/// A tensor of a golden case.
#[derive(Clone, Debug)]
pub enum Data {
    Float(ArrayD<f32>),
    Int(ArrayD<i64>),
    Bool(ArrayD<bool>),
}

impl Data {
    pub fn float(&self) -> &ArrayD<f32> {
        match self {
            Self::Float(array) => array,
            other => panic!("floats were expected, {other:?} came"),
        }
    }
}

/// One model with inputs, cotangents and the gradients that PyTorch gives for them.
#[derive(Default)]
pub struct Case {
    pub name: String,
    pub model: Vec<u8>,
    pub inputs: BTreeMap<String, Data>,
    pub outputs: BTreeMap<String, ArrayD<f32>>,
    pub cotangents: BTreeMap<String, ArrayD<f32>>,
    pub gradients: BTreeMap<String, ArrayD<f32>>,
}

/// The folders of goldens of ops, by op.
pub fn golden_folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && path.file_name().unwrap().to_string_lossy().starts_with("op_"))
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
        let [name, kind, tensor] = parts[..] else { panic!("odd entry {entry}") };
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
                    Err(_) => match reader.by_name(&entry) {
                        Ok(array) => Data::Int(array),
                        Err(_) => Data::Bool(reader.by_name(&entry).unwrap()),
                    },
                };
                case.inputs.insert(tensor, data);
            }
            "output" => drop(case.outputs.insert(tensor, reader.by_name(&entry).unwrap())),
            "cotangent" => drop(case.cotangents.insert(tensor, reader.by_name(&entry).unwrap())),
            "gradient" => drop(case.gradients.insert(tensor, reader.by_name(&entry).unwrap())),
            other => panic!("odd kind {other}"),
        }
    }
    cases.into_values().collect()
}

fn tract_tensor(data: &Data) -> Tensor {
    match data {
        Data::Float(array) => array.clone().into_tensor(),
        Data::Int(array) => array.clone().into_tensor(),
        Data::Bool(array) => array.clone().into_tensor(),
    }
}

/// Runs a model at the shapes of its inputs.
pub fn run(model: &Model, feeds: &BTreeMap<String, Data>) -> TractResult<BTreeMap<String, Data>> {
    let bytes = model.to_bytes()?;
    let mut graph = tract_onnx::onnx().model_for_read(&mut &bytes[..])?;
    let mut inputs = tvec!();
    for (at, info) in model.inputs().iter().enumerate() {
        let data = feeds.get(&info.name).unwrap_or_else(|| panic!("no input {}", info.name));
        let tensor = tract_tensor(data);
        graph = graph.with_input_fact(at, InferenceFact::dt_shape(tensor.datum_type(), tensor.shape()))?;
        inputs.push(tensor.into());
    }
    let plan = Arc::new(graph.into_optimized()?.into_runnable()?);
    let results = plan.run(inputs)?;
    let names: Vec<TensorInfo> = model.outputs();
    names
        .into_iter()
        .zip(results)
        .map(|(info, value)| {
            let tensor = value.into_tensor();
            let data = match info.data_type {
                DataType::Int64 => {
                    Data::Int(tensor.cast_to::<i64>()?.to_plain_array_view::<i64>()?.to_owned())
                }
                DataType::Bool => Data::Bool(tensor.to_plain_array_view::<bool>()?.to_owned()),
                _ => Data::Float(tensor.cast_to::<f32>()?.to_plain_array_view::<f32>()?.to_owned()),
            };
            Ok((info.name, data))
        })
        .collect()
}

/// Largest |difference| over the largest |value|, at least 1; infinite for different shapes.
pub fn relative_difference(got: &ArrayD<f32>, expected: &ArrayD<f32>) -> f32 {
    if got.shape() != expected.shape() {
        return f32::INFINITY;
    }
    let scale = expected.iter().fold(1.0f32, |scale, x| scale.max(x.abs()));
    Zip::from(got).and(expected).fold(0.0f32, |worst, a, b| {
        let difference = (a - b).abs();
        // NaN has to count as wrong.
        if difference <= worst { worst } else if difference.is_nan() { f32::INFINITY } else { difference }
    }) / scale
}
