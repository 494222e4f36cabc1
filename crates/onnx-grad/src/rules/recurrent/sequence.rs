//! All steps of one direction: written out, or as a Scan.

use super::cell::{Cell, Kind, rows, taken, zero_state};
use crate::Result;
use crate::axes::to_i64;
use crate::graph::attribute::{attr_graph, attr_int, attr_ints};
use crate::graph::scope::Scope;
use crate::graph::{Dim, Graph, Info, V};
use crate::proto::AttributeProto;
use crate::rules::grad::Grad;

/// The longest sequence whose steps are written out.
const MOST_WRITTEN_OUT: i64 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Reverse,
}

/// What one direction returns.
pub(super) struct Ran {
    /// `[frames, batch, hidden]`.
    pub(super) all: V,
    /// `[batch, hidden]`.
    pub(super) h: V,
    /// Of an LSTM, like `h`.
    pub(super) c: Option<V>,
}

/// A state, `h` and, of an LSTM, `c`.
type State = (V, Option<V>);

/// Runs a cell over `x`, `[frames, batch, inputs]`, from `starts` or zeros.
pub(super) fn run(
    g: &mut Grad,
    cell: &Cell,
    x: V,
    mask: Option<V>,
    starts: [Option<V>; 2],
    direction: Direction,
) -> Result<Ran> {
    let dims = g.shape_or(x)?;
    let [frames, batch, _] = dims.as_slice() else {
        return Err(g.error("its input has to have three axes"));
    };
    let (frames, batch) = (frames.clone(), batch.clone());
    let zeros = zero_state(g, cell, x);
    let h = starts[0].unwrap_or(zeros);
    let c = (cell.kind == Kind::Lstm).then(|| starts[1].unwrap_or(zeros));
    let rows = rows(g, cell, x);
    match frames.as_known() {
        Some(count @ 1..=MOST_WRITTEN_OUT) => {
            Ok(written_out(g, cell, rows, mask, (h, c), count, direction))
        }
        _ => scanned(g, cell, rows, mask, (h, c), [frames, batch], direction),
    }
}

/// The state after a step that may lie beyond a sequence's end, and what it returns.
fn masked(g: &mut Graph, mask: Option<V>, before: State, after: State) -> (State, V) {
    let Some(mask) = mask else {
        return (after, after.0);
    };
    let h = g.select(mask, after.0, before.0);
    let c = match (after.1, before.1) {
        (Some(after), Some(before)) => Some(g.select(mask, after, before)),
        _ => None,
    };
    let zero = g.scalar(0.0, h);
    let shown = g.select(mask, after.0, zero);
    ((h, c), shown)
}

fn written_out(
    g: &mut Graph,
    cell: &Cell,
    rows: V,
    mask: Option<V>,
    mut state: State,
    count: i64,
    direction: Direction,
) -> Ran {
    let count = usize::try_from(count).unwrap_or(0);
    let mut shown = vec![None; count];
    for turn in 0..count {
        let at = match direction {
            Direction::Forward => turn,
            Direction::Reverse => count - 1 - turn,
        };
        let x = taken(g, rows, at, 0);
        let mask = mask.map(|mask| taken(g, mask, at, 0));
        let after = cell.step(g, &cell.weights, x, state.0, state.1);
        let (next, row) = masked(g, mask, state, after);
        state = next;
        shown[at] = Some(g.unsqueeze(row, &[0]));
    }
    let shown: Vec<V> = shown.into_iter().flatten().collect();
    Ran {
        all: g.concat(&shown, 0),
        h: state.0,
        c: state.1,
    }
}

fn scanned(
    g: &mut Grad,
    cell: &Cell,
    rows: V,
    mask: Option<V>,
    state: State,
    [frames, batch]: [Dim; 2],
    direction: Direction,
) -> Result<Ran> {
    let node = g.node.clone();
    let mut scope = Scope::new(g, &node)?;
    let info = Info::new(
        g.data_type(rows),
        Some(vec![batch.clone(), cell.hidden.clone()]),
    );
    let h = scope.parameter("h", info.clone());
    let c = state.1.map(|_| scope.parameter("c", info.clone()));
    let slice = |g: &Graph, v: V| {
        let dims = g.value(v).shape.clone();
        Info::new(g.data_type(v), dims.map(|dims| dims[1..].to_vec()))
    };
    let x = scope.parameter("x", slice(g, rows));
    let within = mask.map(|mask| scope.parameter("within", slice(g, mask)));
    let weights = cell.weights.map(|v| scope.import(g, v));
    let after = cell.step(&mut scope.graph, &weights, x, h, c);
    let (after, shown) = masked(&mut scope.graph, within, (h, c), after);
    let parameters: Vec<V> = [Some(h), c, Some(x), within]
        .into_iter()
        .flatten()
        .collect();
    let returned: Vec<V> = [Some(after.0), after.1, Some(shown)]
        .into_iter()
        .flatten()
        .collect();
    let (body, read) = scope.finish(g, &parameters, &returned);
    let mut bodies = vec![(attr_graph("body", body), read)];
    let slices = 1 + usize::from(mask.is_some());
    bodies.extend(series(slices, direction).map(|attribute| (attribute, Vec::new())));
    let inputs = [Some(state.0), state.1, Some(rows), mask];
    let inputs = inputs.into_iter().flatten().map(Some).collect();
    let mut stacked = info.clone();
    stacked.shape = Some(vec![frames, batch, cell.hidden.clone()]);
    let mut infos = vec![info.clone()];
    infos.extend(state.1.map(|_| info));
    infos.push(stacked);
    let made = g.emit_with_body("Scan", inputs, bodies, infos);
    Ok(Ran {
        all: made[made.len() - 1],
        h: made[0],
        c: state.1.map(|_| made[1]),
    })
}

/// How many inputs a Scan slices, and whether it goes through them and its output from the end.
fn series(slices: usize, direction: Direction) -> [AttributeProto; 3] {
    let reversed = i64::from(direction == Direction::Reverse);
    [
        attr_int("num_scan_inputs", to_i64(slices)),
        attr_ints("scan_input_directions", &vec![reversed; slices]),
        attr_ints("scan_output_directions", &[reversed]),
    ]
}
