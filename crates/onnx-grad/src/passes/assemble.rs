//! From parts of the working graph to models.

use std::collections::HashSet;

use super::check;
use crate::Result;
use crate::graph::Graph;
use crate::graph::write::{self, Part};
use crate::model::Model;
use crate::proto::ModelProto;

/// A part of the graph as a model, whose structure is checked.
pub(crate) fn model(working: &Graph, source: &ModelProto, part: &Part) -> Result<Model> {
    let mut graph = write::graph(working, part, &HashSet::new());
    write::name_nodes(&mut graph);
    check::structure(&graph)?;
    let mut model = ModelProto {
        graph: Some(graph),
        ..without_graph(source)
    };
    model.producer_name = "onnx-grad".into();
    model.producer_version = env!("CARGO_PKG_VERSION").into();
    Ok(Model::from_proto(model))
}

fn without_graph(source: &ModelProto) -> ModelProto {
    let mut opset_import = source.opset_import.clone();
    for import in source
        .functions
        .iter()
        .flat_map(|function| &function.opset_import)
    {
        if !opset_import
            .iter()
            .any(|other| other.domain == import.domain)
        {
            opset_import.push(import.clone());
        }
    }
    ModelProto {
        ir_version: source.ir_version,
        opset_import,
        domain: source.domain.clone(),
        model_version: source.model_version,
        doc_string: source.doc_string.clone(),
        metadata_props: source.metadata_props.clone(),
        ..ModelProto::default()
    }
}
