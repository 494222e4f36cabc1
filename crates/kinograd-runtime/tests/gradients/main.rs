//! Gradients that onnx-grad derives, run by every engine of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests may; the lint only sees functions marked as tests"
)]

#[path = "../common/mod.rs"]
mod common;
mod random_graphs;
mod rules;
mod weights;

use std::collections::BTreeMap;
use std::sync::Arc;

use kinograd_runtime::{Engine, ModelSource, SessionOptions, Tensor};
use ndarray::{ArrayD, Zip};
use onnx_grad::{Gradient, Mode, Model, Request, Seed, differentiate};

/// Inputs of a graph by name.
#[derive(Clone, Debug)]
enum Data {
    Float(ArrayD<f32>),
    Int(ArrayD<i64>),
}

impl Data {
    fn tensor(&self) -> Tensor {
        match self {
            Self::Float(array) => array.clone().into(),
            Self::Int(array) => array.clone().into(),
        }
    }
}

type Feeds = BTreeMap<String, Data>;

/// All outputs of a graph; inputs that it does not have are left out.
fn run(
    engine: &Arc<dyn Engine>,
    model: &Model,
    feeds: &BTreeMap<String, Tensor>,
) -> Result<BTreeMap<String, Tensor>, String> {
    let text = |error: kinograd_runtime::RuntimeError| format!("{}: {error}", engine.name());
    let bytes = model.to_bytes().map_err(|error| error.to_string())?;
    let source = ModelSource::memory("graph", bytes);
    let mut session = engine
        .load(&source, &SessionOptions::default())
        .map_err(text)?;
    let inputs: Vec<String> = session.inputs().to_vec();
    let outputs: Vec<String> = session.outputs().to_vec();
    let given: Vec<(&str, &Tensor)> = inputs
        .iter()
        .map(|name| (name.as_str(), &feeds[name.as_str()]))
        .collect();
    let wanted: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let results = session.run(&given, &wanted).map_err(text)?;
    Ok(outputs.into_iter().zip(results).collect())
}

/// The gradients of a model at `inputs`, by input.
fn gradients(
    engine: &Arc<dyn Engine>,
    model: &Model,
    mode: Mode,
    inputs: &Feeds,
    cotangents: &BTreeMap<String, ArrayD<f32>>,
    wanted: &[String],
) -> Result<BTreeMap<String, ArrayD<f32>>, String> {
    let request = Request {
        outputs: cotangents.keys().map(Seed::new).collect(),
        inputs: wanted.to_vec(),
        mode,
        ..Request::default()
    };
    let mut feeds: BTreeMap<String, Tensor> = inputs
        .iter()
        .map(|(name, data)| (name.clone(), data.tensor()))
        .collect();
    for (output, cotangent) in cotangents {
        feeds.insert(format!("{output}_cotangent"), cotangent.clone().into());
    }
    let mut results = match differentiate(model, &request).map_err(|error| error.to_string())? {
        Gradient::Joint(joint) => run(engine, &joint.model, &feeds)?,
        Gradient::Split(split) => {
            feeds.extend(run(engine, &split.forward, &feeds)?);
            run(engine, &split.backward, &feeds)?
        }
    };
    wanted
        .iter()
        .map(|input| {
            let tensor = results
                .remove(&format!("{input}_gradient"))
                .ok_or("no gradient")?;
            Ok((
                input.clone(),
                tensor.into_f32().map_err(|error| error.to_string())?,
            ))
        })
        .collect()
}

/// Largest |difference| over the largest |value|, at least 1; infinite for different shapes or NaN.
fn relative_difference(got: &ArrayD<f32>, expected: &ArrayD<f32>) -> f32 {
    if got.shape() != expected.shape() {
        return f32::INFINITY;
    }
    let scale = expected.iter().fold(1.0f32, |scale, x| scale.max(x.abs()));
    Zip::from(got).and(expected).fold(0.0f32, |worst, a, b| {
        let difference = (a - b).abs();
        if difference.is_nan() {
            f32::INFINITY
        } else {
            worst.max(difference)
        }
    }) / scale
}
