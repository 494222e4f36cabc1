//! The whole derivation, from a request to its graphs.

use std::collections::{HashMap, HashSet};

use crate::data_type::DataType;
use crate::graph::write::{Part, tensor_info};
use crate::graph::{Graph, V};
use crate::model::{Model, TensorInfo};
use crate::passes::assemble::model;
use crate::passes::lifetimes::footprint;
use crate::passes::load::graph_from_model;
use crate::passes::reverse::reverse;
use crate::passes::{partition, weights};
use crate::request::{Gradient, GradientInfo, Joint, Mode, Request, SavedInfo, Split};
use crate::{Error, Result};

/// Derives the graphs that a request asks for.
///
/// # Errors
/// See [`Error`]: the model is invalid, the request does not fit it, or an op in the way has no
/// gradient.
pub fn differentiate(source: &Model, request: &Request) -> Result<Gradient> {
    let (source, weights) = weights::prepare(source, request)?;
    let source = source.as_ref();
    let mut graph = graph_from_model(source)?;
    graph.stores_transposed = request.mode == Mode::Split;
    let names: Vec<&String> = request.inputs.iter().chain(&weights).collect();
    let of_quantised = |error| of_quantised(source, error);
    let wanted =
        find_sources(&graph, request, &names, request.inputs.len()).map_err(of_quantised)?;
    let seeds = add_seeds(&mut graph, request).map_err(of_quantised)?;
    let cotangents: Vec<V> = seeds.iter().map(|(_, cotangent)| *cotangent).collect();
    graph.dim_sources = cotangents.iter().chain(&graph.inputs).copied().collect();
    let gradients = reverse(&mut graph, &seeds, &wanted)?;
    check_types(&graph, &cotangents)?;
    let mut named: Vec<(V, String)> = Vec::new();
    for (gradient, input) in gradients.into_iter().zip(&names) {
        named.push((gradient, graph.free_name(&format!("{input}_gradient"))));
    }
    let infos = named
        .iter()
        .zip(names)
        .map(|((v, name), input)| GradientInfo {
            input: input.clone(),
            tensor: tensor_info(&graph, *v, name),
        });
    let taken = if request.weights.as_inputs {
        &wanted[request.inputs.len()..]
    } else {
        &[]
    };
    let derived = Derived {
        source,
        cotangents: infos_of(&graph, &cotangents),
        weights: infos_of(&graph, taken),
        gradients: infos.collect(),
        originals: output_names(source, &graph),
        named,
        graph,
    };
    match request.mode {
        Mode::Joint => derived.joint(&cotangents).map(Gradient::Joint),
        Mode::Split => derived.split(&cotangents).map(Gradient::Split),
    }
}

/// Whole numbers of a quantised model are named as such.
fn of_quantised(source: &Model, error: Error) -> Error {
    match (error, source.quantised_op()) {
        (Error::NotFloat { name, .. }, Some(op)) => Error::Quantised {
            op: op.to_owned(),
            name: Some(name),
        },
        (error, _) => error,
    }
}

/// A graph with its gradients, before it is written.
struct Derived<'a> {
    source: &'a Model,
    graph: Graph,
    /// The model's outputs.
    originals: Vec<(V, String)>,
    /// The gradients, and the names that they get.
    named: Vec<(V, String)>,
    cotangents: Vec<TensorInfo>,
    weights: Vec<TensorInfo>,
    gradients: Vec<GradientInfo>,
}

impl Derived<'_> {
    fn joint(self, cotangents: &[V]) -> Result<Joint> {
        let part = Part {
            name: "forward and gradient",
            inputs: self
                .graph
                .inputs
                .iter()
                .chain(cotangents)
                .copied()
                .collect(),
            outputs: self.originals.into_iter().chain(self.named).collect(),
        };
        Ok(Joint {
            model: model(&self.graph, self.source.proto(), &part)?,
            cotangents: self.cotangents,
            weights: self.weights,
            gradients: self.gradients,
        })
    }

    fn split(self, cotangents: &[V]) -> Result<Split> {
        let graph = &self.graph;
        let gradients: Vec<V> = self.named.iter().map(|(v, _)| *v).collect();
        let saved = partition::saved(graph, &gradients);
        check_types(graph, &saved)?;
        let given: HashSet<V> = [&saved, &graph.inputs, cotangents]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        let read = sources_read(graph, &given, &gradients);
        let forwarded = graph.inputs.iter().copied().filter(|v| read.contains(v));
        let forwarded: Vec<V> = forwarded.collect();
        let backward = Part {
            name: "gradient",
            inputs: [&saved, &forwarded, cotangents]
                .into_iter()
                .flatten()
                .copied()
                .collect(),
            outputs: self.named,
        };
        let returned: HashSet<V> = self.originals.iter().map(|(v, _)| *v).collect();
        let mut outputs = self.originals;
        let extra = saved.iter().filter(|v| !returned.contains(v));
        outputs.extend(extra.map(|&v| (v, graph.value(v).name.clone())));
        let forward = Part {
            name: "forward",
            inputs: graph.inputs.clone(),
            outputs,
        };
        let saved_info = |&v: &V| SavedInfo {
            tensor: tensor_info(graph, v, &graph.value(v).name),
            op: graph
                .producer(v)
                .map_or_else(String::new, |node| node.op.clone()),
        };
        Ok(Split {
            forward: model(graph, self.source.proto(), &forward)?,
            backward: model(graph, self.source.proto(), &backward)?,
            saved: saved.iter().map(saved_info).collect(),
            forwarded_inputs: infos_of(graph, &forwarded),
            cotangents: self.cotangents,
            weights: self.weights,
            gradients: self.gradients,
            footprints: [footprint(graph, &forward), footprint(graph, &backward)],
        })
    }
}

