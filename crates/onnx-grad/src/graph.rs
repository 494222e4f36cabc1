//! The graph that rules read and extend: values by index, nodes in topological order.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use prost::Message as _;

use crate::dim::{Dim, Symbols};
use crate::model::DataType;
use crate::ops;
use crate::proto::{AttributeProto, TensorProto};
use crate::tensor;

/// Index of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct V(pub(crate) u32);

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// An input of the graph, or the cotangent of an output.
    Input,
    Initializer(Rc<TensorProto>),
    /// Output of a node.
    Node(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    pub(crate) shape: Option<Vec<Dim>>,
    /// Elements of a small integer tensor of rank 0 or 1.
    pub(crate) content: Option<Vec<Dim>>,
    pub(crate) origin: Origin,
    /// Whether only initializers lead to it.
    pub(crate) constant: bool,
    /// Whether it depends on a cotangent.
    pub(crate) cotangent: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) op: String,
    pub(crate) domain: String,
    pub(crate) name: String,
    pub(crate) inputs: Vec<Option<V>>,
    /// Values that subgraphs of this node read.
    pub(crate) captures: Vec<V>,
    pub(crate) outputs: Vec<Option<V>>,
    pub(crate) attributes: Vec<AttributeProto>,
    /// Whether a rule made it.
    pub(crate) derived: bool,
}

/// What shape inference says about one output.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    pub(crate) data_type: DataType,
    pub(crate) shape: Option<Vec<Dim>>,
    pub(crate) content: Option<Vec<Dim>>,
}

impl Info {
    pub(crate) fn new(data_type: DataType, shape: Option<Vec<Dim>>) -> Self {
        Self {
            data_type,
            shape,
            content: None,
        }
    }

    pub(crate) fn with_content(mut self, content: Option<Vec<Dim>>) -> Self {
        self.content = content.filter(|content| content.len() <= 64);
        self
    }
}

#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) values: Vec<Value>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) inputs: Vec<V>,
    pub(crate) outputs: Vec<V>,
    pub(crate) opset: i64,
    /// Versions of the other domains that the model imports.
    pub(crate) domains: HashMap<String, i64>,
    pub(crate) symbols: Symbols,
    /// Values to read free dimensions from, best first.
    pub(crate) dim_sources: Vec<V>,
    pub(crate) names: HashSet<String>,
    /// Initializers of the model, unlike constants of its nodes and of rules.
    pub(crate) stored: HashSet<V>,
    /// Whether weights that rules transpose are stored transposed, instead of by a node.
    pub(crate) stores_transposed: bool,
    seen: HashMap<Key, Vec<Option<V>>>,
    tensors: HashMap<Vec<u8>, V>,
    pub(crate) transposed: HashMap<V, V>,
    pub(crate) counter: usize,
    /// How many bodies of control flow it lies in.
    pub(crate) depth: usize,
}

/// Equal keys mean equal results.
type Key = (String, String, Vec<Option<V>>, Vec<u8>, usize);

impl Node {
    pub(crate) fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.attributes.iter().find(|a| a.name == name)
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|a| a.i).unwrap_or(default)
    }

    pub(crate) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).and_then(|a| a.f).unwrap_or(default)
    }

    pub(crate) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|a| a.ints.as_slice())
    }

    pub(crate) fn string(&self, name: &str, default: &str) -> String {
        self.attribute(name).and_then(|a| a.s.as_ref()).map_or_else(
            || default.to_owned(),
            |s| String::from_utf8_lossy(s).into_owned(),
        )
    }

    pub(crate) fn input(&self, index: usize) -> Option<V> {
        self.inputs.get(index).copied().flatten()
    }

    pub(crate) fn output(&self, index: usize) -> Option<V> {
        self.outputs.get(index).copied().flatten()
    }

    pub(crate) fn is(&self, op: &str) -> bool {
        self.op == op && self.domain.is_empty()
    }

    pub(crate) fn has_bodies(&self) -> bool {
        self.attributes
            .iter()
            .any(|a| a.g.is_some() || !a.graphs.is_empty())
    }

    /// A name to call the node by in a message.
    pub(crate) fn label(&self, graph: &Graph) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let first = self.outputs.iter().flatten().next();
        first.map_or_else(String::new, |&v| graph.value(v).name.clone())
    }

    fn key(&self) -> Option<Key> {
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
            let large =
                attribute.g.is_some() || attribute.t.is_some() || !attribute.graphs.is_empty();
            if large || attribute.encode_length_delimited(&mut encoded).is_err() {
                return None;
            }
        }
        Some((
            self.op.clone(),
            self.domain.clone(),
            self.inputs.clone(),
            encoded,
            self.outputs.iter().filter(|v| v.is_some()).count(),
        ))
    }
}

