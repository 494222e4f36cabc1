use std::collections::BTreeMap;
use std::path::Path;

use onnx_grad::{Dimension, Model, TensorInfo};

use crate::RuntimeError;

/// What an ONNX file holds.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ModelSummary {
    /// Version of the default operator set.
    pub opset: i64,
    /// What the graph takes.
    pub inputs: Vec<TensorSummary>,
    /// What the graph returns.
    pub outputs: Vec<TensorSummary>,
    /// How often each operator occurs.
    pub ops: BTreeMap<String, usize>,
    /// Number of stored weights.
    pub parameters: u64,
}

/// A graph's input or output.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TensorSummary {
    /// Its name.
    pub name: String,
    /// Its element type.
    pub element: String,
    /// Numbers, names of free dimensions, or `?`; `None` where the rank is free too.
    pub shape: Option<Vec<String>>,
}

/// Reads an ONNX file without running it. Weights in other files must lie in its folder.
///
/// # Errors
/// [`RuntimeError::Load`] if the file is no ONNX model or its weights lie elsewhere.
pub fn inspect(path: &Path) -> Result<ModelSummary, RuntimeError> {
    let model = Model::read(path).map_err(|error| RuntimeError::Load {
        model: path.display().to_string(),
        engine: "the reader",
        reason: error.to_string(),
    })?;
    let mut ops = BTreeMap::new();
    let mut parameters = 0;
    if let Some(graph) = &model.proto().graph {
        for node in &graph.node {
            let op = match node.domain.as_str() {
                "" | "ai.onnx" => node.op_type.clone(),
                domain => format!("{domain}.{}", node.op_type),
            };
            *ops.entry(op).or_insert(0) += 1;
        }
        for tensor in &graph.initializer {
            parameters += tensor
                .dims
                .iter()
                .map(|&n| n.max(0) as u64)
                .product::<u64>();
        }
    }
    let summaries = |tensors: Vec<TensorInfo>| tensors.into_iter().map(summary).collect();
    Ok(ModelSummary {
        opset: model.opset(),
        inputs: summaries(model.inputs()),
        outputs: summaries(model.outputs()),
        ops,
        parameters,
    })
}

fn summary(tensor: TensorInfo) -> TensorSummary {
    let dimension = |dimension: &Dimension| match dimension {
        Dimension::Fixed(n) => n.to_string(),
        Dimension::Named(name) => name.clone(),
        Dimension::Unknown => "?".to_owned(),
    };
    TensorSummary {
        name: tensor.name,
        element: format!("{:?}", tensor.data_type).to_lowercase(),
        shape: tensor
            .shape
            .map(|shape| shape.iter().map(dimension).collect()),
    }
}
