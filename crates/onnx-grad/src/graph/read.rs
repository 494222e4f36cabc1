//! From messages to the working graph: constants lifted, nodes sorted.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::dim::Dim;
use super::{Graph, Node, V, Value};
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::model::{Dimension, TensorInfo};
use crate::proto::{GraphProto, NodeProto, TensorProto};
use crate::tensor;
use crate::{Error, Result};

pub(crate) fn invalid(reason: String) -> Error {
    Error::Invalid { reason }
}

/// Adds a graph's inputs, initializers and nodes; `nodes` stand for the graph's own.
pub(crate) fn add_graph(graph: &mut Graph, proto: &GraphProto, nodes: &[NodeProto]) -> Result<()> {
    let mut index = add_sources(graph, proto)?;
    graph.outputs = add_nodes(graph, proto, nodes, &mut index)?;
    Ok(())
}

/// Adds the nodes of a body of control flow, whose inputs and captured values are in `index`.
pub(crate) fn add_body(
    graph: &mut Graph,
    proto: &GraphProto,
    index: &mut HashMap<String, V>,
) -> Result<Vec<V>> {
    for tensor in &proto.initializer {
        let v = add_tensor(graph, "initializer", tensor.clone())?;
        index.insert(tensor.name.clone(), v);
    }
    add_nodes(graph, proto, &proto.node, index)
}

/// Adds nodes in the order of their dependencies; returns the outputs of the graph.
fn add_nodes(
    graph: &mut Graph,
    proto: &GraphProto,
    nodes: &[NodeProto],
    index: &mut HashMap<String, V>,
) -> Result<Vec<V>> {
    collect_names(nodes, &mut graph.names);
    let hints: HashMap<String, TensorInfo> = proto
        .value_info
        .iter()
        .chain(&proto.output)
        .map(|info| (info.name.clone(), TensorInfo::from_proto(info)))
        .collect();
    let given = |name: &str| index.contains_key(name);
    let order = sorted(nodes, &given, false)?;
    for at in order {
        add_node(graph, &nodes[at], index, &hints)?;
    }
    proto
        .output
        .iter()
        .map(|info| {
            let v = index.get(&info.name).copied();
            v.ok_or_else(|| invalid(format!("output `{}` is computed by no node", info.name)))
        })
        .collect()
}

fn add_tensor(graph: &mut Graph, what: &str, tensor: TensorProto) -> Result<V> {
    tensor::check(&tensor)
        .map_err(|reason| invalid(format!("{what} `{}`: {reason}", tensor.name)))?;
    Ok(graph.add_tensor(tensor.name.clone(), Rc::new(tensor)))
}

fn add_sources(graph: &mut Graph, proto: &GraphProto) -> Result<HashMap<String, V>> {
    let mut index = HashMap::new();
    for tensor in &proto.initializer {
        let v = add_tensor(graph, "initializer", tensor.clone())?;
        graph.stored.insert(v);
        if index.insert(tensor.name.clone(), v).is_some() {
            return Err(invalid(format!("two initializers `{}`", tensor.name)));
        }
    }
    let mut inputs = HashSet::new();
    for info in &proto.input {
        if !inputs.insert(&info.name) {
            return Err(invalid(format!("two inputs `{}`", info.name)));
        }
        // Old files list their weights as inputs too.
        if index.contains_key(&info.name) {
            continue;
        }
        let info = TensorInfo::from_proto(info);
        let shape = info.shape.as_ref().map(|dims| dims_from(graph, dims));
        let v = graph.add_input(info.name.clone(), info.data_type, shape);
        graph.inputs.push(v);
        index.insert(info.name, v);
    }
    Ok(index)
}

fn dims_from(graph: &mut Graph, dims: &[Dimension]) -> Vec<Dim> {
    dims.iter()
        .map(|dim| match dim {
            Dimension::Fixed(n) => Dim::known(*n),
            Dimension::Named(name) => graph.symbols.described(name),
            Dimension::Unknown => graph.symbols.fresh(),
        })
        .collect()
}

