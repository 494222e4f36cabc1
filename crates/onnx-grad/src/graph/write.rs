//! From the working graph back to messages.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Graph, Origin, V};
use crate::model::{Dimension, TensorInfo};
use crate::proto::{DimensionValue, GraphProto, NodeProto, ValueInfoProto};

/// What one output model is made of.
pub(crate) struct Part<'a> {
    pub(crate) name: &'a str,
    pub(crate) inputs: Vec<V>,
    /// Values and the names they get; a value under a name not its own is copied by an Identity.
    pub(crate) outputs: Vec<(V, String)>,
}

/// The nodes and weights that a part needs.
pub(crate) fn reached(
    graph: &Graph,
    part: &Part,
    outside: &HashSet<V>,
) -> (BTreeSet<usize>, BTreeSet<V>) {
    let given: HashSet<V> = part.inputs.iter().chain(outside).copied().collect();
    let mut nodes: BTreeSet<usize> = BTreeSet::new();
    let mut weights: BTreeSet<V> = BTreeSet::new();
    let mut seen: HashSet<V> = HashSet::new();
    let mut queue: Vec<V> = part.outputs.iter().map(|(v, _)| *v).collect();
    while let Some(v) = queue.pop() {
        if given.contains(&v) || !seen.insert(v) {
            continue;
        }
        match graph.value(v).origin {
            Origin::Input => {}
            Origin::Initializer(_) => {
                weights.insert(v);
            }
            Origin::Node(at) => {
                if nodes.insert(at) {
                    queue.extend(graph.nodes[at].reads());
                }
            }
        }
    }
    (nodes, weights)
}

/// The nodes and weights that lead from `part.inputs` and values around the graph to
/// `part.outputs`.
pub(crate) fn graph(graph: &Graph, part: &Part, outside: &HashSet<V>) -> GraphProto {
    let (nodes, weights) = reached(graph, part, outside);
    let given: HashSet<V> = part.inputs.iter().chain(outside).copied().collect();
    let mut out: Vec<NodeProto> = nodes
        .iter()
        .map(|&at| node_proto(graph, at, &given))
        .collect();
    for (v, name) in &part.outputs {
        let value = graph.value(*v);
        if &value.name != name {
            out.push(NodeProto {
                op_type: "Identity".into(),
                name: format!("{name}/Identity"),
                input: vec![value.name.clone()],
                output: vec![name.clone()],
                ..NodeProto::default()
            });
        }
    }
    let initializer = weights
        .iter()
        .filter_map(|&v| {
            let mut tensor = graph.tensor(v)?.as_ref().clone();
            tensor.name.clone_from(&graph.value(v).name);
            Some(tensor)
        })
        .collect();
    GraphProto {
        node: out,
        name: part.name.to_owned(),
        initializer,
        input: part
            .inputs
            .iter()
            .map(|&v| value_info(graph, v, &graph.value(v).name))
            .collect(),
        output: part
            .outputs
            .iter()
            .map(|(v, name)| value_info(graph, *v, name))
            .collect(),
        ..GraphProto::default()
    }
}

fn node_proto(graph: &Graph, at: usize, given: &HashSet<V>) -> NodeProto {
    let node = &graph.nodes[at];
    let name = |slot: &Option<V>| slot.map_or_else(String::new, |v| graph.value(v).name.clone());
    // A node that is run again for one output does not compute those that came in as inputs.
    let output = |slot: &Option<V>| match slot {
        Some(v) if given.contains(v) => format!("grad/again/{}", graph.value(*v).name),
        _ => name(slot),
    };
    NodeProto {
        input: node.inputs.iter().map(name).collect(),
        output: node.outputs.iter().map(output).collect(),
        name: node.name.clone(),
        op_type: node.op.clone(),
        domain: node.domain.clone(),
        attribute: node.attributes.clone(),
        ..NodeProto::default()
    }
}

/// Gives every node of a graph a name of its own, those of its bodies too: names are optional in ONNX,
/// in functions above all, but ONNX Runtime takes none twice.
pub(crate) fn name_nodes(graph: &mut GraphProto) {
    let mut counts = HashMap::new();
    count_node_names(graph, &mut counts);
    rename_nodes(graph, &mut counts);
}

/// A name, and how often it was given: 0 where it is only in the file so far.
type NameCounts = HashMap<String, usize>;

fn count_node_names(graph: &GraphProto, counts: &mut NameCounts) {
    for node in &graph.node {
        counts.insert(node.name.clone(), 0);
        for body in node.attribute.iter().flat_map(|a| a.subgraphs()) {
            count_node_names(body, counts);
        }
    }
}

fn rename_nodes(graph: &mut GraphProto, counts: &mut NameCounts) {
    for node in &mut graph.node {
        let given = counts.get(&node.name).copied().unwrap_or(0);
        // Nodes without a name may stay so.
        if !node.name.is_empty() {
            let mut number = given + 1;
            if given > 0 {
                while counts.contains_key(&format!("{}_{number}", node.name)) {
                    number += 1;
                }
            }
            counts.insert(node.name.clone(), number);
            if given > 0 {
                node.name = format!("{}_{number}", node.name);
                counts.insert(node.name.clone(), 1);
            }
        }
        for attribute in &mut node.attribute {
            for body in attribute.subgraphs_mut() {
                rename_nodes(body, counts);
            }
        }
    }
}

/// Name, type and shape of a value for callers.
pub(crate) fn tensor_info(graph: &Graph, v: V, name: &str) -> TensorInfo {
    TensorInfo {
        name: name.to_owned(),
        data_type: graph.data_type(v),
        shape: graph.shape(v).map(|shape| {
            shape
                .iter()
                .map(|dim| match dim.as_known() {
                    Some(n) => Dimension::Fixed(n),
                    None => Dimension::Named(graph.symbols.text(dim)),
                })
                .collect()
        }),
    }
}

fn value_info(graph: &Graph, v: V, name: &str) -> ValueInfoProto {
    let info = tensor_info(graph, v, name);
    let dims = info.shape.map(|dims| {
        let value = |dim| match dim {
            Dimension::Fixed(n) => Some(DimensionValue::DimValue(n)),
            Dimension::Named(name) => Some(DimensionValue::DimParam(name)),
            Dimension::Unknown => None,
        };
        dims.into_iter().map(value).collect()
    });
    ValueInfoProto::tensor(name, info.data_type, dims)
}
