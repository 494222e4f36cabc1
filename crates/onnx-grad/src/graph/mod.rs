//! The graph that rules read and extend: values by index, nodes in topological order.

pub(crate) mod attribute;
pub(crate) mod build;
pub(crate) mod dim;
mod emit;
mod lengths;
pub(crate) mod paths;
pub(crate) mod read;
pub(crate) mod scope;
mod shapes;
pub(crate) mod symbols;
pub(crate) mod write;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use prost::Message as _;

pub(crate) use self::dim::Dim;
use self::symbols::Symbols;
use crate::data_type::DataType;
use crate::proto::{AttributeProto, TensorProto};
use crate::tensor;

/// Index of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct V(pub(crate) usize);

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

/// What the graph has to know about ops.
pub(crate) trait Ops: Sync {
    /// Types and shapes of a node's outputs; empty where nothing is known.
    fn infer(&self, graph: &mut Graph, node: &Node) -> Vec<Info>;
    /// Whether the op's derivative is zero wherever it exists.
    fn is_zero(&self, node: &Node) -> bool;
}

/// Why a node could not be added as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The model says too little.
    Unknown(&'static str),
    /// What this crate takes for granted does not hold.
    Broken(&'static str),
}

pub(crate) struct Graph {
    pub(crate) ops: &'static dyn Ops,
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
    /// The outputs of nodes, by what they compute.
    seen: HashMap<Key, Vec<Option<V>>>,
    tensors: HashMap<Vec<u8>, V>,
    pub(crate) transposed: HashMap<V, V>,
    pub(crate) counter: usize,
    /// How many bodies of control flow it lies in.
    pub(crate) depth: usize,
    /// The first fault since it was last taken: nodes are added without a `Result` each, and whoever
    /// runs a rule asks once.
    fault: Option<Fault>,
}

/// Equal keys mean equal results.
type Key = (String, String, Vec<Option<V>>, Vec<u8>, Vec<bool>);

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

    /// An attribute that names an element type.
    pub(crate) fn data_type(&self, name: &str) -> Option<DataType> {
        let code = self.attribute(name)?.i?;
        i32::try_from(code).ok().map(DataType::from_code)
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
            .any(|a| a.subgraphs().next().is_some())
    }

    /// What it reads: its inputs, and what its bodies read from around.
    pub(crate) fn reads(&self) -> impl Iterator<Item = V> {
        self.inputs.iter().flatten().chain(&self.captures).copied()
    }

    /// A name to call the node by in a message.
    pub(crate) fn label(&self, graph: &Graph) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let first = self.outputs.iter().flatten().next();
        first.map_or_else(String::new, |&v| graph.value(v).name.clone())
    }
}

impl Value {
    /// A value that nothing is known about but its element type.
    pub(crate) fn new(name: String, data_type: DataType) -> Self {
        Self {
            name,
            data_type,
            shape: None,
            content: None,
            origin: Origin::Input,
            constant: false,
            cotangent: false,
        }
    }
}

impl Graph {
    pub(crate) fn new(ops: &'static dyn Ops, opset: i64, domains: HashMap<String, i64>) -> Self {
        Self {
            ops,
            values: Vec::new(),
            nodes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            opset,
            domains,
            symbols: Symbols::default(),
            dim_sources: Vec::new(),
            names: HashSet::new(),
            stored: HashSet::new(),
            stores_transposed: false,
            seen: HashMap::new(),
            tensors: HashMap::new(),
            transposed: HashMap::new(),
            counter: 0,
            depth: 0,
            fault: None,
        }
    }

    /// Notes that what is asked for cannot be had. The first fault is the one that tells.
    pub(crate) fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    pub(crate) fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    pub(crate) fn value(&self, v: V) -> &Value {
        &self.values[v.0]
    }

    pub(crate) fn value_mut(&mut self, v: V) -> &mut Value {
        &mut self.values[v.0]
    }

    /// Types and shapes of a node's outputs; empty where nothing is known.
    pub(crate) fn infer(&mut self, node: &Node) -> Vec<Info> {
        self.ops.infer(self, node)
    }

    /// Nodes of the model that read a value.
    pub(crate) fn readers(&self, v: V) -> impl Iterator<Item = &Node> {
        let own = self.nodes.iter().filter(|node| !node.derived);
        own.filter(move |node| node.inputs.contains(&Some(v)))
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

    /// Type and shape of a value.
    pub(crate) fn info(&self, v: V) -> Info {
        Info::new(self.data_type(v), self.shape(v))
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

    /// The wanted name, or with `_2`, `_3`, … where it is taken; it is taken then.
    pub(crate) fn free_name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 1_usize;
        while !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }

    pub(crate) fn push_value(&mut self, value: Value) -> V {
        self.values.push(value);
        V(self.values.len() - 1)
    }

    pub(crate) fn add_input(
        &mut self,
        name: String,
        data_type: DataType,
        shape: Option<Vec<Dim>>,
    ) -> V {
        self.names.insert(name.clone());
        self.push_value(Value {
            shape,
            ..Value::new(name, data_type)
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
            shape: Some(shape),
            content,
            constant: true,
            origin: Origin::Initializer(tensor.clone()),
            ..Value::new(name, tensor.element_type())
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
}
