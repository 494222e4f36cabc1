//! The gradient of any ONNX model, file in, files out.

use std::path::{Path, PathBuf};

use onnx_grad::{DataType, Gradient, Mode, Model, Request, Seed, TensorInfo};
use serde::Serialize;

use crate::Error;

/// What to differentiate, and into how many files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GradientOptions {
    /// Input to differentiate with respect to; the first that holds floats if `None`.
    pub input: Option<String>,
    /// Output to differentiate; the first that holds floats if `None`.
    pub output: Option<String>,
    /// Two graphs, forward and backward, instead of one.
    pub split: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GradientFiles {
    /// The input that the gradient belongs to.
    pub input: String,
    /// The output whose cotangent is taken.
    pub output: String,
    /// Name of the graph input that takes the cotangent.
    pub cotangent: String,
    /// Name of the graph output that is the gradient.
    pub gradient: String,
    /// The files: one, or forward and backward.
    pub files: Vec<PathBuf>,
    /// Activations that the forward graph keeps for the backward graph.
    pub saved: usize,
    /// Nodes of each file.
    pub nodes: Vec<usize>,
}

/// Reads `model`, derives `v ↦ (∂output/∂input)ᵀ v` and writes it as `path`; with
/// [`GradientOptions::split`] as `NAME-forward.onnx` and `NAME-backward.onnx`.
///
/// # Errors
/// [`Error::Gradient`] if the model cannot be read, differentiated or written.
pub fn differentiate_file(
    model: &Path,
    path: &Path,
    options: &GradientOptions,
) -> Result<GradientFiles, Error> {
    let fail = |source| Error::Gradient {
        path: model.to_path_buf(),
        source,
    };
    let original = Model::read(model).map_err(fail)?;
    let input = chosen(options.input.as_ref(), &original.inputs(), "input").map_err(fail)?;
    let output = chosen(options.output.as_ref(), &original.outputs(), "output").map_err(fail)?;
    let seed = Seed::new(&output);
    let cotangent = seed.cotangent_name();
    let request = Request {
        outputs: vec![seed],
        inputs: vec![input.clone()],
        mode: if options.split {
            Mode::Split
        } else {
            Mode::Joint
        },
    };
    let (graphs, gradients, saved) =
        match onnx_grad::differentiate(&original, &request).map_err(fail)? {
            Gradient::Joint(joint) => (vec![(path.to_path_buf(), joint.model)], joint.gradients, 0),
            Gradient::Split(split) => (
                vec![
                    (beside(path, "forward"), split.forward),
                    (beside(path, "backward"), split.backward),
                ],
                split.gradients,
                split.saved.len(),
            ),
        };
    let gradient = gradients
        .first()
        .map_or_else(String::new, |gradient| gradient.tensor.name.clone());
    for (file, graph) in &graphs {
        graph.write(file).map_err(|source| Error::Gradient {
            path: file.clone(),
            source,
        })?;
    }
    Ok(GradientFiles {
        input,
        output,
        cotangent,
        gradient,
        saved,
        nodes: graphs.iter().map(|(_, graph)| node_count(graph)).collect(),
        files: graphs.into_iter().map(|(file, _)| file).collect(),
    })
}

fn node_count(model: &Model) -> usize {
    model
        .proto()
        .graph
        .as_ref()
        .map_or(0, |graph| graph.node.len())
}

fn chosen(
    name: Option<&String>,
    tensors: &[TensorInfo],
    role: &str,
) -> Result<String, onnx_grad::Error> {
    if let Some(name) = name {
        return Ok(name.clone());
    }
    tensors
        .iter()
        .find(|tensor| tensor.data_type == DataType::Float32)
        .map(|tensor| tensor.name.clone())
        .ok_or_else(|| onnx_grad::Error::Request {
            reason: format!("no {role} of the model holds 32-bit floats"),
        })
}

/// `a/b.onnx` → `a/b-forward.onnx`.
fn beside(path: &Path, part: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{part}.onnx"))
}