/// Inputs without the absent ones at the end, which not every engine takes for absent.
fn trimmed(inputs: &[Option<V>]) -> Vec<Option<V>> {
    let length = inputs
        .iter()
        .rposition(Option::is_some)
        .map_or(0, |at| at + 1);
    inputs[..length].to_vec()
}

impl Graph {
    pub(crate) fn value(&self, v: V) -> &Value {
        &self.values[v.0 as usize]
    }

    pub(crate) fn value_mut(&mut self, v: V) -> &mut Value {
        &mut self.values[v.0 as usize]
    }

    /// The version of a domain that the model imports.
    pub(crate) fn opset_of(&self, domain: &str) -> i64 {
        if domain.is_empty() {
            return self.opset;
        }
        self.domains.get(domain).copied().unwrap_or(1)
    }

    /// Inputs and initializers.
    pub(crate) fn sources(&self) -> impl Iterator<Item = V> {
        (0..)
            .map(V)
            .zip(&self.values)
            .filter_map(|(v, value)| (!matches!(value.origin, Origin::Node(_))).then_some(v))
    }

    pub(crate) fn data_type(&self, v: V) -> DataType {
        self.value(v).data_type
    }

    /// The shape with all that is known about its symbols by now.
    pub(crate) fn shape(&self, v: V) -> Option<Vec<Dim>> {
        let shape = self.value(v).shape.as_ref()?;
        Some(shape.iter().map(|d| self.symbols.resolve(d)).collect())
    }

    pub(crate) fn content(&self, v: V) -> Option<Vec<Dim>> {
        let content = self.value(v).content.as_ref()?;
        Some(content.iter().map(|d| self.symbols.resolve(d)).collect())
    }

    /// Elements of a small integer constant.
    pub(crate) fn known_ints(&self, v: V) -> Option<Vec<i64>> {
        self.content(v)?.iter().map(Dim::as_known).collect()
    }

    pub(crate) fn rank(&self, v: V) -> Option<usize> {
        self.value(v).shape.as_ref().map(Vec::len)
    }

