//! The reverse pass: from seeded outputs to chosen inputs, along differentiable paths only.

use std::collections::HashMap;

use crate::build::to_i64;
use crate::grad::Grad;
use crate::graph::{Graph, V};
use crate::ops::{self, Rule};
use crate::{Error, Result};

/// Adds the gradient nodes; returns the gradient of each chosen input.
pub(crate) fn reverse(graph: &mut Graph, seeds: &[(V, V)], inputs: &[V]) -> Result<Vec<V>> {
    let depends = depends_on(graph, inputs);
    let outputs: Vec<V> = seeds.iter().map(|(output, _)| *output).collect();
    let reaches = leads_to(graph, &outputs);
    let mut cotangents: HashMap<V, Vec<V>> = HashMap::new();
    for &(output, cotangent) in seeds {
        cotangents.entry(output).or_default().push(cotangent);
    }
    let mut gradients: HashMap<V, V> = HashMap::new();
    for at in (0..graph.nodes.len()).rev() {
        let node = graph.nodes[at].clone();
        let active = node
            .outputs
            .iter()
            .flatten()
            .any(|v| depends[v.0 as usize] && reaches[v.0 as usize]);
        if !active {
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
        let wanted: Vec<bool> = node
            .inputs
            .iter()
            .map(|slot| {
                slot.is_some_and(|v| depends[v.0 as usize] && graph.data_type(v).is_float())
            })
            .collect();
        for (input, part) in apply(graph, at, dys, wanted)? {
            if let Some(v) = node.input(input) {
                cotangents.entry(v).or_default().push(part);
            }
        }
    }
    inputs
        .iter()
        .map(|&v| {
            if let Some(&done) = gradients.get(&v) {
                return Ok(done);
            }
            let parts = cotangents.get(&v).cloned().unwrap_or_default();
            if parts.is_empty() {
                return Err(Error::NoPath {
                    input: graph.value(v).name.clone(),
                    outputs: seeds
                        .iter()
                        .map(|(output, _)| graph.value(*output).name.clone())
                        .collect(),
                });
            }
            Ok(total(graph, v, parts))
        })
        .collect()
}

fn apply(
    graph: &mut Graph,
    at: usize,
    dys: Vec<Option<V>>,
    wanted: Vec<bool>,
) -> Result<Vec<(usize, V)>> {
    let node = &graph.nodes[at];
    let no_rule = |advice: &str| Error::NoRule {
        node: node.label(graph),
        op: if node.domain.is_empty() {
            node.op.clone()
        } else {
            format!("{}.{}", node.domain, node.op)
        },
        opset: graph.opset,
        advice: advice.to_owned(),
    };
    let rule = match ops::find(&node.domain, &node.op).map(|op| &op.rule) {
        Some(Rule::Gradient(rule)) => *rule,
        Some(Rule::Zero) => return Ok(Vec::new()),
        None => {
            let advice = if !node.captures.is_empty()
                || node.attributes.iter().any(|a| a.g.is_some())
            {
                "control flow cannot be differentiated: export the model without it, or with the \
                 condition fixed"
            } else {
                "export the model so that it uses other ops here, or add a rule (see the crate's \
                 checklist)"
            };
            return Err(no_rule(advice));
        }
    };
    let extra = dys.iter().skip(1).any(Option::is_some);
    let mut grad = Grad::new(graph, at, dys, wanted);
    if extra && grad.node.op != "Split" {
        return Err(grad.error("a gradient through its second or later output is not supported"));
    }
    rule(&mut grad)?;
    let given = std::mem::take(&mut grad.given);
    Ok(given
        .into_iter()
        .filter(|(input, _)| grad.wants(*input))
        .collect())
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
