//! [If](https://onnx.ai/onnx/operators/onnx__If.html): the outputs of one of two bodies. The
//! gradient is an If with the same condition, whose bodies compute the branch again and give the
//! gradients of the values that the branches read from around.
//!
//! Opsets 13 to 24 (defined in 13, 16, 19, 21, 23, 24).

use std::collections::HashSet;

use super::bodies::{body, common, outputs_of};
use super::op::{Cost, Grad, Op, Result};
use crate::graph::attribute::attr_graph;
use crate::graph::scope::Scope;
use crate::graph::{Graph, Info, Node, V};
use crate::proto::GraphProto;

pub(super) const OPS: &[Op] = &[Op::new("If", shape, rule, Cost::Heavy).many_outputs()];

const BRANCHES: [&str; 2] = ["then_branch", "else_branch"];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let mut found = Vec::new();
    for name in BRANCHES {
        let body = body(n, name)?;
        found.push(outputs_of(g, n, &body, Vec::new())?);
    }
    let (yes, no) = (found.first()?.clone(), found.get(1)?);
    let merged = yes.into_iter().zip(no).map(|(yes, no)| {
        let shape = match (yes.shape, &no.shape) {
            (Some(a), Some(b)) => common(g, &a, b),
            _ => None,
        };
        Info::new(yes.data_type, shape)
    });
    Some(merged.collect())
}

fn rule(g: &mut Grad) -> Result<()> {
    let node = g.node.clone();
    let condition = g.x(0)?;
    let seeded: Vec<(usize, V)> = (0..node.outputs.len())
        .filter_map(|at| Some((at, g.dy_of(at)?)))
        .collect();
    let mut bodies = Vec::new();
    for name in BRANCHES {
        let body = body(&node, name);
        bodies.push(body.ok_or_else(|| g.error(format!("it has no `{name}`")))?);
    }
    let wanted = reached(g, &node, &bodies, &seeded)?;
    if wanted.is_empty() {
        return Ok(());
    }
    let mut parts = Vec::new();
    for (name, body) in BRANCHES.iter().zip(&bodies) {
        let (body, read) = branch(g, &node, (name, body), &seeded, &wanted)?;
        parts.push((attr_graph(name, body), read));
    }
    let infos = wanted.iter().map(|&v| g.info(v)).collect();
    let gradients = g.emit_with_body("If", vec![Some(condition)], parts, infos);
    for (v, gradient) in wanted.into_iter().zip(gradients) {
        g.give_to(v, gradient)?;
    }
    Ok(())
}

/// The wanted values that lead to a seeded output in one of the branches.
fn reached(
    g: &mut Grad,
    node: &Node,
    bodies: &[GraphProto],
    seeded: &[(usize, V)],
) -> Result<Vec<V>> {
    let mut reached: HashSet<V> = HashSet::new();
    let mut wanted = g.wanted();
    for body in bodies {
        let mut scope = Scope::new(g, node)?;
        let outputs = scope.load(body, &[])?;
        let ends: Vec<V> = seeded
            .iter()
            .filter_map(|(at, _)| outputs.get(*at).copied())
            .collect();
        let leads = scope.graph.leads_to(&ends);
        let leads = |v: &&V| scope.inner(**v).is_some_and(|v| leads[v.0]);
        reached.extend(wanted.iter().filter(leads));
        scope.close(g);
    }
    wanted.retain(|v| reached.contains(v));
    Ok(wanted)
}

/// The body that computes a branch again and returns the gradients of the wanted values, and what
/// it reads from around.
fn branch(
    g: &mut Grad,
    node: &Node,
    (name, body): (&str, &GraphProto),
    seeded: &[(usize, V)],
    wanted: &[V],
) -> Result<(GraphProto, Vec<V>)> {
    let mut scope = Scope::new(g, node)?;
    let outputs = scope.load(body, &[])?;
    let mut seeds = Vec::new();
    for &(at, dy) in seeded {
        let dy = scope.import(g, dy);
        match outputs.get(at) {
            Some(&v) => seeds.push((v, dy)),
            None => return Err(g.error(format!("`{name}` has fewer outputs than the node"))),
        }
    }
    let inner: Vec<V> = wanted.iter().map(|&v| scope.import(g, v)).collect();
    let stops = scope.captures();
    let found = g.reverse_between(&mut scope.graph, &seeds, &inner, &stops)?;
    let gradients: Vec<V> = inner
        .iter()
        .zip(found)
        .map(|(&v, gradient)| gradient.unwrap_or_else(|| scope.graph.zeros_like(v)))
        .collect();
    Ok(scope.finish(g, &[], &gradients))
}