/// Types of what callers pass have to be known.
fn check_types(graph: &Graph, values: &[V]) -> Result<()> {
    let untyped = |v: &&V| graph.data_type(**v) == DataType::Other(0);
    match values.iter().find(untyped) {
        None => Ok(()),
        Some(&v) => Err(Error::UnknownType {
            tensor: graph.value(v).name.clone(),
        }),
    }
}

/// Which of the `given` values are read on the way to `outputs`.
fn sources_read(graph: &Graph, given: &HashSet<V>, outputs: &[V]) -> HashSet<V> {
    let mut seen = HashSet::new();
    let mut queue: Vec<V> = outputs.to_vec();
    while let Some(v) = queue.pop() {
        if !seen.insert(v) || given.contains(&v) {
            continue;
        }
        if let Some(node) = graph.producer(v) {
            queue.extend(node.reads());
        }
    }
    seen.retain(|v| given.contains(v));
    seen
}

fn infos_of(graph: &Graph, values: &[V]) -> Vec<TensorInfo> {
    values
        .iter()
        .map(|&v| tensor_info(graph, v, &graph.value(v).name))
        .collect()
}

fn output_names(source: &Model, graph: &Graph) -> Vec<(V, String)> {
    let names = source.outputs().into_iter().map(|info| info.name);
    graph.outputs.iter().copied().zip(names).collect()
}

fn names_of(graph: &Graph, values: &[V]) -> Vec<String> {
    values
        .iter()
        .map(|&v| graph.value(v).name.clone())
        .collect()
}

/// The values of the chosen inputs, `inputs` of them, and weights.
fn find_sources(
    graph: &Graph,
    request: &Request,
    names: &[&String],
    inputs: usize,
) -> Result<Vec<V>> {
    if names.is_empty() || request.outputs.is_empty() {
        return Err(Error::Request {
            reason: "it has to name at least one output and one input or weight".into(),
        });
    }
    let by_name: HashMap<&str, V> = graph
        .sources()
        .map(|v| (graph.value(v).name.as_str(), v))
        .collect();
    let mut found = Vec::new();
    for (at, &name) in names.iter().enumerate() {
        let v = by_name
            .get(name.as_str())
            .copied()
            .filter(|v| at >= inputs || graph.inputs.contains(v));
        let v = v.ok_or_else(|| Error::UnknownInput {
            name: name.clone(),
            available: names_of(graph, &graph.inputs),
        })?;
        if !graph.data_type(v).is_float() {
            return Err(Error::NotFloat {
                name: name.clone(),
                dtype: graph.data_type(v),
            });
        }
        if found.contains(&v) {
            return Err(Error::Request {
                reason: format!("`{name}` is named twice"),
            });
        }
        found.push(v);
    }
    Ok(found)
}

fn add_seeds(graph: &mut Graph, request: &Request) -> Result<Vec<(V, V)>> {
    let mut seeds: Vec<(V, V)> = Vec::new();
    for seed in &request.outputs {
        let v = graph
            .outputs
            .iter()
            .copied()
            .find(|&v| graph.value(v).name == seed.output);
        let v = v.ok_or_else(|| Error::UnknownOutput {
            name: seed.output.clone(),
            available: names_of(graph, &graph.outputs),
        })?;
        let data_type = graph.data_type(v);
        // An unknown type is that of an op without a rule, which is the better thing to name.
        if !data_type.is_float() && data_type != DataType::Other(0) {
            return Err(Error::NotFloat {
                name: seed.output.clone(),
                dtype: data_type,
            });
        }
        if seeds.iter().any(|(other, _)| *other == v) {
            return Err(Error::Request {
                reason: format!("output `{}` is seeded twice", seed.output),
            });
        }
        let name = match &seed.cotangent {
            Some(name) if graph.names.contains(name) => {
                return Err(Error::Request {
                    reason: format!("the name `{name}` is taken: name the cotangent otherwise"),
                });
            }
            Some(name) => name.clone(),
            None => graph.free_name(&seed.cotangent_name()),
        };
        let shape = graph.shape(v);
        let cotangent = graph.add_input(name, data_type, shape);
        graph.value_mut(cotangent).cotangent = true;
        seeds.push((v, cotangent));
    }
    Ok(seeds)
}
