//! Model-local functions are put in place of the nodes that call them.

use std::collections::HashMap;

use crate::proto::{AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto};
use crate::{Error, Result};

const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 1_000_000;

type Table<'a> = HashMap<(&'a str, &'a str, &'a str), &'a FunctionProto>;

/// The nodes with every call of a function of this model expanded.
pub(crate) fn expand(model: &ModelProto, nodes: &[NodeProto]) -> Result<Vec<NodeProto>> {
    let table: Table = model
        .functions
        .iter()
        .map(|f| ((f.domain.as_str(), f.name.as_str(), f.overload.as_str()), f))
        .collect();
    if table.is_empty() {
        return Ok(nodes.to_vec());
    }
    let mut out = Vec::new();
    let mut calls = 0;
    expand_into(&table, nodes, 0, &mut calls, &mut out)?;
    Ok(out)
}

fn expand_into(
    table: &Table,
    nodes: &[NodeProto],
    depth: usize,
    calls: &mut usize,
    out: &mut Vec<NodeProto>,
) -> Result<()> {
    for node in nodes {
        let key = (
            node.domain.as_str(),
            node.op_type.as_str(),
            node.overload.as_str(),
        );
        let Some(function) = table.get(&key) else {
            let mut node = node.clone();
            for attribute in &mut node.attribute {
                for graph in attribute.subgraphs_mut() {
                    let mut body = Vec::new();
                    expand_into(table, &graph.node, depth + 1, calls, &mut body)?;
                    graph.node = body;
                }
            }
            out.push(node);
            if out.len() > MAX_NODES {
                return Err(Error::Invalid {
                    reason: format!("its functions expand to more than {MAX_NODES} nodes"),
                });
            }
            continue;
        };
        if depth >= MAX_DEPTH || *calls > MAX_NODES {
            return Err(Error::Invalid {
                reason: format!(
                    "function `{}` calls itself, or calls nest too deep",
                    function.name
                ),
            });
        }
        *calls += 1;
        let body = instance(function, node, *calls);
        expand_into(table, &body, depth + 1, calls, out)?;
    }
    Ok(())
}

/// The function's nodes under names of their own, attributes filled in.
fn instance(function: &FunctionProto, call: &NodeProto, number: usize) -> Vec<NodeProto> {
    let prefix = format!("{}/call{number}", function.name);
    let mut names: HashMap<String, String> = HashMap::new();
    let parameters = function.input.iter().enumerate();
    for (at, parameter) in parameters {
        let actual = call.input.get(at).cloned().unwrap_or_default();
        names.insert(parameter.clone(), actual);
    }
    // Where a function returns one of its inputs, an Identity has to carry it out.
    let mut tail = Vec::new();
    for (at, result) in function.output.iter().enumerate() {
        let Some(actual) = call.output.get(at).filter(|name| !name.is_empty()) else {
            continue;
        };
        if let Some(source) = names.get(result).cloned() {
            tail.push(NodeProto {
                op_type: "Identity".into(),
                name: format!("{prefix}/{result}"),
                input: vec![source],
                output: vec![actual.clone()],
                ..NodeProto::default()
            });
        } else {
            names.insert(result.clone(), actual.clone());
        }
    }
    let mut body: Vec<NodeProto> = function
        .node
        .iter()
        .map(|node| renamed(node, &prefix, &mut names, function, call))
        .collect();
    body.extend(tail);
    body
}

fn renamed(
    node: &NodeProto,
    prefix: &str,
    names: &mut HashMap<String, String>,
    function: &FunctionProto,
    call: &NodeProto,
) -> NodeProto {
    let mut rename = |name: &String| {
        if name.is_empty() {
            return String::new();
        }
        names
            .entry(name.clone())
            .or_insert_with(|| format!("{prefix}/{name}"))
            .clone()
    };
    let mut out = node.clone();
    let own = match (node.name.as_str(), node.output.first()) {
        // Names of nodes are optional; those of their outputs are not.
        ("", Some(output)) => output,
        (name, _) => name,
    };
    out.name = format!("{prefix}/{own}");
    out.input = node.input.iter().map(&mut rename).collect();
    out.output = node.output.iter().map(&mut rename).collect();
    out.attribute = node
        .attribute
        .iter()
        .filter_map(|a| filled(a, function, call))
        .collect();
    for attribute in &mut out.attribute {
        for graph in attribute.subgraphs_mut() {
            rename_graph(graph, &mut rename, function, call);
        }
    }
    out
}

fn rename_graph(
    graph: &mut GraphProto,
    rename: &mut dyn FnMut(&String) -> String,
    function: &FunctionProto,
    call: &NodeProto,
) {
    for info in graph.input.iter_mut().chain(&mut graph.output) {
        info.name = rename(&info.name);
    }
    graph.value_info.clear();
    for tensor in &mut graph.initializer {
        tensor.name = rename(&tensor.name);
    }
    for node in &mut graph.node {
        node.input = node.input.iter().map(&mut *rename).collect();
        node.output = node.output.iter().map(&mut *rename).collect();
        node.attribute = node
            .attribute
            .iter()
            .filter_map(|a| filled(a, function, call))
            .collect();
        for attribute in &mut node.attribute {
            for graph in attribute.subgraphs_mut() {
                rename_graph(graph, rename, function, call);
            }
        }
    }
}

/// An attribute with a reference to the call's attribute resolved; absent ones vanish.
fn filled(
    attribute: &AttributeProto,
    function: &FunctionProto,
    call: &NodeProto,
) -> Option<AttributeProto> {
    if attribute.ref_attr_name.is_empty() {
        return Some(attribute.clone());
    }
    let wanted = &attribute.ref_attr_name;
    let source = call
        .attribute
        .iter()
        .chain(&function.attribute_proto)
        .find(|a| &a.name == wanted)?;
    Some(AttributeProto {
        name: attribute.name.clone(),
        ..source.clone()
    })
}
