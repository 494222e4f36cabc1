//! The gradient of any ONNX model, file in, files out.

use std::path::{Path, PathBuf};

use kinograd_runtime::{Engine, ModelSource, RuntimeError, SessionOptions};
pub use onnx_grad::Weights;
use onnx_grad::{Gradient, Mode, Model, Request, Seed, TensorInfo};
use serde::Serialize;

use crate::Error;

/// What to differentiate, and into how many files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GradientOptions {
    /// Inputs to differentiate with respect to. If there are none, and no weights either, the first
    /// input that holds floats.
    pub inputs: Vec<String>,
    /// Outputs to differentiate; the first that holds floats if there are none.
    pub outputs: Vec<String>,
    /// Weights that get gradients too.
    pub weights: Weights,
    /// Two graphs, forward and backward, instead of one.
    pub split: bool,
    /// Lengths of free dimensions to count the bytes of activations at.
    pub lengths: Vec<(String, i64)>,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GradientFiles {
    /// The files: one, or forward and backward.
    pub files: Vec<PathBuf>,
    /// Nodes of each file.
    pub nodes: Vec<usize>,
    /// The outputs that are differentiated and the inputs that take their cotangents.
    pub cotangents: Vec<Cotangent>,
    /// The gradients that are returned.
    pub gradients: Vec<GradientOf>,
    /// Weights that are inputs of the written graphs.
    pub weight_inputs: Vec<String>,
    /// Activations that the forward graph keeps for the backward graph.
    pub saved: usize,
    /// Bytes of those; absent where a free dimension's length is not given.
    pub saved_bytes: Option<u64>,
    /// Estimate of the most bytes that one of the two graphs needs at once, weights left out; absent
    /// for one graph, and where a size is not known.
    pub peak_bytes: Option<u64>,
    /// Inputs of the model that the backward graph takes too.
    pub forwarded_inputs: Vec<String>,
    /// The engine that loaded the graphs before they were written; absent where none was tried, or it
    /// runs the model itself neither.
    pub loaded_by: Option<String>,
}

/// An output and the name of the graph input that takes its cotangent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cotangent {
    /// The model's output.
    pub output: String,
    /// The graph's input.
    pub name: String,
}

/// An input or weight and the name of the graph output that is its gradient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GradientOf {
    /// The model's input or weight.
    pub of: String,
    /// The graph's output.
    pub name: String,
}

/// Reads `model`, derives `v ↦ (∂outputs/∂inputs)ᵀ v` and writes it as `path`; with
/// [`GradientOptions::split`] as `NAME-forward.onnx` and `NAME-backward.onnx`.
///
/// `engine`, where it is given, loads the graphs before they are written. Where it cannot run the model
/// itself either, and for models from 2 GiB on, nothing is learnt so ([`GradientFiles::loaded_by`]).
///
/// # Errors
/// [`Error::Gradient`] if the model cannot be read, differentiated or written, [`Error::Runtime`] if the
/// engine loads the model but not its gradient.
pub fn differentiate_file(
    model: &Path,
    path: &Path,
    options: &GradientOptions,
    engine: Option<&dyn Engine>,
) -> Result<GradientFiles, Error> {
    let fail = |source| Error::Gradient {
        path: model.to_path_buf(),
        source,
    };
    let original = Model::read(model).map_err(fail)?;
    let request = request_of(&original, options).map_err(fail)?;
    let lengths: Vec<(&str, i64)> = options
        .lengths
        .iter()
        .map(|(name, length)| (name.as_str(), *length))
        .collect();
    let mut written = GradientFiles::default();
    let (graphs, cotangents, gradients, weights) =
        match onnx_grad::differentiate(&original, &request).map_err(fail)? {
            Gradient::Joint(joint) => (
                vec![(path.to_path_buf(), joint.model)],
                joint.cotangents,
                joint.gradients,
                joint.weights,
            ),
            Gradient::Split(split) => {
                written.saved = split.saved.len();
                written.saved_bytes = split.saved_bytes(&lengths).ok();
                written.peak_bytes = split.peak_bytes(&lengths).ok();
                written.forwarded_inputs = names(split.forwarded_inputs);
                (
                    vec![
                        (beside(path, "forward"), split.forward),
                        (beside(path, "backward"), split.backward),
                    ],
                    split.cotangents,
                    split.gradients,
                    split.weights,
                )
            }
        };
    written.weight_inputs = names(weights);
    let outputs = request.outputs.into_iter().map(|seed| seed.output);
    written.cotangents = outputs
        .zip(names(cotangents))
        .map(|(output, name)| Cotangent { output, name })
        .collect();
    written.gradients = gradients
        .into_iter()
        .map(|gradient| GradientOf {
            of: gradient.input,
            name: gradient.tensor.name,
        })
        .collect();
    if let Some(engine) = engine
        && loads(engine, model, &graphs)?
    {
        written.loaded_by = Some(engine.name().to_owned());
    }
    for (file, graph) in graphs {
        graph.write(&file).map_err(|source| Error::Gradient {
            path: file.clone(),
            source,
        })?;
        written.nodes.push(node_count(&graph));
        written.files.push(file);
    }
    Ok(written)
}

