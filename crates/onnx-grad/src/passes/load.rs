//! From a model to the working graph: opset and domains checked, functions expanded.

use super::functions;
use crate::graph::Graph;
use crate::graph::read::add_graph;
use crate::model::Model;
use crate::{Error, Result, rules};

pub(crate) fn graph_from_model(model: &Model) -> Result<Graph> {
    let opset = model.opset();
    if !(13..=24).contains(&opset) {
        return Err(Error::UnsupportedOpset { opset });
    }
    let proto = model.proto();
    let invalid = |reason: String| Error::Invalid { reason };
    let Some(main) = proto.graph.as_ref() else {
        return Err(invalid("it holds no graph".into()));
    };
    if let Some(sparse) = main.sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", |v| v.name.as_str());
        return Err(invalid(format!(
            "sparse initializer `{name}` is not supported: store it densely"
        )));
    }
    let nodes = functions::expand(proto, &main.node)?;
    let imports = proto.opset_import.iter();
    let domains = imports.filter_map(|import| Some((import.domain.clone(), import.version?)));
    let mut graph = Graph::new(&rules::Registry, opset, domains.collect());
    add_graph(&mut graph, main, &nodes)?;
    Ok(graph)
}
