//! [Loop](https://onnx.ai/onnx/operators/onnx__Loop.html) and
//! [Scan](https://onnx.ai/onnx/operators/onnx__Scan.html): a body is run again and again, with
//! carried values, slices of inputs and stacked outputs.
//!
//! The forward node is made to stack the carried values that each iteration began with. The gradient
//! is a Loop over the iterations from the last to the first: its body computes the iteration again
//! and takes its gradient; it carries the gradients of the carried values, and sums those of the
//! values that the body reads from around. Carried values have to keep their shape.
//!
//! Opsets: Loop 13 to 24 (defined in 13, 16, 19, 21, 23, 24); Scan 13 to 24 (defined in 11, 16, 19,
//! 21, 23, 24).

mod active;
mod forward;
mod plan;

use std::collections::HashSet;

use self::active::{Active, active};
use self::plan::{Plan, arguments, plan};
use super::bodies::{common, outputs_of};
use super::op::{Cost, Grad, Op};
use super::slice::flip;
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::attribute::{attr_graph, attr_int};
use crate::graph::scope::Scope;
use crate::graph::{Graph, Info, Node, V};
use crate::proto::GraphProto;
use crate::{Error, Result, tensor};

const LIMITS: &str = "carried values keep their shape";

pub(super) const OPS: &[Op] = &[
    Op::new("Loop", shape, rule, Cost::Heavy)
        .many_outputs()
        .limits(LIMITS),
    Op::new("Scan", shape, rule, Cost::Heavy)
        .many_outputs()
        .limits(LIMITS),
];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let plan = plan(g, n)?;
    let given = arguments(g, n, &plan)?;
    let found = outputs_of(g, n, &plan.body, given.clone())?;
    let length = plan.length(g, n);
    let mut infos = Vec::new();
    for at in 0..plan.states {
        let (before, after) = (
            given.get(plan.first() + at)?,
            found.get(plan.body_output(at))?,
        );
        let shape = match (&before.shape, &after.shape) {
            (Some(before), Some(after)) => common(g, before, after),
            _ => None,
        };
        infos.push(Info::new(before.data_type, shape));
    }
    for stack in &plan.stacks {
        let one = found.get(plan.body_output(stack.at))?;
        let shape = one.shape.clone().filter(|dims| stack.axis <= dims.len());
        let shape = shape.map(|mut dims| {
            dims.insert(stack.axis, length.clone());
            dims
        });
        infos.push(Info::new(one.data_type, shape));
    }
    Some(infos)
}

/// What the gradient is of, by number.
struct Part {
    /// Carried values.
    moving: Vec<usize>,
    /// Sliced inputs.
    sliced: Vec<usize>,
    captures: Vec<V>,
}

impl Part {
    fn of(active: Active) -> Self {
        let chosen = |flags: &[bool]| (0..flags.len()).filter(|&at| flags[at]).collect();
        Self {
            moving: chosen(&active.states),
            sliced: chosen(&active.slices),
            captures: active.captures,
        }
    }
}

fn rule(g: &mut Grad) -> Result<()> {
    let node = g.node.clone();
    let Some((plan, given)) = plan(g, &node).and_then(|plan| {
        let given = arguments(g, &node, &plan)?;
        Some((plan, given))
    }) else {
        return Err(g.error("its body, inputs and attributes do not fit each other"));
    };
    let part = Part::of(active(g, &node, &plan, &given)?);
    let length = plan.length(g, &node);
    // One stack per parameter of the forward body that is not sliced from an input.
    let own = &given[..plan.first() + plan.states];
    let kept: Vec<V> = own
        .iter()
        .map(|info| forward::stack_of(g, &node, info, &length))
        .collect();
    let count = match (plan.slices.first(), kept.first()) {
        (Some(slice), _) => {
            let v = g.x(slice.at)?;
            g.length_of(v, slice.axis)
        }
        // The number of the last iteration is known only to the forward node.
        (None, Some(&numbers)) => g.unary("Shape", numbers),
        (None, None) => return Err(g.error("it has neither carried values nor slices")),
    };
    let count = g.squeeze(count, &[0]);
    let mut backward = Backward::new(g, &plan, &part, &given, count)?;
    let formals = backward.formals(g, &given, &kept)?;
    let returned = backward.gradients(g, &formals)?;
    let Backward {
        scope, parameters, ..
    } = backward;
    let (body, read) = scope.finish(g, &parameters, &returned);
    let mut read_kept = read.clone();
    read_kept.push(if plan.slices.is_empty() {
        kept[0]
    } else {
        count
    });
    forward::extend(g, &plan, &kept, &read_kept)?;
    emit(g, &plan, &part, count, (body, read))
}