/// Whether an engine loads these graphs; `false` where it does not load the model itself, or all are too
/// large to be held in memory once more.
fn loads(engine: &dyn Engine, model: &Path, graphs: &[(PathBuf, Model)]) -> Result<bool, Error> {
    let options = SessionOptions::default();
    let load = |name: &Path, graph: &Model| {
        let bytes = graph.to_bytes().map_err(|source| Error::Gradient {
            path: name.to_path_buf(),
            source,
        })?;
        let source = ModelSource::memory(name.display().to_string(), bytes);
        engine.load(&source, &options).map_err(Error::from)
    };
    for (name, graph) in graphs {
        let error = match load(name, graph) {
            Ok(_) => continue,
            Err(Error::Gradient { .. }) => return Ok(false),
            Err(error) => error,
        };
        let original = ModelSource::file(model)?;
        // The built-in engine has fewer ops than gradients need.
        let is_missing = matches!(error, Error::Runtime(RuntimeError::UnsupportedOp { .. }));
        if is_missing || engine.load(&original, &options).is_err() {
            return Ok(false);
        }
        return Err(error);
    }
    Ok(true)
}

/// What the options ask of a model.
fn request_of(original: &Model, options: &GradientOptions) -> Result<Request, onnx_grad::Error> {
    let mut inputs = options.inputs.clone();
    if inputs.is_empty() && options.weights == Weights::none() {
        inputs.push(first_float(original, &original.inputs(), "input")?);
    }
    let mut outputs = options.outputs.clone();
    if outputs.is_empty() {
        outputs.push(first_float(original, &original.outputs(), "output")?);
    }
    let seeds: Vec<Seed> = outputs.iter().map(Seed::new).collect();
    Ok(Request {
        outputs: seeds,
        inputs,
        weights: options.weights.clone(),
        mode: if options.split {
            Mode::Split
        } else {
            Mode::Joint
        },
    })
}

fn names(tensors: Vec<TensorInfo>) -> Vec<String> {
    tensors.into_iter().map(|tensor| tensor.name).collect()
}

fn node_count(model: &Model) -> usize {
    model
        .proto()
        .graph
        .as_ref()
        .map_or(0, |graph| graph.node.len())
}

fn first_float(
    model: &Model,
    tensors: &[TensorInfo],
    role: &str,
) -> Result<String, onnx_grad::Error> {
    let float = tensors.iter().find(|tensor| tensor.data_type.is_float());
    if let Some(tensor) = float {
        return Ok(tensor.name.clone());
    }
    Err(match model.quantised_op() {
        Some(op) => onnx_grad::Error::Quantised {
            op: op.to_owned(),
            name: None,
        },
        None => onnx_grad::Error::Request {
            reason: format!("no {role} of the model holds floats"),
        },
    })
}

/// `a/b.onnx` → `a/b-forward.onnx`.
fn beside(path: &Path, part: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{part}.onnx"))
}
