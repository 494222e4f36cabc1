//! The reverse pass: from seeded outputs to chosen inputs, along differentiable paths only.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::build::to_i64;
use crate::grad::Grad;
use crate::graph::{Graph, Origin, V};
use crate::ops::{self, Rule};
use crate::refusal;
use crate::{Error, Result};

/// Adds the gradient nodes; returns the gradient of each chosen input.
pub(crate) fn reverse(graph: &mut Graph, seeds: &[(V, V)], inputs: &[V]) -> Result<Vec<V>> {
    let depends = depends_on(graph, inputs);
    let outputs: Vec<V> = seeds.iter().map(|(output, _)| *output).collect();
    let reaches = leads_to(graph, &outputs);
    refuse_quantised(graph, &outputs, &depends)?;
    let nodes: Vec<usize> = (0..graph.nodes.len()).collect();
    let active = |v: V| depends[v.0 as usize] && reaches[v.0 as usize];
    let gradients = sweep(graph, &nodes, seeds, inputs, &active, &|v| {
        depends[v.0 as usize]
    })?;
    inputs
        .iter()
        .zip(gradients)
        .map(|(&v, gradient)| {
            gradient.ok_or_else(|| Error::NoPath {
                input: graph.value(v).name.clone(),
                outputs: outputs
                    .iter()
                    .map(|&v| graph.value(v).name.clone())
                    .collect(),
            })
        })
        .collect()
}

/// Rounding to a grid has derivative zero, so that a gradient through it would silently lack a part.
fn refuse_quantised(graph: &Graph, outputs: &[V], depends: &[bool]) -> Result<()> {
    if !graph.nodes.iter().any(refusal::is_quantised) {
        return Ok(());
    }
    let mut reaches: HashSet<V> = outputs.iter().copied().collect();
    for node in graph.nodes.iter().rev() {
        let leads = node.outputs.iter().flatten().any(|v| reaches.contains(v));
        if !leads || node.is("Shape") || node.is("Size") {
            continue;
        }
        let mut inputs = node.inputs.iter().flatten();
        if refusal::is_quantised(node) && inputs.any(|v| depends[v.0 as usize]) {
            return Err(refusal::quantised(graph, node));
        }
        reaches.extend(node.inputs.iter().flatten().chain(&node.captures));
    }
    Ok(())
}

/// The gradients of `inputs`, which may be any values, along paths that stop at `stops`; `None`
/// where there is no path.
pub(crate) fn reverse_between(
    graph: &mut Graph,
    seeds: &[(V, V)],
    inputs: &[V],
    stops: &HashSet<V>,
) -> Result<Vec<Option<V>>> {
    let outputs: Vec<V> = seeds.iter().map(|(output, _)| *output).collect();
    let nodes = nodes_between(graph, &outputs, stops);
    let depends = depends_among(graph, &nodes, inputs);
    let depends = |v: V| depends.contains(&v);
    sweep(graph, &nodes, seeds, inputs, &depends, &depends)
}

/// The nodes that lead from `stops` to `outputs`, sorted.
fn nodes_between(graph: &Graph, outputs: &[V], stops: &HashSet<V>) -> Vec<usize> {
    let mut nodes: BTreeSet<usize> = BTreeSet::new();
    let mut queue: Vec<V> = outputs.to_vec();
    while let Some(v) = queue.pop() {
        if let Origin::Node(at) = graph.value(v).origin
            && !stops.contains(&v)
            && nodes.insert(at)
        {
            let node = &graph.nodes[at];
            queue.extend(node.inputs.iter().flatten().chain(&node.captures));
        }
    }
    nodes.into_iter().collect()
}

fn depends_among(graph: &Graph, nodes: &[usize], inputs: &[V]) -> HashSet<V> {
    let mut depends: HashSet<V> = inputs.iter().copied().collect();
    for &at in nodes {
        let node = &graph.nodes[at];
        let mut reads = node.inputs.iter().flatten().chain(&node.captures);
        if reads.any(|v| depends.contains(v)) && !is_zero(graph, at) {
            let outputs = node.outputs.iter().flatten().copied();
            depends.extend(outputs.filter(|&v| may_be_float(graph, v)));
        }
    }
    depends
}

/// The values on paths to `outputs` that depend differentiably on `inputs`.
pub(crate) fn depends_between(graph: &Graph, outputs: &[V], inputs: &[V]) -> HashSet<V> {
    let nodes = nodes_between(graph, outputs, &HashSet::new());
    depends_among(graph, &nodes, inputs)
}

/// Goes through `nodes`, which are sorted, from the last to the first.
fn sweep(
    graph: &mut Graph,
    nodes: &[usize],
    seeds: &[(V, V)],
    inputs: &[V],
    active: &dyn Fn(V) -> bool,
    depends: &dyn Fn(V) -> bool,
) -> Result<Vec<Option<V>>> {
    let mut cotangents: HashMap<V, Vec<V>> = HashMap::new();
    for &(output, cotangent) in seeds {
        cotangents.entry(output).or_default().push(cotangent);
    }
    let mut gradients: HashMap<V, V> = HashMap::new();
    for &at in nodes.iter().rev() {
        let node = graph.nodes[at].clone();
        if !node.outputs.iter().flatten().any(|&v| active(v)) {
            continue;
        }
        let mut dys = Vec::with_capacity(node.outputs.len());
        for &output in &node.outputs {
            let sum = match output.and_then(|v| Some((v, cotangents.remove(&v)?))) {
                Some((v, parts)) => {
                    let sum = total(graph, v, parts);
                    if inputs.contains(&v) {
                        gradients.insert(v, sum);
                    }
                    Some(sum)
                }
                None => None,
            };
            dys.push(sum);
        }
        if dys.iter().all(Option::is_none) {
            continue;
        }
        let wanted: HashSet<V> = node
            .inputs
            .iter()
            .flatten()
            .chain(&node.captures)
            .copied()
            .filter(|&v| depends(v) && may_be_float(graph, v))
            .collect();
        for (v, part) in apply(graph, at, dys, wanted)? {
            cotangents.entry(v).or_default().push(part);
        }
    }
    Ok(inputs
        .iter()
        .map(|&v| {
            let done = gradients.get(&v).copied();
            done.or_else(|| Some(total(graph, v, cotangents.get(&v).cloned()?)))
        })
        .collect())
}

