//! Which initializers get gradients, and the model with those made inputs or widened.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::load::graph_from_model;
use crate::data_type::DataType;
use crate::graph::read::captured;
use crate::graph::{Graph, Origin, V};
use crate::model::Model;
use crate::proto::{DimensionValue, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use crate::request::{Request, Weights, Which};
use crate::tensor;
use crate::{Error, Result};

/// Inputs of ops that are no parameters, or that their rules leave out.
const NOT_TRAINED: &[(&str, usize)] = &[
    ("BatchNormalization", 3),
    ("BatchNormalization", 4),
    ("Clip", 1),
    ("Clip", 2),
    ("Pad", 2),
    ("Resize", 1),
    ("Resize", 2),
    ("Upsample", 1),
    ("OneHot", 2),
    ("Range", 0),
    ("Range", 1),
    ("Range", 2),
];

/// Ops whose operands of one element are taken for constants of the formula.
const ARITHMETIC: &[&str] = &["Div", "Max", "Min", "Mul", "Pow", "Sub", "Where"];

/// The model to differentiate and the names of the chosen weights in it.
pub(crate) fn prepare<'a>(
    source: &'a Model,
    request: &Request,
) -> Result<(Cow<'a, Model>, Vec<String>)> {
    let weights = &request.weights;
    let names = match &weights.which {
        Which::None => return Ok((Cow::Borrowed(source), Vec::new())),
        Which::Named(names) => names.clone(),
        Which::All => all(&graph_from_model(source)?, request),
    };
    check(source, &names)?;
    if !weights.as_inputs && !weights.in_f32 {
        return Ok((Cow::Borrowed(source), names));
    }
    let mut proto = source.proto().clone();
    if let Some(graph) = proto.graph.as_mut() {
        let chosen: HashSet<&str> = names.iter().map(String::as_str).collect();
        if weights.in_f32 {
            widen(graph, &chosen, weights)?;
        }
        if weights.as_inputs {
            make_inputs(graph, &chosen);
        }
    }
    Ok((Cow::Owned(Model::from_proto(proto)), names))
}

/// Float initializers that look trained and lead to a seeded output.
fn all(graph: &Graph, request: &Request) -> Vec<String> {
    let seeded = |v: &V| {
        request
            .outputs
            .iter()
            .any(|seed| seed.output == graph.value(*v).name)
    };
    let outputs: Vec<V> = graph.outputs.iter().copied().filter(seeded).collect();
    let reaches = graph.leads_to(&outputs);
    let mut trained: HashSet<V> = HashSet::new();
    for node in &graph.nodes {
        for (at, v) in node.inputs.iter().enumerate() {
            if let Some(v) = *v
                && !(node.domain.is_empty() && NOT_TRAINED.contains(&(node.op.as_str(), at)))
                && !(ARITHMETIC.contains(&node.op.as_str()) && is_single(graph, v))
            {
                trained.insert(v);
            }
        }
        trained.extend(&node.captures);
    }
    graph
        .sources()
        .filter(|v| {
            let value = graph.value(*v);
            matches!(value.origin, Origin::Initializer(_))
                && graph.stored.contains(v)
                && value.data_type.is_float()
                && value.shape.as_ref().is_some_and(|shape| !shape.is_empty())
                && reaches[v.0]
                && trained.contains(v)
        })
        .map(|v| graph.value(v).name.clone())
        .collect()
}

fn is_single(graph: &Graph, v: V) -> bool {
    graph
        .shape(v)
        .is_some_and(|dims| dims.iter().all(|dim| dim.is(1)))
}

fn check(source: &Model, names: &[String]) -> Result<()> {
    let available: Vec<String> = source.weights().into_iter().map(|w| w.name).collect();
    let known: HashSet<&String> = available.iter().collect();
    match names.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Error::unknown_weight(name, available.iter().cloned())),
    }
}

fn is_half(tensor: &TensorProto) -> bool {
    matches!(
        tensor.element_type(),
        DataType::Float16 | DataType::BFloat16
    )
}

/// Whether a node casts to 32 bits.
fn widens(node: &NodeProto) -> bool {
    let to = i64::from(DataType::Float32.code());
    let mut attributes = node.attribute.iter();
    node.op_type == "Cast"
        && node.domain.is_empty()
        && attributes.any(|a| a.name == "to" && a.i == Some(to))
}

/// For every name that is read, whether only casts to 32 bits read it.
fn only_widened(graph: &GraphProto) -> HashMap<String, bool> {
    let mut only: HashMap<String, bool> = HashMap::new();
    for node in &graph.node {
        let widens = widens(node);
        for name in &node.input {
            *only.entry(name.clone()).or_insert(true) &= widens;
        }
        only.extend(captured(node).into_iter().map(|name| (name, false)));
    }
    only.extend(graph.output.iter().map(|info| (info.name.clone(), false)));
    only
}

/// Stores half-precision weights that are only cast to 32 bits in 32 bits.
fn widen(graph: &mut GraphProto, chosen: &HashSet<&str>, weights: &Weights) -> Result<()> {
    let only = only_widened(graph);
    let mut widened: HashSet<String> = HashSet::new();
    for tensor in &mut graph.initializer {
        if !chosen.contains(tensor.name.as_str()) || !is_half(tensor) {
            continue;
        }
        if only.get(&tensor.name) != Some(&true) {
            if weights.which == Which::All {
                continue;
            }
            return Err(Error::Request {
                reason: format!(
                    "weight `{}` is computed with in half precision, so that it cannot be held in \
                     32 bits: leave `in_f32` out",
                    tensor.name
                ),
            });
        }
        if let Some(values) = tensor::to_f32(tensor) {
            let name = tensor.name.clone();
            *tensor = tensor::from_f32(&values, &tensor.dims, DataType::Float32);
            tensor.name.clone_from(&name);
            widened.insert(name);
        }
    }
    for node in &mut graph.node {
        if node.op_type == "Cast"
            && node
                .input
                .first()
                .is_some_and(|name| widened.contains(name))
        {
            node.op_type = "Identity".into();
            node.attribute.clear();
        }
    }
    graph.input.retain(|info| !widened.contains(&info.name));
    Ok(())
}

/// Moves initializers to the inputs.
fn make_inputs(graph: &mut GraphProto, chosen: &HashSet<&str>) {
    graph
        .input
        .retain(|info| !chosen.contains(info.name.as_str()));
    let (moved, kept): (Vec<TensorProto>, Vec<TensorProto>) =
        std::mem::take(&mut graph.initializer)
            .into_iter()
            .partition(|tensor| chosen.contains(tensor.name.as_str()));
    graph.initializer = kept;
    graph.input.extend(moved.into_iter().map(|tensor| {
        let dims = tensor.dims.iter();
        let dims = dims.map(|&n| Some(DimensionValue::DimValue(n))).collect();
        ValueInfoProto::tensor(&tensor.name, tensor.element_type(), Some(dims))
    }));
}