    /// The tensor behind a value, where it is stored in the model.
    pub(crate) fn tensor(&self, v: V) -> Option<&Rc<TensorProto>> {
        match &self.value(v).origin {
            Origin::Initializer(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// The value of a constant that holds one float, looking through casts.
    pub(crate) fn scalar_value(&self, v: V) -> Option<f64> {
        tensor::single(self.tensor(self.behind_copies(v))?)
    }

    /// The value that `v` is a cast or reshaped copy of, if it is constant.
    pub(crate) fn behind_copies(&self, mut v: V) -> V {
        let copies = [
            "Cast",
            "CastLike",
            "Identity",
            "Unsqueeze",
            "Squeeze",
            "Reshape",
        ];
        while self.value(v).constant {
            let input = self
                .producer(v)
                .filter(|node| node.domain.is_empty() && copies.contains(&node.op.as_str()))
                .and_then(|node| node.input(0));
            match input {
                Some(input) => v = input,
                None => break,
            }
        }
        v
    }

    pub(crate) fn producer(&self, v: V) -> Option<&Node> {
        match self.value(v).origin {
            Origin::Node(index) => self.nodes.get(index),
            _ => None,
        }
    }

    pub(crate) fn fresh_name(&mut self, hint: &str) -> String {
        loop {
            let name = format!("grad/{hint}_{}", self.counter);
            self.counter += 1;
            if self.names.insert(name.clone()) {
                return name;
            }
        }
    }

    pub(crate) fn push_value(&mut self, value: Value) -> V {
        let v = V(u32::try_from(self.values.len()).unwrap_or(u32::MAX));
        self.values.push(value);
        v
    }

    pub(crate) fn add_input(
        &mut self,
        name: String,
        data_type: DataType,
        shape: Option<Vec<Dim>>,
    ) -> V {
        self.names.insert(name.clone());
        self.push_value(Value {
            name,
            data_type,
            shape,
            content: None,
            origin: Origin::Input,
            constant: false,
            cotangent: false,
        })
    }

    pub(crate) fn add_tensor(&mut self, name: String, tensor: Rc<TensorProto>) -> V {
        self.names.insert(name.clone());
        let shape: Vec<Dim> = tensor.dims.iter().map(|&d| Dim::known(d)).collect();
        let content = if shape.len() <= 1 {
            tensor::small_ints(&tensor).map(|ints| ints.into_iter().map(Dim::known).collect())
        } else {
            None
        };
        self.push_value(Value {
            name,
            data_type: DataType::from_code(tensor.data_type.unwrap_or(0)),
            shape: Some(shape),
            content,
            origin: Origin::Initializer(tensor),
            constant: true,
            cotangent: false,
        })
    }

    /// A new initializer, shared between equal ones.
    pub(crate) fn constant(&mut self, mut tensor: TensorProto) -> V {
        tensor.name.clear();
        let key = tensor.encode_to_vec();
        if let Some(&v) = self.tensors.get(&key) {
            return v;
        }
        let name = self.fresh_name("const");
        tensor.name.clone_from(&name);
        let v = self.add_tensor(name, Rc::new(tensor));
        self.tensors.insert(key, v);
        v
    }

    /// Appends a node whose output values exist, and infers their types.
    pub(crate) fn push_node(&mut self, node: Node) {
        let index = self.nodes.len();
        let ins = || node.inputs.iter().flatten().chain(&node.captures);
        let constant = ins().all(|&v| self.value(v).constant)
            && node.captures.is_empty()
            && node.key().is_some();
        let cotangent = ins().any(|&v| self.value(v).cotangent);
        for &v in node.outputs.iter().flatten() {
            let value = self.value_mut(v);
            value.origin = Origin::Node(index);
            value.constant = constant;
            value.cotangent = cotangent;
        }
        if let Some(key) = node.key() {
            self.seen.entry(key).or_insert_with(|| node.outputs.clone());
        }
        // Who derives a node with bodies says what it returns.
        let infos = if node.derived && node.has_bodies() {
            Vec::new()
        } else {
            ops::infer(self, &node)
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

    /// Adds a derived node, or finds one that computes the same.
    pub(crate) fn emit_many(
        &mut self,
        op: &str,
        inputs: &[Option<V>],
        attributes: Vec<AttributeProto>,
        outputs: &[bool],
    ) -> Vec<Option<V>> {
        self.emit_in("", op, inputs, attributes, outputs)
    }

    pub(crate) fn emit_in(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[Option<V>],
        attributes: Vec<AttributeProto>,
        outputs: &[bool],
    ) -> Vec<Option<V>> {
        let mut node = Node {
            op: op.to_owned(),
            domain: domain.to_owned(),
            inputs: trimmed(inputs),
            attributes,
            // Stand-ins: only their number enters the key.
            outputs: outputs.iter().map(|&o| o.then_some(V(0))).collect(),
            derived: true,
            ..Node::default()
        };
        if let Some(found) = node.key().and_then(|key| self.seen.get(&key)) {
            return found.clone();
        }
        let type_guess = inputs
            .iter()
            .flatten()
            .next()
            .map_or(DataType::Other(0), |&v| self.data_type(v));
        node.name = self.fresh_name(op);
        for slot in node.outputs.iter_mut().flatten() {
            let name = self.fresh_name(op);
            *slot = self.push_value(Value {
                name,
                data_type: type_guess,
                shape: None,
                content: None,
                origin: Origin::Input,
                constant: false,
                cotangent: false,
            });
        }
        let made = node.outputs.clone();
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
        let outputs = self.emit_many(op, inputs, attributes, &[true]);
        // One output was asked for, so there is one.
        outputs.into_iter().flatten().next().unwrap_or(V(0))
    }
}