/// What a node gives to the values that it reads.
fn apply(
    graph: &mut Graph,
    at: usize,
    dys: Vec<Option<V>>,
    wanted: HashSet<V>,
) -> Result<Vec<(V, V)>> {
    let node = &graph.nodes[at];
    let (rule, many) = match ops::find(&node.domain, &node.op) {
        Some(op) => match op.rule {
            Rule::Gradient(rule) => (rule, op.many),
            Rule::Zero => return Ok(Vec::new()),
        },
        None => return Err(refusal::no_rule(graph, node)),
    };
    let extra = dys.iter().skip(1).any(Option::is_some);
    let mut grad = Grad::new(graph, at, dys, wanted);
    if extra && !many {
        return Err(grad.error("a gradient through its second or later output is not supported"));
    }
    rule(&mut grad)?;
    Ok(grad.into_given())
}

/// The sum of all contributions, with the shape of `v`.
fn total(graph: &mut Graph, v: V, parts: Vec<V>) -> V {
    let shape = graph.shape(v);
    if let Some(whole) = join_parts(graph, v, &parts) {
        return whole;
    }
    // Full-shaped parts first, so that the others are broadcast by the addition.
    let (full, partial): (Vec<V>, Vec<V>) = parts
        .into_iter()
        .partition(|&part| graph.shape(part) == shape);
    let expands = full.is_empty();
    let sum = full
        .into_iter()
        .chain(partial)
        .reduce(|sum, part| graph.add(sum, part));
    let sum = sum.unwrap_or(v);
    match shape {
        Some(shape) if expands => graph.expand(sum, &shape, Some(v)),
        _ => sum,
    }
}

/// One Concat in place of a sum of zero-padded parts that lie side by side along one axis.
fn join_parts(graph: &mut Graph, v: V, parts: &[V]) -> Option<V> {
    if parts.len() < 2 {
        return None;
    }
    let length = |axis: usize, v: V| graph.shape(v)?.get(axis)?.as_known();
    let mut found: Vec<(i64, V)> = Vec::new();
    let mut shared = None;
    for &part in parts {
        let node = graph
            .producer(part)
            .filter(|node| node.derived && node.is("Pad"))?;
        let pads = graph.known_ints(node.input(1)?)?;
        let rank = pads.len() / 2;
        let padded: Vec<usize> = (0..rank)
            .filter(|&axis| pads[axis] != 0 || pads[axis + rank] != 0)
            .collect();
        let [axis] = padded.as_slice() else {
            return None;
        };
        if *shared.get_or_insert(*axis) != *axis {
            return None;
        }
        found.push((pads[*axis], node.input(0)?));
    }
    let axis = shared?;
    found.sort_unstable();
    let mut end = 0;
    for &(start, inner) in &found {
        if start != end {
            return None;
        }
        end += length(axis, inner)?;
    }
    if Some(end) != length(axis, v) {
        return None;
    }
    let inner: Vec<V> = found.into_iter().map(|(_, inner)| inner).collect();
    Some(graph.concat(&inner, to_i64(axis)))
}

fn is_zero(graph: &Graph, at: usize) -> bool {
    let node = &graph.nodes[at];
    matches!(
        ops::find(&node.domain, &node.op).map(|op| &op.rule),
        Some(Rule::Zero)
    )
}

/// Which values depend differentiably on the chosen inputs.
fn depends_on(graph: &Graph, inputs: &[V]) -> Vec<bool> {
    let mut depends = vec![false; graph.values.len()];
    for v in inputs {
        depends[v.0 as usize] = true;
    }
    for (at, node) in graph.nodes.iter().enumerate() {
        let reads = node.inputs.iter().flatten().chain(&node.captures);
        let any = reads
            .into_iter()
            .any(|&v| depends[v.0 as usize] && may_be_float(graph, v));
        if any && !is_zero(graph, at) {
            for &v in node.outputs.iter().flatten() {
                depends[v.0 as usize] |= may_be_float(graph, v);
            }
        }
    }
    depends
}

/// Which values lead differentiably to a seeded output.
pub(crate) fn leads_to(graph: &Graph, outputs: &[V]) -> Vec<bool> {
    let mut reaches = vec![false; graph.values.len()];
    for output in outputs {
        reaches[output.0 as usize] = true;
    }
    for (at, node) in graph.nodes.iter().enumerate().rev() {
        let any = node.outputs.iter().flatten().any(|v| reaches[v.0 as usize]);
        if any && !is_zero(graph, at) {
            for &v in node.inputs.iter().flatten().chain(&node.captures) {
                reaches[v.0 as usize] |= may_be_float(graph, v);
            }
        }
    }
    reaches
}

fn may_be_float(graph: &Graph, v: V) -> bool {
    let data_type = graph.data_type(v);
    data_type.is_float() || matches!(data_type, crate::DataType::Other(_))
}
