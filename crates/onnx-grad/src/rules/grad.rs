//! What a gradient rule sees: one node, the cotangents of its outputs, and the graph to add to.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};

use crate::axes::{normalized, to_i64};
use crate::data_type::DataType;
use crate::graph::{Dim, Fault, Graph, Node, Origin, V, Value};
use crate::proto::AttributeProto;
use crate::{Error, Result};

/// How the gradients of values between seeds and stops are derived: see
/// [`Grad::reverse_between`]. The reverse pass passes itself, so that rules need not know it.
type Between = fn(&mut Graph, &[(V, V)], &[V], &HashSet<V>) -> Result<Vec<Option<V>>>;

/// The context of one rule. Dereferences to the graph, whose methods add nodes.
pub(crate) struct Grad<'a> {
    graph: &'a mut Graph,
    pub(crate) node: Node,
    /// Index of the node in the graph.
    at: usize,
    cotangents: Vec<Option<V>>,
    wanted: HashSet<V>,
    given: Vec<(V, V)>,
    between: Between,
}

impl Deref for Grad<'_> {
    type Target = Graph;
    fn deref(&self) -> &Graph {
        self.graph
    }
}

impl DerefMut for Grad<'_> {
    fn deref_mut(&mut self) -> &mut Graph {
        self.graph
    }
}

impl<'a> Grad<'a> {
    pub(crate) fn new(
        graph: &'a mut Graph,
        at: usize,
        cotangents: Vec<Option<V>>,
        wanted: HashSet<V>,
        between: Between,
    ) -> Self {
        let node = graph.nodes[at].clone();
        Self {
            graph,
            node,
            at,
            cotangents,
            wanted,
            given: Vec::new(),
            between,
        }
    }

    /// An error that names the node.
    pub(crate) fn error(&self, reason: impl Into<String>) -> Error {
        Error::Rule {
            node: self.node.label(self.graph),
            op: self.node.op.clone(),
            opset: self.graph.opset_of(&self.node.domain),
            reason: reason.into(),
        }
    }

    /// The error of a fault that was noticed while the rule ran.
    pub(crate) fn fault(&self, fault: Fault) -> Error {
        match fault {
            Fault::Unknown(reason) => self.error(reason),
            Fault::Broken(reason) => self.internal(reason),
        }
    }

    /// An error of this crate, at this node.
    pub(crate) fn internal(&self, reason: impl Into<String>) -> Error {
        Error::Internal {
            node: self.node.label(self.graph),
            reason: reason.into(),
        }
    }

    /// The gradients of `inputs`, which may be any values of `graph`, along paths that stop at
    /// `stops`; `None` where there is no path. `graph` is that of a body.
    pub(crate) fn reverse_between(
        &self,
        graph: &mut Graph,
        seeds: &[(V, V)],
        inputs: &[V],
        stops: &HashSet<V>,
    ) -> Result<Vec<Option<V>>> {
        (self.between)(graph, seeds, inputs, stops)
    }

    /// Index of the node in the graph.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Input `index`, which the op requires.
    pub(crate) fn x(&self, index: usize) -> Result<V> {
        self.node
            .input(index)
            .ok_or_else(|| self.error(format!("input {index} is missing")))
    }

    /// Output `index`, as the forward graph computes it.
    pub(crate) fn y(&self, index: usize) -> Result<V> {
        self.node
            .output(index)
            .ok_or_else(|| self.error(format!("output {index} is missing")))
    }

    /// The cotangent of the first output.
    pub(crate) fn dy(&self) -> Result<V> {
        self.dy_of(0)
            .ok_or_else(|| self.error("its first output takes no part in the gradient"))
    }

    pub(crate) fn dy_of(&self, output: usize) -> Option<V> {
        self.cotangents.get(output).copied().flatten()
    }

    /// Whether anybody wants the gradient of this input.
    pub(crate) fn wants(&self, input: usize) -> bool {
        self.node
            .input(input)
            .is_some_and(|v| self.wanted.contains(&v))
    }

    /// Adds to the gradient of an input. What was broadcast in the forward is summed here; a
    /// gradient that still lacks a broadcast gets it when all contributions are in.
    pub(crate) fn give(&mut self, input: usize, gradient: V) -> Result<()> {
        let x = self.x(input)?;
        self.give_to(x, gradient)
    }

    /// Gives `a · b`.
    pub(crate) fn give_product(&mut self, input: usize, a: V, b: V) -> Result<()> {
        let product = self.mul(a, b);
        self.give(input, product)
    }

    /// Gives `a / b`.
    pub(crate) fn give_quotient(&mut self, input: usize, a: V, b: V) -> Result<()> {
        let quotient = self.div(a, b);
        self.give(input, quotient)
    }

    /// Gives the sum over these axes.
    pub(crate) fn give_sum(&mut self, input: usize, v: V, axes: &[i64]) -> Result<()> {
        let sum = self.reduce("ReduceSum", v, axes, false);
        self.give(input, sum)
    }

    /// Gives dy to those elements of x that equal y, in equal parts where several along `axes` do.
    pub(crate) fn give_to_equal(&mut self, dy: V, y: V, axes: &[i64]) -> Result<()> {
        let x = self.x(0)?;
        let mask = self.equality(x, y, dy);
        let winners = self.reduce("ReduceSum", mask, axes, true);
        let share = self.div(dy, winners);
        self.give_product(0, mask, share)
    }

