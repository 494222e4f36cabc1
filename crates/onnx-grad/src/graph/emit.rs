//! Adding nodes, each once.

use prost::Message as _;

use super::dim::Dim;
use super::{Graph, Key, Node, Origin, V, Value};
use crate::data_type::DataType;
use crate::proto::AttributeProto;

/// Inputs without the absent ones at the end, which not every engine takes for absent.
fn trimmed(inputs: &[Option<V>]) -> Vec<Option<V>> {
    let length = inputs
        .iter()
        .rposition(Option::is_some)
        .map_or(0, |at| at + 1);
    inputs[..length].to_vec()
}

impl Node {
    fn derived(op: &str, inputs: &[Option<V>], attributes: Vec<AttributeProto>) -> Self {
        Self {
            op: op.to_owned(),
            inputs: trimmed(inputs),
            attributes,
            derived: true,
            ..Self::default()
        }
    }

    /// Equal for nodes with equal results, of which these outputs are there.
    fn key(&self, outputs: impl Iterator<Item = bool>) -> Option<Key> {
        let random = [
            "RandomNormal",
            "RandomUniform",
            "RandomNormalLike",
            "RandomUniformLike",
            "Bernoulli",
            "Multinomial",
            "Dropout",
        ];
        if random.contains(&self.op.as_str()) || !self.captures.is_empty() {
            return None;
        }
        let mut encoded = Vec::new();
        for attribute in &self.attributes {
            let large = attribute.t.is_some() || attribute.subgraphs().next().is_some();
            if large || attribute.encode_length_delimited(&mut encoded).is_err() {
                return None;
            }
        }
        let mut outputs: Vec<bool> = outputs.collect();
        outputs.truncate(
            outputs
                .iter()
                .rposition(|&there| there)
                .map_or(0, |at| at + 1),
        );
        Some((
            self.op.clone(),
            self.domain.clone(),
            self.inputs.clone(),
            encoded,
            outputs,
        ))
    }
}

impl Graph {
    /// Appends a node whose output values exist, and infers their types.
    pub(crate) fn push_node(&mut self, node: Node) {
        let index = self.nodes.len();
        let key = node.key(node.outputs.iter().map(Option::is_some));
        let constant = node.reads().all(|v| self.value(v).constant)
            && node.captures.is_empty()
            && key.is_some();
        let cotangent = node.reads().any(|v| self.value(v).cotangent);
        for &v in node.outputs.iter().flatten() {
            let value = self.value_mut(v);
            value.origin = Origin::Node(index);
            value.constant = constant;
            value.cotangent = cotangent;
        }
        if let Some(key) = key {
            self.seen.entry(key).or_insert_with(|| node.outputs.clone());
        }
        // Who derives a node with bodies says what it returns.
        let infos = if node.derived && node.has_bodies() {
            Vec::new()
        } else {
            self.infer(&node)
        };
        for (slot, info) in node.outputs.iter().zip(infos) {
            let Some(v) = *slot else { continue };
            let shape = info.shape.map(|shape| self.sane(shape));
            let value = self.value_mut(v);
            if value.shape.is_none() {
                value.shape = shape;
            }
            if !matches!(info.data_type, DataType::Other(_)) {
                value.data_type = info.data_type;
            }
            value.content = info.content;
        }
        self.nodes.push(node);
    }

    /// A shape without negative lengths, which only a broken model can lead to.
    fn sane(&mut self, mut shape: Vec<Dim>) -> Vec<Dim> {
        for dim in &mut shape {
            if dim.as_known().is_some_and(|n| n < 0) {
                *dim = self.symbols.fresh();
            }
        }
        shape
    }

    /// The outputs of a node that computes the same, where there is one.
    fn found(&self, node: &Node, wanted: &[bool]) -> Option<Vec<Option<V>>> {
        self.seen.get(&node.key(wanted.iter().copied())?).cloned()
    }

    /// A value for the output of a node that is not added yet.
    fn output_of(&mut self, node: &Node) -> V {
        let first = node.inputs.iter().flatten().next();
        let guess = first.map_or(DataType::Other(0), |&v| self.data_type(v));
        let name = self.fresh_name(&node.op);
        self.push_value(Value::new(name, guess))
    }

    /// Adds a derived node, or finds one that computes the same. Returns those outputs that are
    /// wanted.
    pub(crate) fn emit_many(
        &mut self,
        op: &str,
        inputs: &[Option<V>],
        attributes: Vec<AttributeProto>,
        wanted: &[bool],
    ) -> Vec<V> {
        let mut node = Node::derived(op, inputs, attributes);
        if let Some(found) = self.found(&node, wanted) {
            return found.into_iter().flatten().collect();
        }
        node.name = self.fresh_name(op);
        for &wanted in wanted {
            let output = wanted.then(|| self.output_of(&node));
            node.outputs.push(output);
        }
        let made = node.outputs.iter().flatten().copied().collect();
        self.push_node(node);
        made
    }

    /// [`Graph::emit_many`] for ops with one output.
    pub(crate) fn emit(&mut self, op: &str, inputs: &[V], attributes: Vec<AttributeProto>) -> V {
        let inputs: Vec<Option<V>> = inputs.iter().copied().map(Some).collect();
        self.emit_optional(op, &inputs, attributes)
    }

    pub(crate) fn emit_optional(
        &mut self,
        op: &str,
        inputs: &[Option<V>],
        attributes: Vec<AttributeProto>,
    ) -> V {
        let mut node = Node::derived(op, inputs, attributes);
        if let Some(Some(v)) = self
            .found(&node, &[true])
            .and_then(|found| found.first().copied())
        {
            return v;
        }
        node.name = self.fresh_name(op);
        let v = self.output_of(&node);
        node.outputs.push(Some(v));
        self.push_node(node);
        v
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::graph::{Fault, Info, Ops};

    /// Ops that nothing is known about.
    struct Unknown;

    impl Ops for Unknown {
        fn infer(&self, _: &mut Graph, _: &Node) -> Vec<Info> {
            Vec::new()
        }

        fn is_zero(&self, _: &Node) -> bool {
            false
        }
    }

    fn graph_of(dims: Option<Vec<Dim>>) -> (Graph, V) {
        let mut g = Graph::new(&Unknown, 20, HashMap::new());
        let x = g.add_input("x".into(), DataType::Float32, dims);
        (g, x)
    }

    #[test]
    fn equal_nodes_are_added_once() {
        let (mut g, x) = graph_of(None);
        let y = g.unary("Exp", x);
        assert_eq!(g.unary("Exp", x), y);
        let inputs = [Some(x), Some(y)];
        let many = |g: &mut Graph, wanted: &[bool]| {
            g.emit_many("LayerNormalization", &inputs, Vec::new(), wanted)
        };
        let ends = many(&mut g, &[true, false, true]);
        assert_eq!(many(&mut g, &[true, false, true]), ends);
        // As many outputs, but others.
        let starts = many(&mut g, &[true, true]);
        assert_ne!(starts[1], ends[1]);
        assert_eq!(g.nodes.len(), 3);
    }

    #[test]
    fn what_cannot_be_added_is_a_fault() {
        let (mut g, x) = graph_of(None);
        g.swap_last(x);
        assert!(matches!(g.take_fault(), Some(Fault::Unknown(why)) if why.contains("rank")));
        let unheard = [g.symbols.fresh(), g.symbols.fresh()];
        g.reshape(x, &unheard, None);
        g.expand(x, &unheard, None);
        assert!(matches!(g.take_fault(), Some(Fault::Unknown(why)) if why.contains("lengths")));
        assert_eq!(g.take_fault(), None);
    }
}