fn collect_names(nodes: &[NodeProto], names: &mut HashSet<String>) {
    for node in nodes {
        names.extend(node.output.iter().cloned());
        names.extend(node.input.iter().cloned());
        names.insert(node.name.clone());
        for graph in node.subgraphs() {
            names.extend(graph.input.iter().map(|info| info.name.clone()));
            names.extend(graph.initializer.iter().map(|t| t.name.clone()));
            collect_names(&graph.node, names);
        }
    }
}

impl NodeProto {
    pub(crate) fn subgraphs(&self) -> impl Iterator<Item = &GraphProto> {
        self.attribute.iter().flat_map(|a| a.subgraphs())
    }
}

/// Names that the subgraphs of a node read from outside.
pub(crate) fn captured(node: &NodeProto) -> BTreeSet<String> {
    node.subgraphs().flat_map(captured_by).collect()
}

/// Names that a body reads from around it.
pub(crate) fn captured_by(body: &GraphProto) -> BTreeSet<String> {
    let mut own: HashSet<&str> = body.input.iter().map(|info| info.name.as_str()).collect();
    own.extend(body.initializer.iter().map(|t| t.name.as_str()));
    let computed = body.node.iter().flat_map(|n| &n.output);
    own.extend(computed.map(String::as_str));
    let reads = body.node.iter().flat_map(|n| {
        let mut names = captured(n);
        names.extend(n.input.iter().cloned());
        names
    });
    let returned = body.output.iter().map(|info| info.name.clone());
    reads
        .chain(returned)
        .filter(|name| !name.is_empty() && !own.contains(name.as_str()))
        .collect()
}

/// The order in which nodes can run, stable for files that are sorted already. `given` are the names
/// that are there before; in a body, nodes may read others too, which come from around.
fn sorted(nodes: &[NodeProto], given: &dyn Fn(&str) -> bool, is_body: bool) -> Result<Vec<usize>> {
    let mut producer: HashMap<&str, usize> = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            if given(name) || producer.insert(name, at).is_some() {
                return Err(invalid(format!("two values are called `{name}`")));
            }
        }
    }
    let mut missing = vec![0usize; nodes.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        let mut names = captured(node);
        names.extend(node.input.iter().filter(|n| !n.is_empty()).cloned());
        for name in names {
            if let Some(&from) = producer.get(name.as_str()) {
                missing[at] += 1;
                readers[from].push(at);
            } else if !given(&name) && !is_body {
                return Err(invalid(format!(
                    "node `{}` ({}) reads `{name}`, which nothing computes",
                    node.name, node.op_type
                )));
            }
        }
    }
    match kahn(missing, &readers) {
        Ok(order) => Ok(order),
        Err(at) => Err(Error::Cycle {
            node: nodes[at].name.clone(),
        }),
    }
}

/// Kahn's order, given how many nodes each waits for and who waits for it; or a node on a circle.
fn kahn(mut missing: Vec<usize>, readers: &[Vec<usize>]) -> Result<Vec<usize>, usize> {
    let all = 0..missing.len();
    let mut ready: BTreeSet<usize> = all.clone().filter(|&at| missing[at] == 0).collect();
    let mut order = Vec::with_capacity(missing.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for &reader in &readers[at] {
            missing[reader] -= 1;
            if missing[reader] == 0 {
                ready.insert(reader);
            }
        }
    }
    match all.into_iter().find(|&at| missing[at] > 0) {
        None => Ok(order),
        Some(at) => Err(at),
    }
}

/// Sorts a body of the model, and those within it, as they are written again as they are.
fn sort_body(body: &mut GraphProto) -> Result<()> {
    let mut own: HashSet<&str> = body.input.iter().map(|info| info.name.as_str()).collect();
    own.extend(body.initializer.iter().map(|tensor| tensor.name.as_str()));
    let order = sorted(&body.node, &|name| own.contains(name), true)?;
    if !order.is_sorted() {
        body.node = order.iter().map(|&at| body.node[at].clone()).collect();
    }
    let attributes = body.node.iter_mut().flat_map(|node| &mut node.attribute);
    for inner in attributes.flat_map(|attribute| attribute.subgraphs_mut()) {
        sort_body(inner)?;
    }
    Ok(())
}

