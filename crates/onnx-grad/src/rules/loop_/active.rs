//! What takes part in the gradient of a loop.

use std::collections::HashSet;

use super::plan::Plan;
use crate::Result;
use crate::graph::scope::Scope;
use crate::graph::{Info, Node, V};
use crate::rules::grad::Grad;

/// What takes part in the gradient.
pub(super) struct Active {
    /// Per carried value.
    pub(super) states: Vec<bool>,
    /// Per sliced input.
    pub(super) slices: Vec<bool>,
    pub(super) captures: Vec<V>,
}

/// The body with free parameters.
struct Opened {
    scope: Scope,
    /// Of the carried values.
    states: Vec<V>,
    slices: Vec<V>,
    outputs: Vec<V>,
}

/// Finds the carried values that the chosen inputs reach, and what leads to them.
pub(super) fn active(g: &mut Grad, node: &Node, plan: &Plan, given: &[Info]) -> Result<Active> {
    let wanted: HashSet<V> = g.wanted().into_iter().collect();
    let is_wanted = |at: usize| node.input(at).is_some_and(|v| wanted.contains(&v));
    let captures = node.captures.iter().copied();
    let captures: Vec<V> = captures.filter(|v| wanted.contains(v)).collect();
    let mut scope = Scope::new(g, node)?;
    let formals: Vec<V> = given
        .iter()
        .map(|info| scope.parameter("in", info.clone()))
        .collect();
    let outputs = scope.load(&plan.body, &formals)?;
    let (states, slices) = formals[plan.first()..].split_at(plan.states);
    let mut opened = Opened {
        scope,
        states: states.to_vec(),
        slices: slices.to_vec(),
        outputs,
    };
    check_shapes(g, plan, &mut opened)?;
    let scope = &opened.scope;
    let mut sources: Vec<V> = captures.iter().filter_map(|v| scope.inner(*v)).collect();
    let sliced = opened.slices.iter().zip(&plan.slices);
    sources.extend(sliced.filter(|(_, s)| is_wanted(s.at)).map(|(v, _)| *v));
    let begin = (0..plan.states)
        .map(|at| is_wanted(plan.lead + at))
        .collect();
    let moving = moving(plan, &opened, sources, begin);
    let mut ends: Vec<V> = Vec::new();
    for (at, _) in moving.iter().enumerate().filter(|(_, m)| **m) {
        ends.extend(opened.outputs.get(plan.body_output(at)));
    }
    for stack in plan.stacks.iter().filter(|s| g.dy_of(s.at).is_some()) {
        ends.extend(opened.outputs.get(plan.body_output(stack.at)));
    }
    let leads = scope.graph.leads_to(&ends);
    let sliced = opened.slices.iter().zip(&plan.slices);
    let active = Active {
        states: moving,
        slices: sliced
            .map(|(v, slice)| is_wanted(slice.at) && leads[v.0])
            .collect(),
        captures: captures
            .into_iter()
            .filter(|&v| scope.inner(v).is_some_and(|v| leads[v.0]))
            .collect(),
    };
    opened.scope.close(g);
    Ok(active)
}

/// Carried values have to keep their shape.
fn check_shapes(g: &Grad, plan: &Plan, opened: &mut Opened) -> Result<()> {
    let graph = &mut opened.scope.graph;
    for (at, &v) in opened.states.iter().enumerate() {
        let after = opened.outputs.get(plan.body_output(at));
        let (Some(before), Some(after)) = (graph.shape(v), after.and_then(|&v| graph.shape(v)))
        else {
            continue;
        };
        let mut differs = before.len() != after.len();
        for (a, b) in before.iter().zip(&after) {
            // Named otherwise, lengths may still be the same.
            let grown = graph.symbols.sub(b, a).as_known();
            let ratio = b.div_exact(a).and_then(|ratio| ratio.as_known());
            differs |= grown.is_some_and(|n| n != 0) || ratio.is_some_and(|n| n != 1);
        }
        if differs {
            return Err(g.error(format!(
                "its carried value {at} changes its shape from one iteration to the next: unroll the \
                 loop when exporting"
            )));
        }
    }
    Ok(())
}

/// The carried values that move: those that do so at first, and those that others move.
fn moving(plan: &Plan, opened: &Opened, sources: Vec<V>, begin: Vec<bool>) -> Vec<bool> {
    let graph = &opened.scope.graph;
    let mut moving = begin;
    loop {
        let mut all = sources.clone();
        let states = opened.states.iter().zip(&moving);
        all.extend(states.filter(|(_, m)| **m).map(|(v, _)| *v));
        let depends = graph.depends_between(&opened.outputs, &all);
        let mut grown = false;
        for (at, moves) in moving.iter_mut().enumerate() {
            let after = opened.outputs.get(plan.body_output(at));
            if !*moves
                && after.is_some_and(|v| depends.contains(v))
                && graph.data_type(opened.states[at]).is_float()
            {
                *moves = true;
                grown = true;
            }
        }
        if !grown {
            return moving;
        }
    }
}
