//! [LSTM](https://onnx.ai/onnx/operators/onnx__LSTM.html),
//! [GRU](https://onnx.ai/onnx/operators/onnx__GRU.html) and
//! [RNN](https://onnx.ai/onnx/operators/onnx__RNN.html): the gradient is that of the same recurrence in
//! plain ops, step by step where the sequence is short and its length known, else as a Scan. Steps beyond
//! a sequence's own length keep the state and return zeros.
//!
//! Opsets: LSTM, GRU, RNN 13 to 24 (defined in 7, 14, 22).

mod activation;
mod cell;
mod sequence;

use self::cell::{Cell, Kind, taken};
use self::sequence::{Direction, Ran, run};
use super::op::{Cost, Grad, Op, Result};
use crate::data_type::DataType;
use crate::graph::{Dim, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[
    Op::new("LSTM", shape, rule, Cost::Heavy).many_outputs(),
    Op::new("GRU", shape, rule, Cost::Heavy).many_outputs(),
    Op::new("RNN", shape, rule, Cost::Heavy).many_outputs(),
];

/// Y, Y_h and Y_c.
fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (x, w, r) = (n.input(0)?, n.input(1)?, n.input(2)?);
    let data_type = g.data_type(x);
    let [first, second, _] = g.shape(x)?.try_into().ok()?;
    let directions = g.shape(w)?.first()?.clone();
    let hidden = g.shape(r)?.get(2)?.clone();
    let (all, last) = if n.int("layout", 0) == 0 {
        (
            vec![first, directions.clone(), second.clone(), hidden.clone()],
            vec![directions, second, hidden],
        )
    } else {
        (
            vec![first.clone(), second, directions.clone(), hidden.clone()],
            vec![first, directions, hidden],
        )
    };
    let info = |dims: Vec<Dim>| Info::new(data_type, Some(dims));
    Some(vec![info(all), info(last.clone()), info(last)])
}

fn rule(g: &mut Grad) -> Result<()> {
    let node = g.node.clone();
    let words = node.string("direction", "forward");
    let directions: &[Direction] = match words.as_str() {
        "forward" => &[Direction::Forward],
        "reverse" => &[Direction::Reverse],
        "bidirectional" => &[Direction::Forward, Direction::Reverse],
        other => return Err(g.error(format!("direction `{other}` is not known"))),
    };
    let kind = Kind::of(&node.op).ok_or_else(|| g.internal("it is no recurrent op"))?;
    let by_batch = node.int("layout", 0) != 0;
    let x = g.x(0)?;
    let x = if by_batch {
        g.transpose(x, &[1, 0, 2])
    } else {
        x
    };
    let mask = mask(g, x)?;
    let mut ran = Vec::new();
    for (at, &direction) in directions.iter().enumerate() {
        let cell = Cell::of(g, kind, at, directions.len())?;
        let start = |g: &mut Grad, input: usize| -> Option<V> {
            let all = g.node.input(input)?;
            let axis = usize::from(by_batch);
            Some(taken(g, all, at, axis))
        };
        let starts = [start(g, 5), start(g, 6).filter(|_| kind == Kind::Lstm)];
        ran.push(run(g, &cell, x, mask, starts, direction)?);
    }
    let outputs = outputs(g, &ran, by_batch);
    g.give_through(&outputs)
}

/// The outputs that somebody takes the gradient of, by number.
fn outputs(g: &mut Grad, ran: &[Ran], by_batch: bool) -> Vec<(usize, V)> {
    let mut outputs = Vec::new();
    if g.dy_of(0).is_some() {
        let parts: Vec<V> = ran.iter().map(|ran| g.unsqueeze(ran.all, &[1])).collect();
        let all = g.concat(&parts, 1);
        // [frames, directions, batch, hidden]
        outputs.push((
            0,
            if by_batch {
                g.transpose(all, &[2, 0, 1, 3])
            } else {
                all
            },
        ));
    }
    for output in [1, 2] {
        if g.dy_of(output).is_none() {
            continue;
        }
        let ends = ran
            .iter()
            .filter_map(|ran| if output == 1 { Some(ran.h) } else { ran.c });
        let parts: Vec<V> = ends.map(|v| g.unsqueeze(v, &[0])).collect();
        let last = g.concat(&parts, 0);
        outputs.push((
            output,
            if by_batch {
                g.transpose(last, &[1, 0, 2])
            } else {
                last
            },
        ));
    }
    outputs
}

/// Which steps lie within each sequence, `[frames, batch, 1]` of truth values; `None` where all do.
fn mask(g: &mut Grad, x: V) -> Result<Option<V>> {
    let Some(lengths) = g.node.input(4) else {
        return Ok(None);
    };
    g.rank_or(x)?;
    let lengths = g.cast(lengths, DataType::Int64);
    let lengths = g.unsqueeze(lengths, &[0]);
    let frames = g.length_of(x, 0);
    let steps = g.counting(frames);
    let steps = g.unsqueeze(steps, &[1]);
    let within = g.emit("Less", &[steps, lengths], Vec::new());
    Ok(Some(g.unsqueeze(within, &[2])))
}
