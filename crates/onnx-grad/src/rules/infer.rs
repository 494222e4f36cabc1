//! Shape inference shared between ops.

use crate::axes::normalized;
use crate::data_type::DataType;
use crate::graph::{Dim, Graph, Info, Node, V};

/// Output 0 is like input 0.
pub(super) fn same(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let content = if n.op == "Identity" {
        g.content(x)
    } else {
        None
    };
    Some(vec![
        Info::new(g.data_type(x), g.shape(x)).with_content(content),
    ])
}

/// Numpy broadcasting of two shapes.
pub(super) fn broadcast_shapes(g: &mut Graph, a: &[Dim], b: &[Dim]) -> Vec<Dim> {
    let rank = a.len().max(b.len());
    (0..rank)
        .map(|at| {
            let pick = |s: &[Dim]| (at + s.len()).checked_sub(rank).map(|i| s[i].clone());
            match (pick(a), pick(b)) {
                (Some(a), Some(b)) => g.symbols.broadcast(&a, &b),
                (Some(d), None) | (None, Some(d)) => d,
                (None, None) => Dim::known(1),
            }
        })
        .collect()
}

/// The broadcast shape of several inputs.
pub(super) fn broadcast_all(g: &mut Graph, inputs: &[V]) -> Option<Vec<Dim>> {
    let mut shape = Vec::new();
    for &v in inputs {
        let other = g.shape(v)?;
        shape = broadcast_shapes(g, &shape, &other);
    }
    Some(shape)
}

/// Elementwise with broadcasting; the element type is that of the first input.
pub(super) fn broadcast(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let inputs: Vec<V> = n.inputs.iter().flatten().copied().collect();
    let shape = broadcast_all(g, &inputs);
    let content = content_of(g, n);
    Some(vec![
        Info::new(g.data_type(n.input(0)?), shape).with_content(content),
    ])
}

/// Elementwise with broadcasting and a boolean result.
pub(super) fn compare(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let inputs: Vec<V> = n.inputs.iter().flatten().copied().collect();
    let shape = broadcast_all(g, &inputs);
    let content = content_of(g, n);
    Some(vec![Info::new(DataType::Bool, shape).with_content(content)])
}

/// Arithmetic on small integer tensors, for the shapes that they describe.
fn content_of(g: &mut Graph, n: &Node) -> Option<Vec<Dim>> {
    let (a, b) = (g.content(n.input(0)?)?, g.content(n.input(1)?)?);
    if n.inputs.len() != 2 || (a.len() != b.len() && a.len() != 1 && b.len() != 1) {
        return None;
    }
    let length = if a.is_empty() || b.is_empty() {
        0
    } else {
        a.len().max(b.len())
    };
    let mut out = Vec::with_capacity(length);
    for at in 0..length {
        let x = a[if a.len() == 1 { 0 } else { at }].clone();
        let y = b[if b.len() == 1 { 0 } else { at }].clone();
        out.push(match n.op.as_str() {
            "Add" => g.symbols.add(&x, &y),
            "Sub" => g.symbols.sub(&x, &y),
            "Mul" => g.symbols.mul(&x, &y),
            "Div" if x.is_non_negative() && y.is_non_negative() => g.symbols.floor_div(&x, &y),
            "Mod" => match (x.as_known(), y.as_known()) {
                (Some(x), Some(y)) if x >= 0 && y > 0 => Dim::known(x % y),
                _ => return None,
            },
            "Equal" => match equal(&x, &y) {
                Some(same) => Dim::known(i64::from(same)),
                None => return None,
            },
            "Max" | "Min" => match (x.as_known(), y.as_known()) {
                (Some(x), Some(y)) if n.op == "Max" => Dim::known(x.max(y)),
                (Some(x), Some(y)) => Dim::known(x.min(y)),
                _ if x == y => x,
                _ => return None,
            },
            _ => return None,
        });
    }
    Some(out)
}

fn equal(x: &Dim, y: &Dim) -> Option<bool> {
    if x == y {
        return Some(true);
    }
    match (x.as_known(), y.as_known()) {
        (Some(_), Some(_)) => Some(false),
        // Dimensions are not negative.
        (Some(n), None) if n < 0 && y.is_non_negative() => Some(false),
        (None, Some(n)) if n < 0 && x.is_non_negative() => Some(false),
        _ => None,
    }
}

/// Reductions with `keepdims` and axes in an attribute or the second input.
pub(super) fn reduction(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let data_type = g.data_type(x);
    let Some(shape) = g.shape(x) else {
        return Some(vec![Info::new(data_type, None)]);
    };
    let keep = n.int("keepdims", 1) != 0;
    let given = match n.input(1) {
        Some(axes) => match g.known_ints(axes) {
            Some(axes) => axes,
            None if keep => {
                let dims = shape.iter().map(|_| g.symbols.fresh()).collect();
                return Some(vec![Info::new(data_type, Some(dims))]);
            }
            None => return Some(vec![Info::new(data_type, None)]),
        },
        None => n.ints("axes").map(<[i64]>::to_vec).unwrap_or_default(),
    };
    if given.is_empty() && n.int("noop_with_empty_axes", 0) != 0 {
        return Some(vec![Info::new(data_type, Some(shape))]);
    }
    let axes: Option<Vec<usize>> = given.iter().map(|&a| normalized(a, shape.len())).collect();
    let axes = axes?;
    let all = axes.is_empty();
    let mut out = Vec::new();
    for (at, dim) in shape.into_iter().enumerate() {
        if !all && !axes.contains(&at) {
            out.push(dim);
        } else if keep {
            out.push(Dim::known(1));
        }
    }
    Some(vec![Info::new(data_type, Some(out))])
}

/// Known element type, unknown everything else.
pub(super) fn opaque(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let data_type = g.data_type(n.input(0)?);
    Some(vec![Info::new(data_type, None)])
}
