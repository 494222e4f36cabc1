//! How long each tensor of a graph is needed, for estimates of its peak memory.

use std::collections::{HashMap, HashSet};

use crate::assemble::{Part, reached, tensor_info};
use crate::graph::{Graph, V};
use crate::model::TensorInfo;
use crate::{Error, Result};

/// Ops that give their input's memory another shape.
const VIEWS: &[&str] = &["Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten"];

/// Lifetimes of the tensors that one run of a graph holds, weights left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Footprint {
    steps: usize,
    tensors: Vec<(TensorInfo, usize, usize)>,
}

impl Footprint {
    pub(crate) fn of(graph: &Graph, part: &Part) -> Self {
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
            for &v in node.inputs.iter().flatten().chain(&node.captures) {
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
        Self { steps, tensors }
    }

    /// The most bytes that are needed at once.
    pub(crate) fn peak(&self, lengths: &[(&str, i64)]) -> Result<u64> {
        let mut change = vec![0i128; self.steps + 2];
        for (info, from, to) in &self.tensors {
            let bytes = info.bytes(lengths).ok_or_else(|| Error::Request {
                reason: format!(
                    "the size of `{}` with shape {:?} does not follow from the lengths {lengths:?}",
                    info.name, info.shape
                ),
            })?;
            change[*from] += i128::from(bytes);
            change[*to + 1] -= i128::from(bytes);
        }
        let (mut now, mut peak) = (0i128, 0i128);
        for step in change {
            now += step;
            peak = peak.max(now);
        }
        Ok(u64::try_from(peak).unwrap_or(u64::MAX))
    }
}
