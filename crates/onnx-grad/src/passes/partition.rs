//! Which activations the forward graph keeps for the backward graph.
//!
//! A minimum cut weighs two prices against each other: keeping a tensor (its bytes) and computing
//! it again in the backward graph (its elements times the cost of its op). Products, softmax and
//! the like are never repeated; inputs of the model are free.

use std::collections::{HashMap, HashSet};

use super::network::{INFINITE, Network};
use crate::graph::{Graph, Node, Origin, V};
use crate::rules;
use crate::rules::op::Cost;

/// Length that every free dimension is taken to have.
const NOMINAL: f64 = 32.0;

/// Values that the backward graph takes from the forward graph, in the order of their nodes.
pub(crate) fn saved(graph: &Graph, gradients: &[V]) -> Vec<V> {
    let needed = needed(graph, gradients);
    let mut network = Network::default();
    let (source, sink) = (network.vertex(), network.vertex());
    let mut pairs: HashMap<V, (usize, usize)> = HashMap::new();
    let mut order: Vec<V> = Vec::new();
    let mut queue: Vec<V> = needed.clone();
    while let Some(v) = queue.pop() {
        if pairs.contains_key(&v) {
            continue;
        }
        let pair = (network.vertex(), network.vertex());
        pairs.insert(v, pair);
        order.push(v);
        queue.extend(reads(graph, v));
    }
    for &v in &order {
        let (enter, leave) = pairs[&v];
        network.edge(enter, leave, keep_price(graph, v));
        network.edge(source, enter, repeat_price(graph, v));
        for read in reads(graph, v) {
            if let Some(&(_, from)) = pairs.get(&read) {
                network.edge(from, enter, INFINITE);
            }
        }
    }
    for v in &needed {
        if let Some(&(_, leave)) = pairs.get(v) {
            network.edge(leave, sink, INFINITE);
        }
    }
    network.saturate(source, sink);
    let above = network.above_cut(sink);
    let mut cut: Vec<V> = order
        .into_iter()
        .filter(|v| {
            let (enter, leave) = pairs[v];
            above[enter] && !above[leave] && !matches!(graph.value(*v).origin, Origin::Input)
        })
        .collect();
    cut.sort();
    cut
}

/// Values free of cotangents that nodes with cotangents read; constants left out.
fn needed(graph: &Graph, gradients: &[V]) -> Vec<V> {
    let mut found = Vec::new();
    let mut seen: HashSet<V> = HashSet::new();
    let mut queue: Vec<V> = gradients.to_vec();
    while let Some(v) = queue.pop() {
        if !seen.insert(v) || graph.value(v).constant {
            continue;
        }
        if !graph.value(v).cotangent {
            found.push(v);
        } else if let Some(node) = graph.producer(v) {
            queue.extend(node.reads());
        }
    }
    found.sort();
    found
}

fn reads(graph: &Graph, v: V) -> Vec<V> {
    graph.producer(v).map_or_else(Vec::new, |node| {
        node.reads().filter(|&v| !graph.value(v).constant).collect()
    })
}

fn elements(graph: &Graph, v: V) -> f64 {
    match &graph.value(v).shape {
        Some(shape) => shape
            .iter()
            .map(|d| graph.symbols.nominal(d, NOMINAL))
            .product(),
        None => 1e6,
    }
}

fn cost(node: &Node) -> Cost {
    rules::find(&node.domain, &node.op).map_or(Cost::Heavy, |op| op.cost)
}

/// What it costs to keep a value, in bytes.
fn keep_price(graph: &Graph, v: V) -> f64 {
    let bytes = elements(graph, v) * graph.data_type(v).size().unwrap_or(8).max(1) as f64;
    let Some(node) = graph.producer(v) else {
        // Inputs are at hand.
        return 1e-3;
    };
    // What only the gradient needs belongs to the backward graph, unless it must not be repeated.
    if node.derived && !node.is("Shape") && cost(node) != Cost::Heavy {
        return INFINITE;
    }
    // Keeping a link of an elementwise chain would stop the engine from fusing that chain; sums of
    // two activations are where residual branches join, which no engine fuses over.
    let joins = node.is("Add")
        && node
            .inputs
            .iter()
            .flatten()
            .all(|&v| !graph.value(v).constant);
    let base = 64.0 + bytes;
    // Small, but an engine that plans by shapes loses them where they arrive as data.
    if node.is("Shape") {
        return base + 1e5;
    }
    match cost(node) {
        Cost::Heavy => base,
        _ if joins || node.is("LayerNormalization") => base * 1.01,
        Cost::Copy => base * 1.02,
        Cost::Light if node.is("Transpose") || bias_of_product(graph, node) => base * 1.02,
        Cost::Light => base * 2.0,
        Cost::Middle => base * 1.7,
    }
}

fn bias_of_product(graph: &Graph, node: &Node) -> bool {
    node.is("Add")
        && node.inputs.iter().flatten().any(|&v| {
            graph
                .producer(v)
                .is_some_and(|n| n.is("MatMul") || n.is("Gemm") || n.is("Conv"))
        })
}

/// What it costs to compute a value again from what its node reads.
fn repeat_price(graph: &Graph, v: V) -> f64 {
    let Some(node) = graph.producer(v) else {
        return INFINITE;
    };
    if !node.captures.is_empty() {
        return INFINITE;
    }
    let read = node
        .inputs
        .iter()
        .flatten()
        .map(|&v| elements(graph, v))
        .fold(0.0, f64::max);
    let work = elements(graph, v).max(read);
    match cost(node) {
        Cost::Copy => 1e-3,
        Cost::Light => 1.0 * work,
        Cost::Middle => 2.0 * work,
        Cost::Heavy => INFINITE,
    }
}
