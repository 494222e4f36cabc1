//! When each tensor of a graph is computed and read for the last time.

use std::collections::{HashMap, HashSet};

use crate::footprint::Footprint;
use crate::graph::write::{Part, reached, tensor_info};
use crate::graph::{Graph, V};

/// Ops that give their input's memory another shape.
const VIEWS: &[&str] = &["Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten"];

/// The lives of the tensors that one run of a part holds.
pub(crate) fn footprint(graph: &Graph, part: &Part) -> Footprint {
    let (nodes, _) = reached(graph, part, &HashSet::new());
    let steps = nodes.len();
    let mut last: HashMap<V, usize> = HashMap::new();
    // What is seen through a view lives as long as the view.
    let mut seen_through: HashMap<V, V> = HashMap::new();
    let root = |seen: &HashMap<V, V>, v: V| seen.get(&v).copied().unwrap_or(v);
    let mut born: Vec<(V, usize)> = part.inputs.iter().map(|&v| (v, 0)).collect();
    last.extend(part.inputs.iter().map(|&v| (v, steps)));
    for (step, &at) in nodes.iter().enumerate() {
        let node = &graph.nodes[at];
        for v in node.reads() {
            let lives = last.entry(root(&seen_through, v)).or_insert(step);
            *lives = (*lives).max(step);
        }
        let view = node.domain.is_empty() && VIEWS.contains(&node.op.as_str());
        for &v in node
            .outputs
            .iter()
            .flatten()
            .filter(|&&v| !graph.value(v).constant)
        {
            match node.input(0).filter(|&x| view && !graph.value(x).constant) {
                Some(x) => {
                    seen_through.insert(v, root(&seen_through, x));
                }
                None if !part.inputs.contains(&v) => {
                    born.push((v, step));
                    last.entry(v).or_insert(step);
                }
                None => {}
            }
        }
    }
    for (v, _) in &part.outputs {
        last.insert(root(&seen_through, *v), steps);
    }
    let tensors = born
        .into_iter()
        .map(|(v, from)| {
            let info = tensor_info(graph, v, &graph.value(v).name);
            (info, from, last.get(&v).copied().unwrap_or(from))
        })
        .collect();
    Footprint { steps, tensors }
}
