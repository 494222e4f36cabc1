//! [If](https://onnx.ai/onnx/operators/onnx__If.html): the outputs of one of two bodies. The
//! gradient is an If with the same condition, whose bodies compute the branch again and give the
//! gradients of the values that the branches read from around.

use std::collections::HashSet;

use super::{Cost, Op};
use crate::Result;
use crate::dim::Dim;
use crate::grad::Grad;
use crate::graph::{Graph, Info, Node, V};
use crate::proto::GraphProto;
use crate::reverse::{leads_to, reverse_between};
use crate::scope::{Scope, attr_graph};

pub(super) const OPS: &[Op] = &[Op::new("If", shape, rule, Cost::Heavy).many_outputs()];

const BRANCHES: [&str; 2] = ["then_branch", "else_branch"];

pub(super) fn body(n: &Node, name: &str) -> Option<GraphProto> {
    Some(n.attribute(name)?.g.as_deref()?.clone())
}

/// Types and shapes of a body's outputs.
pub(super) fn outputs_of(
    g: &mut Graph,
    n: &Node,
    body: &GraphProto,
    arguments: Vec<Info>,
) -> Option<Vec<Info>> {
    let mut scope = Scope::new(g, n).ok()?;
    let arguments: Vec<V> = arguments
        .into_iter()
        .map(|info| scope.parameter("in", info))
        .collect();
    let infos = scope.load(body, &arguments).map(|outputs| {
        let info = |v: V| Info::new(scope.graph.data_type(v), scope.graph.shape(v));
        outputs.into_iter().map(info).collect()
    });
    scope.close(g);
    infos.ok()
}

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

/// The lengths that two shapes share, the others being free.
pub(super) fn common(g: &mut Graph, a: &[Dim], b: &[Dim]) -> Option<Vec<Dim>> {
    let both = a.iter().zip(b);
    (a.len() == b.len()).then(|| {
        both.map(|(a, b)| if a == b { a.clone() } else { g.symbols.fresh() })
            .collect()
    })
}

pub(super) fn zeros_like(g: &mut Graph, v: V) -> V {
    let zero = g.scalar(0.0, v);
    match g.shape(v) {
        Some(dims) if dims.is_empty() => zero,
        Some(dims) => g.expand(zero, &dims, Some(v)),
        None => {
            let shape = g.unary("Shape", v);
            g.emit("Expand", &[zero, shape], Vec::new())
        }
    }
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
    let mut reached: HashSet<V> = HashSet::new();
    for body in &bodies {
        let wanted = g.wanted();
        let mut scope = Scope::new(g, &node)?;
        let outputs = scope.load(body, &[])?;
        let ends: Vec<V> = seeded
            .iter()
            .filter_map(|(at, _)| outputs.get(*at).copied())
            .collect();
        let leads = leads_to(&scope.graph, &ends);
        for v in wanted {
            if scope.inner(v).is_some_and(|v| leads[v.0 as usize]) {
                reached.insert(v);
            }
        }
        scope.close(g);
    }
    let wanted: Vec<V> = g
        .wanted()
        .into_iter()
        .filter(|v| reached.contains(v))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut parts = Vec::new();
    for (name, body) in BRANCHES.iter().zip(&bodies) {
        let mut scope = Scope::new(g, &node)?;
        let outputs = scope.load(body, &[])?;
        let mut seeds = Vec::new();
        for &(at, dy) in &seeded {
            let dy = scope.import(g, dy);
            match outputs.get(at) {
                Some(&v) => seeds.push((v, dy)),
                None => return Err(g.error(format!("`{name}` has fewer outputs than the node"))),
            }
        }
        let inner: Vec<V> = wanted.iter().map(|&v| scope.import(g, v)).collect();
        let stops = scope.captures();
        let gradients = reverse_between(&mut scope.graph, &seeds, &inner, &stops)?;
        let gradients: Vec<V> = inner
            .iter()
            .zip(gradients)
            .map(|(&v, gradient)| gradient.unwrap_or_else(|| zeros_like(&mut scope.graph, v)))
            .collect();
        let (body, read) = scope.finish(g, &[], &gradients);
        parts.push((attr_graph(name, body), read));
    }
    let infos = wanted
        .iter()
        .map(|&v| Info::new(g.data_type(v), g.shape(v)))
        .collect();
    let gradients = g.emit_with_body("If", vec![Some(condition)], parts, infos);
    for (v, gradient) in wanted.into_iter().zip(gradients) {
        g.give_to(v, gradient)?;
    }
    Ok(())
}
