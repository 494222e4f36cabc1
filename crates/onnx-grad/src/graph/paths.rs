//! Which values lie on differentiable paths.

use std::collections::{BTreeSet, HashSet};

use super::{Graph, Node, Origin, V};
use crate::data_type::DataType;

impl Node {
    /// Whether its derivative is zero wherever it exists.
    fn is_zero(&self, graph: &Graph) -> bool {
        graph.ops.is_zero(self)
    }
}

impl Graph {
    /// Whether a value may have a gradient. A value of unknown type may.
    pub(crate) fn may_be_float(&self, v: V) -> bool {
        let data_type = self.data_type(v);
        data_type.is_float() || matches!(data_type, DataType::Other(_))
    }

    /// Which values depend differentiably on the chosen inputs.
    pub(crate) fn depends_on(&self, inputs: &[V]) -> Vec<bool> {
        let mut depends = self.marked(inputs);
        for node in &self.nodes {
            let any = node.reads().any(|v| depends[v.0] && self.may_be_float(v));
            if any && !node.is_zero(self) {
                for &v in node.outputs.iter().flatten() {
                    depends[v.0] |= self.may_be_float(v);
                }
            }
        }
        depends
    }

    /// Which values lead differentiably to one of `outputs`.
    pub(crate) fn leads_to(&self, outputs: &[V]) -> Vec<bool> {
        let mut reaches = self.marked(outputs);
        for node in self.nodes.iter().rev() {
            let any = node.outputs.iter().flatten().any(|v| reaches[v.0]);
            if any && !node.is_zero(self) {
                for v in node.reads() {
                    reaches[v.0] |= self.may_be_float(v);
                }
            }
        }
        reaches
    }

    fn marked(&self, values: &[V]) -> Vec<bool> {
        let mut marked = vec![false; self.values.len()];
        for v in values {
            marked[v.0] = true;
        }
        marked
    }

    /// The nodes that lead from `stops` to `outputs`, sorted.
    pub(crate) fn nodes_between(&self, outputs: &[V], stops: &HashSet<V>) -> Vec<usize> {
        let mut nodes: BTreeSet<usize> = BTreeSet::new();
        let mut queue: Vec<V> = outputs.to_vec();
        while let Some(v) = queue.pop() {
            if let Origin::Node(at) = self.value(v).origin
                && !stops.contains(&v)
                && nodes.insert(at)
            {
                queue.extend(self.nodes[at].reads());
            }
        }
        nodes.into_iter().collect()
    }

    /// The values that depend differentiably on `inputs` through these nodes.
    pub(crate) fn depends_among(&self, nodes: &[usize], inputs: &[V]) -> HashSet<V> {
        let mut depends: HashSet<V> = inputs.iter().copied().collect();
        for &at in nodes {
            let node = &self.nodes[at];
            if node.reads().any(|v| depends.contains(&v)) && !node.is_zero(self) {
                let outputs = node.outputs.iter().flatten().copied();
                depends.extend(outputs.filter(|&v| self.may_be_float(v)));
            }
        }
        depends
    }

    /// The values on paths to `outputs` that depend differentiably on `inputs`.
    pub(crate) fn depends_between(&self, outputs: &[V], inputs: &[V]) -> HashSet<V> {
        let nodes = self.nodes_between(outputs, &HashSet::new());
        self.depends_among(&nodes, inputs)
    }
}
