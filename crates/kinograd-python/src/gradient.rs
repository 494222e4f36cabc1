//! Gradients of networks.

use std::path::PathBuf;

use kinograd::Error;
use kinograd::gradient::{GradientOptions, Weights, differentiate_file};
use pyo3::prelude::*;

use crate::error::detached;

/// Reads the ONNX file `model` and writes `v ↦ Jᵀv` of it as `path`, or as `NAME-forward.onnx` and
/// `NAME-backward.onnx`. Returns what was written, as JSON.
#[pyfunction]
pub(crate) fn differentiate(
    py: Python<'_>,
    model: PathBuf,
    path: PathBuf,
    inputs: Vec<String>,
    outputs: Vec<String>,
    weights: bool,
    split: bool,
) -> PyResult<String> {
    let options = GradientOptions {
        inputs,
        outputs,
        weights: if weights {
            Weights::all()
        } else {
            Weights::none()
        },
        split,
        ..GradientOptions::default()
    };
    let written = detached(py, || {
        let files = differentiate_file(&model, &path, &options, None)?;
        let json = serde_json::to_string(&files);
        Ok(json.map_err(|error| Error::Internal(error.to_string()))?)
    });
    Ok(written?)
}
