//! Bodies of control flow: a graph of its own that reads values of the graph around it.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::read::{self, captured_by};
use super::write::{self, Part};
use super::{Graph, Info, Node, Origin, V, Value};
use crate::proto::{AttributeProto, GraphProto};
use crate::{Error, Result};

/// Deepest nesting of bodies.
const MAX_DEPTH: usize = 8;

/// An open body. Its graph holds the symbols and names of the graph around it until it is closed.
pub(crate) struct Scope {
    pub(crate) graph: Graph,
    /// Values of the graph around, by the values that stand for them here.
    outside: HashMap<V, V>,
    index: HashMap<String, V>,
}

impl Scope {
    /// An empty body in the place of `node`'s, whose captured values it has.
    pub(crate) fn new(outer: &mut Graph, node: &Node) -> Result<Self> {
        if outer.depth >= MAX_DEPTH {
            return Err(Error::Rule {
                node: node.label(outer),
                op: node.op.clone(),
                opset: outer.opset,
                reason: format!("control flow nests deeper than {MAX_DEPTH} levels"),
            });
        }
        let mut scope = Self {
            graph: Graph::new(outer.ops, outer.opset, outer.domains.clone()),
            outside: HashMap::new(),
            index: HashMap::new(),
        };
        let graph = &mut scope.graph;
        graph.depth = outer.depth + 1;
        graph.symbols = std::mem::take(&mut outer.symbols);
        graph.names = std::mem::take(&mut outer.names);
        graph.counter = outer.counter;
        for &v in &node.captures {
            scope.import(outer, v);
        }
        Ok(scope)
    }

    /// The value that stands here for a value of the graph around.
    pub(crate) fn import(&mut self, outer: &Graph, v: V) -> V {
        let value = outer.value(v);
        if let Some(&inner) = self.index.get(&value.name) {
            return inner;
        }
        let origin = match &value.origin {
            Origin::Initializer(tensor) => Origin::Initializer(tensor.clone()),
            _ => Origin::Input,
        };
        let inner = self.graph.push_value(Value {
            origin,
            cotangent: false,
            ..value.clone()
        });
        self.index.insert(value.name.clone(), inner);
        self.outside.insert(inner, v);
        inner
    }

    /// The value that stands here for a value of the graph around, if one does.
    pub(crate) fn inner(&self, v: V) -> Option<V> {
        let mut pairs = self.outside.iter();
        pairs
            .find(|(_, outer)| **outer == v)
            .map(|(inner, _)| *inner)
    }

    /// A parameter of the body.
    pub(crate) fn parameter(&mut self, hint: &str, info: Info) -> V {
        let name = self.graph.fresh_name(hint);
        let v = self.graph.add_input(name, info.data_type, info.shape);
        self.graph.value_mut(v).content = info.content;
        v
    }

    /// Adds the nodes of a body, its inputs being `arguments`; returns its outputs.
    pub(crate) fn load(&mut self, body: &GraphProto, arguments: &[V]) -> Result<Vec<V>> {
        if body.input.len() != arguments.len() {
            return Err(Error::Invalid {
                reason: format!(
                    "body `{}` takes {} inputs, {} are given",
                    body.name,
                    body.input.len(),
                    arguments.len()
                ),
            });
        }
        // Its own names may be those of values around, or of the same body loaded elsewhere.
        let prefix = self.graph.fresh_name("in");
        let mut body = body.clone();
        let names: HashMap<String, String> = body
            .input
            .iter()
            .zip(arguments)
            .map(|(info, &v)| (info.name.clone(), self.graph.value(v).name.clone()))
            .collect();
        rename(&mut body, &names, &prefix);
        let mut index = self.index.clone();
        for &v in arguments {
            index.insert(self.graph.value(v).name.clone(), v);
        }
        read::add_body(&mut self.graph, &body, &mut index)
    }

    /// The values that stand for values of the graph around.
    pub(crate) fn captures(&self) -> HashSet<V> {
        self.outside.keys().copied().collect()
    }

