//! One step of a recurrence.

use super::activation::{Activation, of_node};
use crate::Result;
use crate::axes::to_i64;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, V};
use crate::rules::grad::Grad;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rnn,
    Gru,
    Lstm,
}

impl Kind {
    pub(super) fn of(op: &str) -> Option<Self> {
        match op {
            "RNN" => Some(Self::Rnn),
            "GRU" => Some(Self::Gru),
            "LSTM" => Some(Self::Lstm),
            _ => None,
        }
    }

    fn gates(self) -> i64 {
        match self {
            Self::Rnn => 1,
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }

    fn activations(self) -> &'static [&'static str] {
        match self {
            Self::Rnn => &["tanh"],
            Self::Gru => &["sigmoid", "tanh"],
            Self::Lstm => &["sigmoid", "tanh", "tanh"],
        }
    }
}

/// What one direction computes with, as values of the graph around its steps.
pub(super) struct Cell {
    pub(super) kind: Kind,
    pub(super) hidden: Dim,
    activations: Vec<Activation>,
    clip: Option<f64>,
    linear_before_reset: bool,
    input_forget: bool,
    /// `[inputs, gates · hidden]`.
    pub(super) input: V,
    /// `[gates · hidden]`.
    pub(super) input_bias: Option<V>,
    pub(super) weights: Weights,
}

/// What every step reads.
#[derive(Clone)]
pub(super) struct Weights {
    /// `[hidden, gates · hidden]`; of a GRU those of the update and reset gates.
    recurrent: V,
    bias: Option<V>,
    /// Of a GRU: those of the candidate.
    candidate: Option<V>,
    candidate_bias: Option<V>,
    /// To the input, output and forget gates.
    peepholes: Option<Vec<V>>,
}

impl Weights {
    /// The same weights, each as another value.
    pub(super) fn map(&self, mut f: impl FnMut(V) -> V) -> Self {
        Self {
            recurrent: f(self.recurrent),
            bias: self.bias.map(&mut f),
            candidate: self.candidate.map(&mut f),
            candidate_bias: self.candidate_bias.map(&mut f),
            peepholes: self
                .peepholes
                .as_ref()
                .map(|all| all.iter().map(|&v| f(v)).collect()),
        }
    }
}

/// Parts of `v` of these lengths along an axis.
fn split(g: &mut Graph, v: V, lengths: &[i64], axis: i64) -> Vec<V> {
    if lengths.len() == 1 {
        return vec![v];
    }
    let sizes = g.ints(lengths);
    let wanted = vec![true; lengths.len()];
    g.emit_many(
        "Split",
        &[Some(v), Some(sizes)],
        vec![attr_int("axis", axis)],
        &wanted,
    )
}

impl Cell {
    /// That of direction `at` of a node.
    pub(super) fn of(g: &mut Grad, kind: Kind, at: usize, directions: usize) -> Result<Self> {
        let node = g.node.clone();
        let all = of_node(g, kind.activations(), directions)?;
        let count = kind.activations().len();
        let r = g.x(2)?;
        let stored = g.shape_or(r)?.get(2).and_then(Dim::as_known);
        let stated = node.attribute("hidden_size").and_then(|a| a.i);
        let Some(n) = stored.or(stated).filter(|&n| n > 0) else {
            return Err(g.error("its hidden size is not known: give `hidden_size`"));
        };
        let gates = kind.gates();
        let w = g.x(1)?;
        let w = taken(g, w, at, 0);
        let r = taken(g, r, at, 0);
        let input = g.transpose(w, &[1, 0]);
        let recurrent = g.transpose(r, &[1, 0]);
        let biases = node.input(3).map(|b| {
            let b = taken(g, b, at, 0);
            split(g, b, &[gates * n, gates * n], 0)
        });
        let (input_bias, bias) = match biases.as_deref() {
            Some([of_input, own]) => (Some(*of_input), Some(*own)),
            _ => (None, None),
        };
        let peepholes = node.input(7).filter(|_| kind == Kind::Lstm).map(|p| {
            let p = taken(g, p, at, 0);
            split(g, p, &[n; 3], 0)
        });
        let mut weights = Weights {
            recurrent,
            bias,
            candidate: None,
            candidate_bias: None,
            peepholes,
        };
        if kind == Kind::Gru {
            let parts = split(g, recurrent, &[2 * n, n], 1);
            (weights.recurrent, weights.candidate) = (parts[0], parts.get(1).copied());
            if let Some(bias) = bias {
                let parts = split(g, bias, &[2 * n, n], 0);
                (weights.bias, weights.candidate_bias) = (Some(parts[0]), parts.get(1).copied());
            }
        }
        let clip = node.attribute("clip").and_then(|a| a.f).map(f64::from);
        Ok(Self {
            kind,
            hidden: Dim::known(n),
            activations: all[at * count..(at + 1) * count].to_vec(),
            clip: clip.filter(|&clip| clip > 0.0),
            linear_before_reset: node.int("linear_before_reset", 0) != 0,
            input_forget: node.int("input_forget", 0) != 0,
            input,
            input_bias,
            weights,
        })
    }

