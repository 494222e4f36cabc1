use std::collections::{HashMap, HashSet};

use crate::assemble::{Part, model, tensor_info};
use crate::footprint::Footprint;
use crate::graph::{Graph, V};
use crate::load::graph_from_model;
use crate::model::{DataType, Model};
use crate::partition;
use crate::request::{Gradient, GradientInfo, Joint, Mode, Request, SavedInfo, Split};
use crate::reverse::reverse;
use crate::weights;
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
    let wanted = find_sources(&graph, request, &names, request.inputs.len())?;
    let seeds = add_seeds(&mut graph, request)?;
    let cotangents: Vec<V> = seeds.iter().map(|(_, cotangent)| *cotangent).collect();
    graph.dim_sources = cotangents.iter().chain(&graph.inputs).copied().collect();
    let gradients = reverse(&mut graph, &seeds, &wanted)?;
    if let Some(&v) = cotangents
        .iter()
        .find(|&&v| graph.data_type(v) == DataType::Other(0))
    {
        return Err(Error::UnknownType {
            tensor: graph.value(v).name.clone(),
        });
    }
    let named: Vec<(V, String)> = gradients
        .iter()
        .zip(&names)
        .map(|(&v, input)| (v, format!("{input}_gradient")))
        .collect();
    check_names(&graph, &named)?;
    let infos: Vec<GradientInfo> = named
        .iter()
        .zip(&names)
        .map(|((v, name), input)| GradientInfo {
            input: (*input).clone(),
            tensor: tensor_info(&graph, *v, name),
        })
        .collect();
    let cotangent_infos = infos_of(&graph, &cotangents);
    let weight_infos = if request.weights.as_inputs {
        infos_of(&graph, &wanted[request.inputs.len()..])
    } else {
        Vec::new()
    };
    let originals: Vec<(V, String)> = output_names(source)
        .into_iter()
        .zip(&graph.outputs)
        .map(|(name, &v)| (v, name))
        .collect();
    match request.mode {
        Mode::Joint => {
            let part = Part {
                name: "forward and gradient",
                inputs: graph.inputs.iter().chain(&cotangents).copied().collect(),
                outputs: originals.into_iter().chain(named).collect(),
            };
            Ok(Gradient::Joint(Joint {
                model: model(&graph, source.proto(), &part),
                cotangents: cotangent_infos,
                weights: weight_infos,
                gradients: infos,
            }))
        }
        Mode::Split => {
            let split = split(&graph, source, &cotangents, originals, named)?;
            Ok(Gradient::Split(Split {
                cotangents: cotangent_infos,
                weights: weight_infos,
                gradients: infos,
                ..split
            }))
        }
    }
}

fn split(
    graph: &Graph,
    source: &Model,
    cotangents: &[V],
    mut originals: Vec<(V, String)>,
    named: Vec<(V, String)>,
) -> Result<Split> {
    let gradients: Vec<V> = named.iter().map(|(v, _)| *v).collect();
    let saved = partition::saved(graph, &gradients);
    let untyped = saved
        .iter()
        .find(|&&v| graph.data_type(v) == DataType::Other(0));
    if let Some(&v) = untyped {
        return Err(Error::UnknownType {
            tensor: graph.value(v).name.clone(),
        });
    }
    let mut backward = Part {
        name: "gradient",
        inputs: saved
            .iter()
            .chain(&graph.inputs)
            .chain(cotangents)
            .copied()
            .collect(),
        outputs: named,
    };
    let read = sources_read(graph, &backward);
    let forwarded: Vec<V> = graph
        .inputs
        .iter()
        .copied()
        .filter(|v| read.contains(v))
        .collect();
    backward.inputs = saved
        .iter()
        .chain(&forwarded)
        .chain(cotangents)
        .copied()
        .collect();
    let returned: HashSet<V> = originals.iter().map(|(v, _)| *v).collect();
    let extra = saved.iter().filter(|v| !returned.contains(v));
    originals.extend(extra.map(|&v| (v, graph.value(v).name.clone())));
    let forward = Part {
        name: "forward",
        inputs: graph.inputs.clone(),
        outputs: originals,
    };
    Ok(Split {
        forward: model(graph, source.proto(), &forward),
        backward: model(graph, source.proto(), &backward),
        saved: saved
            .iter()
            .map(|&v| SavedInfo {
                tensor: tensor_info(graph, v, &graph.value(v).name),
                op: graph
                    .producer(v)
                    .map_or_else(String::new, |node| node.op.clone()),
            })
            .collect(),
        forwarded_inputs: infos_of(graph, &forwarded),
        cotangents: Vec::new(),
        weights: Vec::new(),
        gradients: Vec::new(),
        footprints: [
            Footprint::of(graph, &forward),
            Footprint::of(graph, &backward),
        ],
    })
}

/// Which of a part's inputs its nodes read.
fn sources_read(graph: &Graph, part: &Part) -> HashSet<V> {
    let given: HashSet<V> = part.inputs.iter().copied().collect();
    let mut seen = HashSet::new();
    let mut queue: Vec<V> = part.outputs.iter().map(|(v, _)| *v).collect();
    while let Some(v) = queue.pop() {
        if !seen.insert(v) || given.contains(&v) {
            continue;
        }
        if let Some(node) = graph.producer(v) {
            queue.extend(node.inputs.iter().flatten().chain(&node.captures));
        }
    }
    seen.retain(|v| given.contains(v));
    seen
}

fn infos_of(graph: &Graph, values: &[V]) -> Vec<crate::TensorInfo> {
    values
        .iter()
        .map(|&v| tensor_info(graph, v, &graph.value(v).name))
        .collect()
}

fn output_names(source: &Model) -> Vec<String> {
    source.outputs().into_iter().map(|info| info.name).collect()
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
            available: graph
                .inputs
                .iter()
                .map(|&v| graph.value(v).name.clone())
                .collect(),
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
            available: graph
                .outputs
                .iter()
                .map(|&v| graph.value(v).name.clone())
                .collect(),
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
        let name = seed.cotangent_name();
        if graph.names.contains(&name) {
            return Err(Error::Request {
                reason: format!("the name `{name}` is taken: name the cotangent otherwise"),
            });
        }
        let shape = graph.shape(v);
        let cotangent = graph.add_input(name, data_type, shape);
        graph.value_mut(cotangent).cotangent = true;
        seeds.push((v, cotangent));
    }
    Ok(seeds)
}

fn check_names(graph: &Graph, named: &[(V, String)]) -> Result<()> {
    match named.iter().find(|(_, name)| graph.names.contains(name)) {
        None => Ok(()),
        Some((_, name)) => Err(Error::Request {
            reason: format!("the model already has a tensor `{name}`: rename it"),
        }),
    }
}
