//! [Loop](https://onnx.ai/onnx/operators/onnx__Loop.html) and
//! [Scan](https://onnx.ai/onnx/operators/onnx__Scan.html): a body is run again and again, with
//! carried values, slices of inputs and stacked outputs.
//!
//! The forward node is made to stack the carried values that each iteration began with. The gradient
//! is a Loop over the iterations from the last to the first: its body computes the iteration again
//! and takes its gradient; it carries the gradients of the carried values, and sums those of the
//! values that the body reads from around. Carried values have to keep their shape.

use std::collections::HashSet;

use super::if_::{body, common, outputs_of, zeros_like};
use super::{Cost, Op};
use crate::build::{attr_int, to_i64};
use crate::dim::Dim;
use crate::grad::{Grad, normalized};
use crate::graph::{Graph, Info, Node, Origin, V, Value};
use crate::model::DataType;
use crate::proto::{
    DimensionProto, DimensionValue, GraphProto, NodeProto, TensorShapeProto, TensorTypeProto,
    TypeProto, TypeValue, ValueInfoProto,
};
use crate::reverse::{depends_between, leads_to, reverse_between};
use crate::scope::{Scope, attr_graph};
use crate::tensor;
use crate::{Error, Result};

const LIMITS: &str = "carried values keep their shape";

pub(super) const OPS: &[Op] = &[
    Op::new("Loop", shape, rule, Cost::Heavy)
        .many_outputs()
        .limits(LIMITS),
    Op::new("Scan", shape, rule, Cost::Heavy)
        .many_outputs()
        .limits(LIMITS),
];

/// One tensor that is cut into slices, or stacked from them.
#[derive(Clone)]
struct Series {
    /// Index of the node's input or output.
    at: usize,
    axis: usize,
    /// Whether the first iteration has the last slice.
    reversed: bool,
}

/// How a node's inputs and outputs go through its body.
struct Plan {
    body: GraphProto,
    is_loop: bool,
    /// Node inputs before the first carried value.
    lead: usize,
    states: usize,
    slices: Vec<Series>,
    stacks: Vec<Series>,
}

impl Plan {
    /// The body's output of a stacked output of the node.
    fn body_output(&self, output: usize) -> usize {
        output + usize::from(self.is_loop)
    }
}

fn plan(g: &Graph, n: &Node) -> Option<Plan> {
    let body = body(n, "body")?;
    let is_loop = n.op == "Loop";
    let lead = if is_loop { 2 } else { 0 };
    let slices = usize::try_from(n.int("num_scan_inputs", 0)).ok()?;
    let slices = if is_loop { 0 } else { slices };
    let states = n.inputs.len().checked_sub(lead + slices)?;
    let outputs = body.output.len().checked_sub(usize::from(is_loop))?;
    let entry = |name: &str, at: usize| {
        n.ints(name)
            .and_then(|list| list.get(at))
            .copied()
            .unwrap_or(0)
    };
    let series = |at: usize, nth: usize, rank: Option<usize>, side: &str| {
        let axis = entry(&format!("scan_{side}_axes"), nth);
        let axis = if axis >= 0 {
            usize::try_from(axis).ok()
        } else {
            normalized(axis, rank?)
        };
        Some(Series {
            at,
            axis: axis.filter(|&axis| rank.is_none_or(|rank| axis < rank))?,
            reversed: entry(&format!("scan_{side}_directions"), nth) != 0,
        })
    };
    let slices = (0..slices).map(|nth| {
        let at = states + nth;
        series(at, nth, g.rank(n.input(at)?), "input")
    });
    let stacks = (0..outputs.checked_sub(states)?).map(|nth| {
        let at = states + nth;
        let rank = n.output(at).and_then(|v| g.rank(v));
        series(at, nth, rank, "output")
    });
    Some(Plan {
        slices: slices.collect::<Option<_>>()?,
        stacks: stacks.collect::<Option<_>>()?,
        body,
        is_loop,
        lead,
        states,
    })
}