/// The body of the gradient, while it is made.
struct Backward<'a> {
    plan: &'a Plan,
    part: &'a Part,
    scope: Scope,
    parameters: Vec<V>,
    go_on: V,
    /// Gradients of the carried values.
    state_dys: Vec<V>,
    /// Sums of the gradients of what the body reads from around.
    sums: Vec<V>,
    /// How many iterations were run, from the last.
    turn: V,
    /// The number of the forward iteration.
    iteration: V,
}

impl<'a> Backward<'a> {
    fn new(g: &mut Grad, plan: &'a Plan, part: &'a Part, given: &[Info], count: V) -> Result<Self> {
        let node = g.node.clone();
        let mut scope = Scope::new(g, &node)?;
        let turn = scope.parameter("turn", Info::new(DataType::Int64, Some(Vec::new())));
        let go_on = scope.parameter("go_on", Info::new(DataType::Bool, Some(Vec::new())));
        let mut state_dys = Vec::new();
        for &at in &part.moving {
            let info = given[plan.first() + at].clone();
            state_dys.push(scope.parameter("carried", info));
        }
        let mut sums = Vec::new();
        for &v in &part.captures {
            let info = Info::new(g.data_type(v), g.value(v).shape.clone());
            sums.push(scope.parameter("sum", info));
        }
        let mut parameters = vec![turn, go_on];
        parameters.extend(state_dys.iter().chain(&sums));
        let count = scope.import(g, count);
        let one = scope.graph.int(1);
        let last = scope.graph.sub(count, one);
        let iteration = scope.graph.sub(last, turn);
        Ok(Self {
            plan,
            part,
            scope,
            parameters,
            go_on,
            state_dys,
            sums,
            turn,
            iteration,
        })
    }

    /// One slice of a value of the graph around.
    fn take(&mut self, g: &Graph, v: V, place: V, axis: usize) -> V {
        let v = self.scope.import(g, v);
        let axis = vec![attr_int("axis", to_i64(axis))];
        self.scope.graph.emit("Gather", &[v, place], axis)
    }

    fn place(&self, reversed: bool) -> V {
        if reversed { self.turn } else { self.iteration }
    }

    /// What the parameters of the forward body were in this iteration.
    fn formals(&mut self, g: &Grad, given: &[Info], kept: &[V]) -> Result<Vec<V>> {
        let mut formals = Vec::new();
        for (at, (info, &kept)) in given.iter().zip(kept).enumerate() {
            let v = match at {
                0 if self.plan.is_loop => self.iteration,
                1 if self.plan.is_loop => {
                    let mut truth = tensor::floats(&[], &[], DataType::Bool);
                    truth.int32_data = vec![1];
                    truth.raw_data = None;
                    self.scope.graph.constant(truth)
                }
                _ => self.take(g, kept, self.iteration, 0),
            };
            if self.scope.graph.value(v).shape.is_none() {
                self.scope.graph.value_mut(v).shape.clone_from(&info.shape);
            }
            formals.push(v);
        }
        for slice in &self.plan.slices {
            let (v, place) = (g.x(slice.at)?, self.place(slice.reversed));
            formals.push(self.take(g, v, place, slice.axis));
        }
        Ok(formals)
    }

    /// Computes the iteration again and takes its gradient; returns the body's outputs.
    fn gradients(&mut self, g: &Grad, formals: &[V]) -> Result<Vec<V>> {
        let (plan, part) = (self.plan, self.part);
        let mut stack_dys = Vec::new();
        for stack in &plan.stacks {
            if let Some(dy) = g.dy_of(stack.at) {
                let dy = self.take(g, dy, self.place(stack.reversed), stack.axis);
                stack_dys.push((plan.body_output(stack.at), dy));
            }
        }
        let outputs = self.scope.load(&plan.body, formals)?;
        let output = |at: usize| {
            outputs.get(at).copied().ok_or_else(|| Error::Invalid {
                reason: format!("body `{}` has too few outputs", plan.body.name),
            })
        };
        let mut seeds = Vec::new();
        for (&at, &dy) in part.moving.iter().zip(&self.state_dys) {
            seeds.push((output(plan.body_output(at))?, dy));
        }
        for (at, dy) in stack_dys {
            seeds.push((output(at)?, dy));
        }
        let first = plan.first();
        let mut sources: Vec<V> = part.moving.iter().map(|&at| formals[first + at]).collect();
        let sliced = part.sliced.iter();
        sources.extend(sliced.map(|&at| formals[first + plan.states + at]));
        for &v in &part.captures {
            let inner = self.scope.inner(v);
            sources.push(inner.ok_or_else(|| g.internal("its body lost a value from around it"))?);
        }
        let around = self.scope.captures();
        let stops: HashSet<V> = around.into_iter().chain(formals.iter().copied()).collect();
        let found = g.reverse_between(&mut self.scope.graph, &seeds, &sources, &stops)?;
        Ok(self.returned(&sources, &found))
    }