    /// [`Grad::give`] for a value that the node reads as an input, or inside its body.
    pub(crate) fn give_to(&mut self, x: V, gradient: V) -> Result<()> {
        let (from, to) = (self.graph.rank(gradient), self.graph.rank(x));
        let reduced = match (from, to) {
            (Some(from), Some(to)) if from >= to => self.graph.unbroadcast(gradient, x),
            (Some(_), Some(_)) => Some(gradient),
            _ => None,
        };
        let Some(reduced) = reduced else {
            return Err(self
                .error("the rank of a tensor is unknown: run shape inference on the model first"));
        };
        self.given.push((x, reduced));
        Ok(())
    }

    /// The values that somebody wants the gradients of, in the order of the node's inputs.
    pub(crate) fn wanted(&self) -> Vec<V> {
        let mut found: Vec<V> = Vec::new();
        for v in self.node.reads() {
            if self.wanted.contains(&v) && !found.contains(&v) {
                found.push(v);
            }
        }
        found
    }

    /// What was given to wanted values.
    pub(crate) fn into_given(self) -> Vec<(V, V)> {
        let wanted = self.wanted;
        let given = self.given.into_iter();
        given.filter(|(v, _)| wanted.contains(v)).collect()
    }

    /// Gives what follows from `outputs`: values that plain ops compute from the node's inputs, with
    /// the number of the node's output that they equal.
    pub(crate) fn give_through(&mut self, outputs: &[(usize, V)]) -> Result<()> {
        let seeds: Vec<(V, V)> = outputs
            .iter()
            .filter_map(|&(output, v)| Some((v, self.dy_of(output)?)))
            .collect();
        let stops: HashSet<V> = self.node.inputs.iter().flatten().copied().collect();
        let wanted = self.wanted();
        let gradients = (self.between)(self.graph, &seeds, &wanted, &stops);
        let gradients = gradients.map_err(|error| match error {
            Error::Rule { op, reason, .. } if op == self.node.op => self.error(reason),
            Error::Rule { op, reason, .. } => self.error(format!("in its {op}: {reason}")),
            other => other,
        })?;
        for (v, gradient) in wanted.into_iter().zip(gradients) {
            if let Some(gradient) = gradient {
                self.give_to(v, gradient)?;
            }
        }
        Ok(())
    }

    pub(crate) fn shape_or(&self, v: V) -> Result<Vec<Dim>> {
        self.graph.shape(v).ok_or_else(|| {
            self.error(format!(
                "the rank of `{}` is unknown: run shape inference on the model first",
                self.graph.value(v).name
            ))
        })
    }

    pub(crate) fn rank_or(&self, v: V) -> Result<usize> {
        Ok(self.shape_or(v)?.len())
    }

    /// An attribute that names an axis, as a non-negative number.
    pub(crate) fn axis(&self, name: &str, default: i64, rank: usize) -> Result<usize> {
        self.axis_value(self.node.int(name, default), rank)
    }

    pub(crate) fn axis_value(&self, axis: i64, rank: usize) -> Result<usize> {
        normalized(axis, rank)
            .ok_or_else(|| self.error(format!("axis {axis} does not fit rank {rank}")))
    }

    /// Axes as non-negative numbers.
    pub(crate) fn axis_values(&self, axes: Vec<i64>, rank: usize) -> Result<Vec<i64>> {
        let axes = axes.into_iter();
        axes.map(|axis| self.axis_value(axis, rank).map(to_i64))
            .collect()
    }

    /// Integers given by an input, or by an attribute in older opsets. `None` where absent.
    pub(crate) fn ints_of(&self, input: usize, attribute: &str) -> Result<Option<Vec<i64>>> {
        if let Some(v) = self.node.input(input) {
            return self.graph.known_ints(v).map(Some).ok_or_else(|| {
                self.error(format!("input {input} ({attribute}) has to be constant"))
            });
        }
        Ok(self.node.ints(attribute).map(<[i64]>::to_vec))
    }

    /// The axes of a reduction as non-negative numbers; all axes where none are given.
    pub(crate) fn reduced_axes(&self, rank: usize) -> Result<Vec<i64>> {
        let axes = self.ints_of(1, "axes")?.unwrap_or_default();
        if axes.is_empty() {
            if self.node.int("noop_with_empty_axes", 0) != 0 {
                return Ok(Vec::new());
            }
            return Ok((0..to_i64(rank)).collect());
        }
        let mut out = self.axis_values(axes, rank)?;
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    /// Makes the forward node another op of the same first output.
    pub(crate) fn become_op(&mut self, op: &str, inputs: &[V], attributes: Vec<AttributeProto>) {
        self.node.op = op.to_owned();
        self.node.inputs = inputs.iter().copied().map(Some).collect();
        self.node.attributes = attributes;
        self.graph.nodes[self.at] = self.node.clone();
    }

    /// Makes the forward node return one more of its optional outputs.
    pub(crate) fn expose(
        &mut self,
        output: usize,
        data_type: DataType,
        shape: Option<Vec<Dim>>,
    ) -> V {
        if let Some(v) = self.graph.nodes[self.at].output(output) {
            self.graph.value_mut(v).data_type = data_type;
            return v;
        }
        let name = self.graph.fresh_name(&self.node.op);
        let reads = || self.node.reads().map(|v| self.graph.value(v));
        let v = Value {
            shape,
            origin: Origin::Node(self.at),
            constant: reads().all(|value| value.constant),
            cotangent: reads().any(|value| value.cotangent),
            ..Value::new(name, data_type)
        };
        let v = self.graph.push_value(v);
        let outputs = &mut self.graph.nodes[self.at].outputs;
        if outputs.len() <= output {
            outputs.resize(output + 1, None);
        }
        outputs[output] = Some(v);
        v
    }
}