fn add_node(
    graph: &mut Graph,
    proto: &NodeProto,
    index: &mut HashMap<String, V>,
    hints: &HashMap<String, TensorInfo>,
) -> Result<()> {
    if let Some(tensor) = constant_tensor(proto) {
        let v = add_tensor(graph, "constant", tensor)?;
        index.insert(graph.value(v).name.clone(), v);
        return Ok(());
    }
    let find = |name: &String| index.get(name).copied();
    let mut node = Node {
        op: proto.op_type.clone(),
        domain: if proto.domain == "ai.onnx" {
            String::new()
        } else {
            proto.domain.clone()
        },
        name: proto.name.clone(),
        inputs: proto.input.iter().map(find).collect(),
        captures: captured(proto).iter().filter_map(find).collect(),
        attributes: proto.attribute.clone(),
        ..Node::default()
    };
    for attribute in &mut node.attributes {
        // Doc strings would hide that two nodes compute the same.
        attribute.doc_string.clear();
        for body in attribute.subgraphs_mut() {
            sort_body(body)?;
        }
    }
    for name in &proto.output {
        let v = (!name.is_empty())
            .then(|| graph.push_value(Value::new(name.clone(), DataType::Other(0))));
        node.outputs.push(v);
        if let Some(v) = v {
            index.insert(name.clone(), v);
        }
    }
    let outputs = node.outputs.clone();
    graph.push_node(node);
    for v in outputs.into_iter().flatten() {
        if let Some(info) = hints.get(&graph.value(v).name) {
            apply_hint(graph, v, info);
        }
    }
    Ok(())
}

/// Fills what inference left open with what the file says.
fn apply_hint(graph: &mut Graph, v: V, info: &TensorInfo) {
    if matches!(graph.data_type(v), DataType::Other(_)) {
        graph.value_mut(v).data_type = info.data_type;
    }
    let Some(hinted) = &info.shape else { return };
    match graph.value(v).shape.clone() {
        None => {
            let shape = dims_from(graph, hinted);
            graph.value_mut(v).shape = Some(shape);
        }
        Some(mut shape) if shape.len() == hinted.len() => {
            for (dim, hint) in shape.iter_mut().zip(hinted) {
                match hint {
                    Dimension::Fixed(n) if dim.as_known().is_none() => {
                        graph.symbols.learn(dim, &Dim::known(*n));
                        *dim = Dim::known(*n);
                    }
                    Dimension::Named(name) if graph.symbols.is_fresh(dim) => {
                        let named = graph.symbols.described(name);
                        graph.symbols.learn(dim, &named);
                        *dim = named;
                    }
                    _ => {}
                }
            }
            graph.value_mut(v).shape = Some(shape);
        }
        Some(_) => {}
    }
}

/// What a `Constant` node stores.
fn constant_tensor(node: &NodeProto) -> Option<TensorProto> {
    if node.op_type != "Constant" || !(node.domain.is_empty() || node.domain == "ai.onnx") {
        return None;
    }
    let (name, attribute) = (node.output.first()?, node.attribute.first()?);
    let float = |values: &[f32], dims: &[i64]| TensorProto {
        dims: dims.to_vec(),
        data_type: Some(DataType::Float32.code()),
        float_data: values.to_vec(),
        ..TensorProto::default()
    };
    let int = |values: &[i64], dims: &[i64]| TensorProto {
        dims: dims.to_vec(),
        data_type: Some(DataType::Int64.code()),
        int64_data: values.to_vec(),
        ..TensorProto::default()
    };
    let mut tensor = match attribute.name.as_str() {
        "value" => attribute.t.as_deref().cloned()?,
        "value_float" => float(&[attribute.f?], &[]),
        "value_floats" => float(&attribute.floats, &[to_i64(attribute.floats.len())]),
        "value_int" => int(&[attribute.i?], &[]),
        "value_ints" => int(&attribute.ints, &[to_i64(attribute.ints.len())]),
        _ => return None,
    };
    tensor.name.clone_from(name);
    Some(tensor)
}
