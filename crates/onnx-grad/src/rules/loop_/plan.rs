//! How a node's inputs and outputs go through its body.

use crate::axes::normalized;
use crate::data_type::DataType;
use crate::graph::{Dim, Graph, Info, Node};
use crate::proto::GraphProto;
use crate::rules::bodies::body;

/// One tensor that is cut into slices, or stacked from them.
#[derive(Clone)]
pub(super) struct Series {
    /// Index of the node's input or output.
    pub(super) at: usize,
    pub(super) axis: usize,
    /// Whether the first iteration has the last slice.
    pub(super) reversed: bool,
}

/// How a node's inputs and outputs go through its body.
pub(super) struct Plan {
    pub(super) body: GraphProto,
    pub(super) is_loop: bool,
    /// Node inputs before the first carried value.
    pub(super) lead: usize,
    pub(super) states: usize,
    pub(super) slices: Vec<Series>,
    pub(super) stacks: Vec<Series>,
}

impl Plan {
    /// Parameters of the body before the first carried value.
    pub(super) fn first(&self) -> usize {
        if self.is_loop { 2 } else { 0 }
    }

    /// The number of iterations.
    pub(super) fn length(&self, g: &mut Graph, n: &Node) -> Dim {
        scanned(g, n, self).unwrap_or_else(|| g.symbols.fresh())
    }

    /// The body's output of a stacked output of the node.
    pub(super) fn body_output(&self, output: usize) -> usize {
        output + usize::from(self.is_loop)
    }
}

pub(super) fn plan(g: &Graph, n: &Node) -> Option<Plan> {
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
pub(super) fn arguments(g: &Graph, n: &Node, plan: &Plan) -> Option<Vec<Info>> {
    let mut infos = Vec::new();
    if plan.is_loop {
        infos.push(Info::new(DataType::Int64, Some(Vec::new())));
        infos.push(Info::new(DataType::Bool, Some(Vec::new())));
    }
    for at in 0..plan.states {
        let v = n.input(plan.lead + at)?;
        infos.push(g.info(v));
    }
    for slice in &plan.slices {
        let v = n.input(slice.at)?;
        // A slice's axis lies within its rank: see `plan`.
        let shape = g.shape(v).filter(|dims| slice.axis < dims.len());
        let shape = shape.map(|mut dims| {
            dims.remove(slice.axis);
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