    /// The condition, the gradients of carried values, the sums, and the gradients of slices.
    fn returned(&mut self, sources: &[V], gradients: &[Option<V>]) -> Vec<V> {
        let graph = &mut self.scope.graph;
        let (moving, sliced) = (self.part.moving.len(), self.part.sliced.len());
        let mut returned = vec![self.go_on];
        let whole = |graph: &mut Graph, at: usize| match gradients[at] {
            Some(gradient) => gradient,
            None => graph.zeros_like(sources[at]),
        };
        returned.extend((0..moving).map(|at| whole(graph, at)));
        for (gradient, &sum) in gradients[moving + sliced..].iter().zip(&self.sums) {
            returned.push(match gradient {
                Some(gradient) => graph.add(sum, *gradient),
                None => sum,
            });
        }
        returned.extend((moving..moving + sliced).map(|at| whole(graph, at)));
        returned
    }
}

/// Emits the Loop and hands its results out.
fn emit(
    g: &mut Grad,
    plan: &Plan,
    part: &Part,
    count: V,
    body: (GraphProto, Vec<V>),
) -> Result<()> {
    let (inputs, infos) = begin(g, plan, part, count)?;
    let (backward, read) = body;
    let bodies = vec![(attr_graph("body", backward), read)];
    let results = g.emit_with_body("Loop", inputs, bodies, infos);
    hand_out(g, plan, part, &results)
}

/// What the Loop begins with, and what it returns.
fn begin(g: &mut Grad, plan: &Plan, part: &Part, count: V) -> Result<(Vec<Option<V>>, Vec<Info>)> {
    let mut inputs = vec![Some(count), None];
    let mut infos = Vec::new();
    for &at in &part.moving {
        let start = g.x(plan.lead + at)?;
        let dy = match g.dy_of(at) {
            Some(dy) => dy,
            None => g.zeros_like(start),
        };
        inputs.push(Some(dy));
        infos.push(g.info(start));
    }
    for &v in &part.captures {
        inputs.push(Some(g.zeros_like(v)));
        infos.push(g.info(v));
    }
    for &at in &part.sliced {
        let slice = &plan.slices[at];
        let v = g.x(slice.at)?;
        let dims = g.shape(v).map(|mut dims| {
            let length = dims.remove(slice.axis);
            dims.insert(0, length);
            dims
        });
        infos.push(Info::new(g.data_type(v), dims));
    }
    Ok((inputs, infos))
}

/// Gives the results of the Loop to what they are the gradients of.
fn hand_out(g: &mut Grad, plan: &Plan, part: &Part, results: &[V]) -> Result<()> {
    let (states, rest) = results.split_at(part.moving.len());
    let (captures, slices) = rest.split_at(part.captures.len());
    for (&at, &gradient) in part.moving.iter().zip(states) {
        let input = plan.lead + at;
        if g.wants(input) {
            g.give(input, gradient)?;
        }
    }
    for (&v, &gradient) in part.captures.iter().zip(captures) {
        g.give_to(v, gradient)?;
    }
    for (&at, &gradient) in part.sliced.iter().zip(slices) {
        let slice = &plan.slices[at];
        let ordered = if slice.reversed {
            gradient
        } else {
            let shape = g.value(gradient).shape.clone();
            let turned = flip(g, gradient, 0);
            g.value_mut(turned).shape = shape;
            turned
        };
        let rank = g.rank_or(g.x(slice.at)?)?;
        let mut perm: Vec<i64> = (1..to_i64(rank)).collect();
        perm.insert(slice.axis, 0);
        let placed = g.transpose(ordered, &perm);
        g.give(slice.at, placed)?;
    }
    Ok(())
}