/// What the body's parameters are in every iteration.
fn arguments(g: &Graph, n: &Node, plan: &Plan) -> Option<Vec<Info>> {
    let mut infos = Vec::new();
    if plan.is_loop {
        infos.push(Info::new(DataType::Int64, Some(Vec::new())));
        infos.push(Info::new(DataType::Bool, Some(Vec::new())));
    }
    for at in 0..plan.states {
        let v = n.input(plan.lead + at)?;
        infos.push(Info::new(g.data_type(v), g.shape(v)));
    }
    for slice in &plan.slices {
        let v = n.input(slice.at)?;
        let shape = g.shape(v).map(|mut dims| {
            dims.remove(slice.axis.min(dims.len().saturating_sub(1)));
            dims
        });
        infos.push(Info::new(g.data_type(v), shape));
    }
    Some(infos)
}

/// The number of iterations of a Scan.
fn scanned(g: &Graph, n: &Node, plan: &Plan) -> Option<Dim> {
    let slice = plan.slices.first()?;
    g.shape(n.input(slice.at)?)?.get(slice.axis).cloned()
}

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let plan = plan(g, n)?;
    let given = arguments(g, n, &plan)?;
    let first = if plan.is_loop { 2 } else { 0 };
    let found = outputs_of(g, n, &plan.body, given.clone())?;
    let length = match scanned(g, n, &plan) {
        Some(length) => length,
        None => g.symbols.fresh(),
    };
    let mut infos = Vec::new();
    for at in 0..plan.states {
        let (before, after) = (given.get(first + at)?, found.get(plan.body_output(at))?);
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

/// What takes part in the gradient.
struct Active {
    /// Per carried value.
    states: Vec<bool>,
    /// Per sliced input.
    slices: Vec<bool>,
    captures: Vec<V>,
}

/// Finds the carried values that the chosen inputs reach, and what leads to them.
fn active(g: &mut Grad, node: &Node, plan: &Plan, given: &[Info]) -> Result<Active> {
    let wanted: HashSet<V> = g.wanted().into_iter().collect();
    let is_wanted = |at: usize| node.input(at).is_some_and(|v| wanted.contains(&v));
    let captures: Vec<V> = node
        .captures
        .iter()
        .copied()
        .filter(|v| wanted.contains(v))
        .collect();
    let first = if plan.is_loop { 2 } else { 0 };
    let mut scope = Scope::new(g, node)?;
    let formals: Vec<V> = given
        .iter()
        .map(|info| scope.parameter("in", info.clone()))
        .collect();
    let outputs = scope.load(&plan.body, &formals)?;
    let states = &formals[first..first + plan.states];
    let slices = &formals[first + plan.states..];
    for (at, &v) in states.iter().enumerate() {
        let after = outputs
            .get(plan.body_output(at))
            .and_then(|&v| scope.graph.shape(v));
        if let (Some(before), Some(after)) = (scope.graph.shape(v), after) {
            let mut differs = before.len() != after.len();
            for (a, b) in before.iter().zip(&after) {
                // Named otherwise, lengths may still be the same.
                let grown = scope.graph.symbols.sub(b, a).as_known();
                let ratio = b.div_exact(a).and_then(|ratio| ratio.as_known());
                differs |= grown.is_some_and(|n| n != 0) || ratio.is_some_and(|n| n != 1);
            }
            if differs {
                return Err(g.error(format!(
                    "its carried value {at} changes its shape from one iteration to the next: \
                     unroll the loop when exporting"
                )));
            }
        }
    }
    let mut sources: Vec<V> = captures.iter().filter_map(|v| scope.inner(*v)).collect();
    let mut moving: Vec<bool> = (0..plan.states)
        .map(|at| is_wanted(plan.lead + at))
        .collect();
    sources.extend(
        slices
            .iter()
            .zip(&plan.slices)
            .filter(|(_, s)| is_wanted(s.at))
            .map(|(v, _)| *v),
    );
    // A carried value moves if it does so at first, or through another one.
    loop {
        let mut all = sources.clone();
        all.extend(
            states
                .iter()
                .zip(&moving)
                .filter(|(_, m)| **m)
                .map(|(v, _)| *v),
        );
        let depends = depends_between(&scope.graph, &outputs, &all);
        let mut grown = false;
        for (at, moves) in moving.iter_mut().enumerate() {
            let after = outputs.get(plan.body_output(at));
            if !*moves
                && after.is_some_and(|v| depends.contains(v))
                && scope.graph.data_type(states[at]).is_float()
            {
                *moves = true;
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    let mut ends: Vec<V> = Vec::new();
    for (at, _) in moving.iter().enumerate().filter(|(_, m)| **m) {
        ends.extend(outputs.get(plan.body_output(at)));
    }
    for stack in plan
        .stacks
        .iter()
        .filter(|stack| g.dy_of(stack.at).is_some())
    {
        ends.extend(outputs.get(plan.body_output(stack.at)));
    }
    let leads = leads_to(&scope.graph, &ends);
    let slices = slices
        .iter()
        .zip(&plan.slices)
        .map(|(v, slice)| is_wanted(slice.at) && leads[v.0 as usize])
        .collect();
    let captures = captures
        .into_iter()
        .filter(|&v| scope.inner(v).is_some_and(|v| leads[v.0 as usize]))
        .collect();
    scope.close(g);
    Ok(Active {
        states: moving,
        slices,
        captures,
    })
}

/// A stack of what a parameter of the body was in each iteration, which the forward node does not
/// return yet.
fn stack_of(g: &mut Grad, node: &Node, info: &Info, length: &Dim) -> V {
    let name = g.fresh_name(&node.op);
    let shape = info.shape.clone().map(|mut dims| {
        dims.insert(0, length.clone());
        dims
    });
    g.push_value(Value {
        name,
        data_type: info.data_type,
        shape,
        content: None,
        origin: Origin::Input,
        constant: false,
        cotangent: false,
    })
}

fn scalar_int(g: &mut Graph, value: i64) -> V {
    let mut one = tensor::ints(&[value]);
    one.dims.clear();
    g.constant(one)
}

fn rule(g: &mut Grad) -> Result<()> {
    let node = g.node.clone();
    let Some((plan, given)) = plan(g, &node).and_then(|plan| {
        let given = arguments(g, &node, &plan)?;
        Some((plan, given))
    }) else {
        return Err(g.error("its body, inputs and attributes do not fit each other"));
    };
    let active = active(g, &node, &plan, &given)?;
    let first = if plan.is_loop { 2 } else { 0 };
    let length = match scanned(g, &node, &plan) {
        Some(length) => length,
        None => g.symbols.fresh(),
    };
    // One stack per parameter of the forward body that is not sliced from an input.
    let kept: Vec<V> = given[..first + plan.states]
        .iter()
        .map(|info| stack_of(g, &node, info, &length))
        .collect();
    let count = match plan.slices.first() {
        Some(slice) => {
            let v = g.x(slice.at)?;
            g.length_of(v, slice.axis)
        }
        // The number of the last iteration is known only to the forward node.
        None => g.unary("Shape", kept[0]),
    };
    let count = g.squeeze(count, &[0]);
    let moving: Vec<usize> = (0..plan.states).filter(|&at| active.states[at]).collect();

    let mut scope = Scope::new(g, &node)?;
    let (whole, flag) = (DataType::Int64, DataType::Bool);
    let turn = scope.parameter("turn", Info::new(whole, Some(Vec::new())));
    let go_on = scope.parameter("go_on", Info::new(flag, Some(Vec::new())));
    let mut parameters = vec![turn, go_on];
    let mut state_dys = Vec::new();
    for &at in &moving {
        let info = given[first + at].clone();
        state_dys.push(scope.parameter("carried", info));
    }
    let mut sums = Vec::new();
    for &v in &active.captures {
        let info = Info::new(g.data_type(v), g.value(v).shape.clone());
        sums.push(scope.parameter("sum", info));
    }
    parameters.extend(state_dys.iter().chain(&sums));
    let inner_count = scope.import(g, count);
    let one = scalar_int(&mut scope.graph, 1);
    let last = scope.graph.sub(inner_count, one);
    let iteration = scope.graph.sub(last, turn);
    let place = |reversed: bool| if reversed { turn } else { iteration };
    let take = |scope: &mut Scope, v: V, place: V, axis: usize| {
        let v = scope.import(g, v);
        let axis = vec![attr_int("axis", to_i64(axis))];
        scope.graph.emit("Gather", &[v, place], axis)
    };
    let mut formals = Vec::new();
    for (at, info) in given[..first + plan.states].iter().enumerate() {
        let v = if plan.is_loop && at == 0 {
            iteration
        } else if plan.is_loop && at == 1 {
            let mut truth = tensor::floats(&[], &[], DataType::Bool);
            truth.int32_data = vec![1];
            truth.raw_data = None;
            scope.graph.constant(truth)
        } else {
            take(&mut scope, kept[at], iteration, 0)
        };
        if scope.graph.value(v).shape.is_none() {
            scope.graph.value_mut(v).shape.clone_from(&info.shape);
        }
        formals.push(v);
    }
    for slice in &plan.slices {
        let v = node.input(slice.at).unwrap_or(V(0));
        formals.push(take(&mut scope, v, place(slice.reversed), slice.axis));
    }
    let mut stack_dys = Vec::new();
    for stack in &plan.stacks {
        if let Some(dy) = g.dy_of(stack.at) {
            let dy = take(&mut scope, dy, place(stack.reversed), stack.axis);
            stack_dys.push((plan.body_output(stack.at), dy));
        }
    }
    let outputs = scope.load(&plan.body, &formals)?;
    let output = |at: usize| {
        outputs.get(at).copied().ok_or_else(|| Error::Invalid {
            reason: format!("body `{}` has too few outputs", plan.body.name),
        })
    };
    let mut seeds = Vec::new();
    for (&at, &dy) in moving.iter().zip(&state_dys) {
        seeds.push((output(plan.body_output(at))?, dy));
    }
    for (at, dy) in stack_dys {
        seeds.push((output(at)?, dy));
    }
    let mut sources: Vec<V> = moving.iter().map(|&at| formals[first + at]).collect();
    let sliced: Vec<usize> = (0..plan.slices.len())
        .filter(|&at| active.slices[at])
        .collect();
    sources.extend(sliced.iter().map(|&at| formals[first + plan.states + at]));
    sources.extend(active.captures.iter().filter_map(|&v| scope.inner(v)));
    let stops: HashSet<V> = scope
        .captures()
        .into_iter()
        .chain(formals.clone())
        .collect();
    let gradients = reverse_between(&mut scope.graph, &seeds, &sources, &stops)?;
    let mut returned = vec![go_on];
    let (of_states, rest) = gradients.split_at(moving.len());
    let (of_slices, of_captures) = rest.split_at(sliced.len());
    for (gradient, &source) in of_states.iter().zip(&sources) {
        returned.push(gradient.unwrap_or_else(|| zeros_like(&mut scope.graph, source)));
    }
    for (gradient, &sum) in of_captures.iter().zip(&sums) {
        returned.push(match gradient {
            Some(gradient) => scope.graph.add(sum, *gradient),
            None => sum,
        });
    }
    for (gradient, &source) in of_slices.iter().zip(&sources[moving.len()..]) {
        returned.push(gradient.unwrap_or_else(|| zeros_like(&mut scope.graph, source)));
    }
    let (backward, read) = scope.finish(g, &parameters, &returned);

    let mut read_kept = read.clone();
    read_kept.push(if plan.slices.is_empty() {
        kept[0]
    } else {
        count
    });
    extend_forward(g, &plan, &kept, &read_kept)?;
    emit(
        g,
        &plan,
        &active,
        (&moving, &sliced),
        count,
        (backward, read),
    )
}

/// Emits the Loop and hands its results out.
fn emit(
    g: &mut Grad,
    plan: &Plan,
    active: &Active,
    (moving, sliced): (&[usize], &[usize]),
    count: V,
    (backward, read): (GraphProto, Vec<V>),
) -> Result<()> {
    let mut inputs = vec![Some(count), None];
    let mut infos = Vec::new();
    for &at in moving {
        let start = g.x(plan.lead + at)?;
        let dy = match g.dy_of(at) {
            Some(dy) => dy,
            None => zeros_like(g, start),
        };
        inputs.push(Some(dy));
        infos.push(Info::new(g.data_type(start), g.shape(start)));
    }
    for &v in &active.captures {
        inputs.push(Some(zeros_like(g, v)));
        infos.push(Info::new(g.data_type(v), g.shape(v)));
    }
    for &at in sliced {
        let slice = &plan.slices[at];
        let v = g.x(slice.at)?;
        let dims = g.shape(v).map(|mut dims| {
            let length = dims.remove(slice.axis);
            dims.insert(0, length);
            dims
        });
        infos.push(Info::new(g.data_type(v), dims));
    }
    let results = g.emit_with_body(
        "Loop",
        inputs,
        vec![(attr_graph("body", backward), read)],
        infos,
    );
    let (states, rest) = results.split_at(moving.len());
    let (captures, slices) = rest.split_at(active.captures.len());
    for (&at, &gradient) in moving.iter().zip(states) {
        let input = plan.lead + at;
        if g.wants(input) {
            g.give(input, gradient)?;
        }
    }
    for (&v, &gradient) in active.captures.iter().zip(captures) {
        g.give_to(v, gradient)?;
    }
    for (&at, &gradient) in sliced.iter().zip(slices) {
        let slice = &plan.slices[at];
        let ordered = if slice.reversed {
            gradient
        } else {
            turned(g, gradient)
        };
        let rank = g.rank_or(g.x(slice.at)?)?;
        let mut perm: Vec<i64> = (1..to_i64(rank)).collect();
        perm.insert(slice.axis, 0);
        let placed = g.transpose(ordered, &perm);
        g.give(slice.at, placed)?;
    }
    Ok(())
}

/// The slices along the first axis in reverse order.
fn turned(g: &mut Grad, v: V) -> V {
    let parts = [
        g.ints(&[-1]),
        g.ints(&[i64::MIN + 1]),
        g.ints(&[0]),
        g.ints(&[-1]),
    ];
    let shape = g.value(v).shape.clone();
    let out = g.emit(
        "Slice",
        &[v, parts[0], parts[1], parts[2], parts[3]],
        Vec::new(),
    );
    g.value_mut(out).shape = shape;
    out
}

/// An output of a body, of which the free lengths are left open.
fn output_info(name: String, data_type: DataType, dims: Option<Vec<Dim>>) -> ValueInfoProto {
    let dim = |dim: &Dim| DimensionProto {
        value: dim.as_known().map(DimensionValue::DimValue),
        ..DimensionProto::default()
    };
    let shape = dims.map(|dims| TensorShapeProto {
        dim: dims.iter().map(dim).collect(),
    });
    let tensor = TensorTypeProto {
        elem_type: Some(data_type.code()),
        shape,
    };
    ValueInfoProto {
        name,
        r#type: Some(TypeProto {
            value: Some(TypeValue::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

/// Makes the forward node return those stacks that the gradient reads.
fn extend_forward(g: &mut Grad, plan: &Plan, kept: &[V], read: &[V]) -> Result<()> {
    let mut body = plan.body.clone();
    let mut added: Vec<V> = Vec::new();
    for (at, &v) in kept.iter().enumerate() {
        if !read.contains(&v) {
            continue;
        }
        let Some(source) = body.input.get(at).map(|info| info.name.clone()) else {
            return Err(g.error("its body has too few inputs"));
        };
        let name = g.fresh_name("kept");
        body.node.push(NodeProto {
            op_type: "Identity".into(),
            name: format!("{name}/Identity"),
            input: vec![source],
            output: vec![name.clone()],
            ..NodeProto::default()
        });
        // Stacked zero times, the output still has to have its rank.
        let dims = g.shape(v).map(|dims| dims[1..].to_vec());
        body.output.push(output_info(name, g.data_type(v), dims));
        added.push(v);
    }
    if added.is_empty() {
        return Ok(());
    }
    let outputs = plan.states + plan.stacks.len();
    let at = g.position();
    for &v in &added {
        g.value_mut(v).origin = Origin::Node(at);
    }
    let forward = &mut g.nodes[at];
    forward
        .outputs
        .resize(outputs.max(forward.outputs.len()), None);
    forward.outputs.extend(added.iter().copied().map(Some));
    for attribute in &mut forward.attributes {
        match attribute.name.as_str() {
            "body" => attribute.g = Some(Box::new(body.clone())),
            "scan_output_axes" | "scan_output_directions" if !attribute.ints.is_empty() => {
                attribute.ints.extend(added.iter().map(|_| 0));
            }
            _ => {}
        }
    }
    Ok(())
}
