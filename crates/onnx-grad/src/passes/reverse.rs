//! The reverse pass: from seeded outputs to chosen inputs, along differentiable paths only.

use std::collections::{HashMap, HashSet};

use super::{fusions, refusal};
use crate::graph::{Fault, Graph, V};
use crate::rules::grad::Grad;
use crate::rules::op::Rule;
use crate::{Error, Result, rules};

/// Adds the gradient nodes; returns the gradient of each chosen input.
pub(crate) fn reverse(graph: &mut Graph, seeds: &[(V, V)], inputs: &[V]) -> Result<Vec<V>> {
    let depends = graph.depends_on(inputs);
    let outputs: Vec<V> = seeds.iter().map(|(output, _)| *output).collect();
    let reaches = graph.leads_to(&outputs);
    refuse_quantised(graph, &outputs, &depends)?;
    let nodes: Vec<usize> = (0..graph.nodes.len()).collect();
    let active = |v: V| depends[v.0] && reaches[v.0];
    let gradients = sweep(graph, &nodes, seeds, inputs, &active, &|v| depends[v.0])?;
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
        if refusal::is_quantised(node) && inputs.any(|v| depends[v.0]) {
            return Err(refusal::quantised(graph, node));
        }
        reaches.extend(node.reads());
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
    let nodes = graph.nodes_between(&outputs, stops);
    let depends = graph.depends_among(&nodes, inputs);
    let depends = |v: V| depends.contains(&v);
    sweep(graph, &nodes, seeds, inputs, &depends, &depends)
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
            let Some((v, parts)) = output.and_then(|v| Some((v, cotangents.remove(&v)?))) else {
                dys.push(None);
                continue;
            };
            let sum = total(graph, v, parts)?;
            if inputs.contains(&v) {
                gradients.insert(v, sum);
            }
            dys.push(Some(sum));
        }
        if dys.iter().all(Option::is_none) {
            continue;
        }
        let wanted: HashSet<V> = node
            .reads()
            .filter(|&v| depends(v) && graph.may_be_float(v))
            .collect();
        for (v, part) in apply(graph, at, dys, wanted)? {
            cotangents.entry(v).or_default().push(part);
        }
    }
    let mut found = Vec::with_capacity(inputs.len());
    for &v in inputs {
        let parts = cotangents.get(&v).cloned();
        found.push(match (gradients.get(&v), parts) {
            (Some(&done), _) => Some(done),
            (None, Some(parts)) => Some(total(graph, v, parts)?),
            (None, None) => None,
        });
    }
    Ok(found)
}

/// What a node gives to the values that it reads.
fn apply(
    graph: &mut Graph,
    at: usize,
    dys: Vec<Option<V>>,
    wanted: HashSet<V>,
) -> Result<Vec<(V, V)>> {
    let node = &graph.nodes[at];
    let Some(op) = rules::find(&node.domain, &node.op) else {
        return Err(refusal::no_rule(graph, node));
    };
    let rule = match op.rule {
        Rule::Gradient(rule) => rule,
        Rule::Zero => return Ok(Vec::new()),
        Rule::Refused => return Err(refusal::error(graph, node, op.limits)),
    };
    let extra = dys.iter().skip(1).any(Option::is_some);
    let mut grad = Grad::new(graph, at, dys, wanted, reverse_between);
    if extra && !op.many {
        return Err(grad.error("a gradient through its second or later output is not supported"));
    }
    if !fusions::attended_softmax(&mut grad)? {
        rule(&mut grad)?;
    }
    match grad.take_fault() {
        None => Ok(grad.into_given()),
        Some(fault) => Err(grad.fault(fault)),
    }
}

/// The sum of all contributions, with the shape of `v`.
fn total(graph: &mut Graph, v: V, parts: Vec<V>) -> Result<V> {
    let shape = graph.shape(v);
    if let Some(whole) = fusions::join_parts(graph, v, &parts) {
        return Ok(whole);
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
    let whole = sum.map(|sum| match shape {
        Some(shape) if expands => graph.expand(sum, &shape, Some(v)),
        _ => sum,
    });
    // `v` itself has the lengths to expand to, so that no model can lead to a fault here.
    let reason = match (whole, graph.take_fault()) {
        (Some(whole), None) => return Ok(whole),
        (None, None) => "its cotangent is the sum of nothing",
        (_, Some(Fault::Unknown(reason) | Fault::Broken(reason))) => reason,
    };
    Err(Error::Internal {
        node: graph.value(v).name.clone(),
        reason: reason.to_owned(),
    })
}