    /// The state after a step: `x` is `[batch, gates · hidden]`, what the input adds; `h` and `c` are
    /// `[batch, hidden]`.
    pub(super) fn step(
        &self,
        g: &mut Graph,
        w: &Weights,
        x: V,
        h: V,
        c: Option<V>,
    ) -> (V, Option<V>) {
        match (self.kind, c) {
            (Kind::Gru, _) => (self.gru(g, w, x, h), None),
            (Kind::Lstm, Some(c)) => {
                let (h, c) = self.lstm(g, w, x, h, c);
                (h, Some(c))
            }
            _ => {
                let sum = added(g, x, h, w.recurrent, w.bias);
                (self.activated(g, 0, sum), None)
            }
        }
    }

    fn gru(&self, g: &mut Graph, w: &Weights, x: V, h: V) -> V {
        let n = self.hidden.as_known().unwrap_or(0);
        let parts = split(g, x, &[2 * n, n], 1);
        let both = added(g, parts[0], h, w.recurrent, w.bias);
        let both = self.activated(g, 0, both);
        let gates = split(g, both, &[n, n], 1);
        let (update, reset) = (gates[0], gates[1]);
        let candidate = w.candidate.unwrap_or(w.recurrent);
        let sum = if self.linear_before_reset {
            let inner = product(g, h, candidate, w.candidate_bias);
            let inner = g.mul(reset, inner);
            g.add(parts[1], inner)
        } else {
            let kept = g.mul(reset, h);
            added(g, parts[1], kept, candidate, w.candidate_bias)
        };
        let new = self.activated(g, 1, sum);
        // (1 − z) new + z h
        let difference = g.sub(h, new);
        let moved = g.mul(update, difference);
        g.add(new, moved)
    }

    fn lstm(&self, g: &mut Graph, w: &Weights, x: V, h: V, c: V) -> (V, V) {
        let n = self.hidden.as_known().unwrap_or(0);
        let sum = added(g, x, h, w.recurrent, w.bias);
        let gates = split(g, sum, &[n; 4], 1);
        let peep = |g: &mut Graph, gate: V, at: usize, c: V| match &w.peepholes {
            Some(peepholes) => {
                let seen = g.mul(peepholes[at], c);
                g.add(gate, seen)
            }
            None => gate,
        };
        let input = peep(g, gates[0], 0, c);
        let input = self.activated(g, 0, input);
        let forget = if self.input_forget {
            let one = g.scalar(1.0, input);
            g.sub(one, input)
        } else {
            let forget = peep(g, gates[2], 2, c);
            self.activated(g, 0, forget)
        };
        let new = self.activated(g, 1, gates[3]);
        let (kept, taken) = (g.mul(forget, c), g.mul(input, new));
        let c = g.add(kept, taken);
        let output = peep(g, gates[1], 1, c);
        let output = self.activated(g, 0, output);
        let shown = self.activated(g, 2, c);
        (g.mul(output, shown), c)
    }

    fn activated(&self, g: &mut Graph, at: usize, mut x: V) -> V {
        if let Some(clip) = self.clip {
            let (low, high) = (g.scalar(-clip, x), g.scalar(clip, x));
            x = g.emit("Clip", &[x, low, high], Vec::new());
        }
        self.activations[at].apply(g, x)
    }
}

fn product(g: &mut Graph, h: V, weights: V, bias: Option<V>) -> V {
    let product = g.matmul(h, weights);
    g.plus(bias, product)
}

fn added(g: &mut Graph, x: V, h: V, weights: V, bias: Option<V>) -> V {
    let product = product(g, h, weights, bias);
    g.add(x, product)
}

/// The rows that the input adds to every step, `[frames, batch, gates · hidden]`.
pub(super) fn rows(g: &mut Graph, cell: &Cell, x: V) -> V {
    let product = g.matmul(x, cell.input);
    g.plus(cell.input_bias, product)
}

/// A state of zeros, `[batch, hidden]`, for an input `[frames, batch, inputs]`.
pub(super) fn zero_state(g: &mut Graph, cell: &Cell, x: V) -> V {
    let batch = g.length_of(x, 1);
    let hidden = g.ints(&[cell.hidden.as_known().unwrap_or(0)]);
    let shape = g.concat_ints(&[batch, hidden]);
    let zero = g.scalar(0.0, x);
    let zeros = g.emit("Expand", &[zero, shape], Vec::new());
    let batch = g.shape(x).and_then(|dims| dims.get(1).cloned());
    if let Some(batch) = batch {
        g.value_mut(zeros).shape = Some(vec![batch, cell.hidden.clone()]);
    }
    zeros
}

/// Entry `at` of `v` along an axis, which goes.
pub(super) fn taken(g: &mut Graph, v: V, at: usize, axis: usize) -> V {
    let at = g.int(to_i64(at));
    let axis = vec![attr_int("axis", to_i64(axis))];
    g.emit("Gather", &[v, at], axis)
}