    /// Gives symbols and names back.
    pub(crate) fn close(mut self, outer: &mut Graph) {
        outer.symbols = std::mem::take(&mut self.graph.symbols);
        outer.names = std::mem::take(&mut self.graph.names);
        outer.counter = self.graph.counter;
        if let Some(fault) = self.graph.take_fault() {
            outer.fail(fault);
        }
    }

    /// The body as it is stored, and the values of the graph around that it reads.
    pub(crate) fn finish(
        mut self,
        outer: &mut Graph,
        parameters: &[V],
        outputs: &[V],
    ) -> (GraphProto, Vec<V>) {
        // A value that is a parameter, comes from around or is returned twice needs a name here.
        let named: Vec<(V, String)> = outputs
            .iter()
            .map(|&v| (v, self.graph.fresh_name("out")))
            .collect();
        let outside = self.captures();
        let name = self.graph.fresh_name("body");
        let part = Part {
            name: &name,
            inputs: parameters.to_vec(),
            outputs: named,
        };
        let body = write::graph(&self.graph, &part, &outside);
        let names = captured_by(&body);
        let mut read: Vec<V> = self
            .outside
            .iter()
            .filter(|(inner, _)| names.contains(&self.graph.value(**inner).name))
            .map(|(_, outer)| *outer)
            .collect();
        read.sort();
        self.close(outer);
        (body, read)
    }
}

/// Gives the values of a body, and of those in it, names of their own; `known` are those of values
/// around it that have others.
fn rename(body: &mut GraphProto, known: &HashMap<String, String>, prefix: &str) {
    let mut names = known.clone();
    let inputs = body.input.iter().map(|info| &info.name);
    let stored = body.initializer.iter().map(|tensor| &tensor.name);
    let computed = body.node.iter().flat_map(|node| &node.output);
    for name in stored.chain(computed).filter(|name| !name.is_empty()) {
        names.insert(name.clone(), format!("{prefix}/{name}"));
    }
    for name in inputs {
        let own = known.get(name).cloned();
        names.insert(
            name.clone(),
            own.unwrap_or_else(|| format!("{prefix}/{name}")),
        );
    }
    let apply = |name: &mut String| {
        if let Some(new) = names.get(name) {
            name.clone_from(new);
        }
    };
    let infos = body.input.iter_mut().chain(&mut body.output);
    infos
        .chain(&mut body.value_info)
        .for_each(|info| apply(&mut info.name));
    body.initializer
        .iter_mut()
        .for_each(|tensor| apply(&mut tensor.name));
    for node in &mut body.node {
        if node.name.is_empty() {
            node.name = node.output.first().cloned().unwrap_or_default();
        }
        node.input
            .iter_mut()
            .chain(&mut node.output)
            .for_each(apply);
        for attribute in &mut node.attribute {
            for graph in attribute.subgraphs_mut() {
                let mut inner = names.clone();
                inner.retain(|name, _| !graph.input.iter().any(|info| &info.name == name));
                rename(graph, &inner, prefix);
            }
        }
    }
}

impl Graph {
    /// Adds a derived node with bodies, whose outputs are these.
    pub(crate) fn emit_with_body(
        &mut self,
        op: &str,
        inputs: Vec<Option<V>>,
        bodies: Vec<(AttributeProto, Vec<V>)>,
        outputs: Vec<Info>,
    ) -> Vec<V> {
        let mut captures: BTreeSet<V> = BTreeSet::new();
        let mut attributes = Vec::new();
        for (attribute, read) in bodies {
            attributes.push(attribute);
            captures.extend(read);
        }
        let made: Vec<V> = outputs
            .into_iter()
            .map(|info| {
                let name = self.fresh_name(op);
                self.push_value(Value {
                    shape: info.shape,
                    ..Value::new(name, info.data_type)
                })
            })
            .collect();
        let node = Node {
            op: op.into(),
            name: self.fresh_name(op),
            inputs,
            captures: captures.into_iter().collect(),
            outputs: made.iter().copied().map(Some).collect(),
            attributes,
            derived: true,
            ..Node::default()
        };
        self.push_node(node);
        made
    }
}
