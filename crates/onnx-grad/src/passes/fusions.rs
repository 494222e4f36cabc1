//! Gradients of several nodes at once, where their shape in the graph allows a cheaper form than the
//! rules give one by one. Each says the same as the rules that it stands for.

use crate::Result;
use crate::axes::to_i64;
use crate::graph::{Graph, V};
use crate::rules::grad::Grad;
use crate::rules::softmax;

/// Gives the gradient of attention's softmax, where the node is one; `false` where it is not.
///
/// Σ dy y of attention's probabilities: with o = y v and dy = do vᵀ it is Σ do o, which is over the
/// size of a head instead of the length (Dao et al. 2022, appendix B.4).
pub(super) fn attended_softmax(g: &mut Grad) -> Result<bool> {
    if !g.node.is("Softmax") {
        return Ok(false);
    }
    let (dy, y) = (g.dy()?, g.y(0)?);
    let rank = g.rank_or(y)?;
    let is_last = g.axis("axis", -1, rank)? + 1 == rank;
    let Some((output, cotangent)) = attended(g, dy, y).filter(|_| is_last) else {
        return Ok(false);
    };
    let product = g.mul(cotangent, output);
    let sum = g.reduce("ReduceSum", product, &[to_i64(rank) - 1], true);
    let y = softmax::without_nan(g, y);
    let apart = g.sub(dy, sum);
    let gradient = g.mul(y, apart);
    g.give(0, gradient)?;
    Ok(true)
}

/// o and do, where `y` is read by the product o = y v alone, and `dy` is do vᵀ.
fn attended(g: &Graph, dy: V, y: V) -> Option<(V, V)> {
    let back = g
        .producer(dy)
        .filter(|node| node.derived && node.is("MatMul"))?;
    let cotangent = back.input(0)?;
    let mut readers = g.readers(y);
    let reader = readers.next().filter(|_| readers.next().is_none())?;
    if !reader.is("MatMul") || reader.input(0) != Some(y) {
        return None;
    }
    let output = reader.output(0)?;
    let (dims, probabilities) = (g.shape(output)?, g.shape(y)?);
    let fits = dims.len() >= 2
        && dims.len() == probabilities.len()
        && g.shape(cotangent).as_ref() == Some(&dims)
        && g.shape(dy) == Some(probabilities);
    fits.then_some((output, cotangent))
}

/// One Concat in place of a sum of zero-padded parts that lie side by side along one axis.
pub(super) fn join_parts(graph: &mut Graph, v: V, parts: &[V]) -> Option<V> {
    if parts.len() < 2 {
        return None;
    }
    let length = |axis: usize, v: V| graph.shape(v)?.get(axis)?.as_known();
    let mut found: Vec<(i64, V)> = Vec::new();
    let mut shared = None;
    for &part in parts {
        let node = graph
            .producer(part)
            .filter(|node| node.derived && node.is("Pad"))?;
        let pads = graph.known_ints(node.input(1)?)?;
        let rank = pads.len() / 2;
        let padded: Vec<usize> = (0..rank)
            .filter(|&axis| pads[axis] != 0 || pads[axis + rank] != 0)
            .collect();
        let [axis] = padded.as_slice() else {
            return None;
        };
        if *shared.get_or_insert(*axis) != *axis {
            return None;
        }
        found.push((pads[*axis], node.input(0)?));
    }
    let axis = shared?;
    found.sort_unstable();
    let mut end = 0;
    for &(start, inner) in &found {
        if start != end {
            return None;
        }
        end += length(axis, inner)?;
    }
    if Some(end) != length(axis, v) {
        return None;
    }
    let inner: Vec<V> = found.into_iter().map(|(_, inner)| inner).collect();
    Some(graph.concat(&inner, to_i64(axis)))
}
