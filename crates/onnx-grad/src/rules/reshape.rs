//! [Reshape](https://onnx.ai/onnx/operators/onnx__Reshape.html) and
//! [Flatten](https://onnx.ai/onnx/operators/onnx__Flatten.html): dx = dy with the shape of x.
//!
//! Opsets: Reshape 13 to 24 (defined in 13, 14, 19, 21, 23, 24); Flatten 13 to 24 (defined in 13,
//! 21, 23, 24).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::normalized;
use crate::graph::attribute::attr_int;
use crate::graph::{Dim, Graph, Info, Node};

pub(super) const OPS: &[Op] = &[
    Op::new("Reshape", reshape_shape, rule, Cost::Copy),
    Op::new("Flatten", flatten_shape, rule, Cost::Copy),
];

fn reshape_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (x, target) = (n.input(0)?, n.input(1)?);
    let data_type = g.data_type(x);
    let from = g.shape(x);
    let Some(target) = g.content(target) else {
        // The length of the target is the rank.
        let rank = g.shape(target).and_then(|s| s.first()?.as_known());
        let rank = usize::try_from(rank?).ok().filter(|&r| r <= 16)?;
        let dims = (0..rank).map(|_| g.symbols.fresh()).collect();
        return Some(vec![Info::new(data_type, Some(dims))]);
    };
    let allow_zero = n.int("allowzero", 0) != 0;
    let mut dims: Vec<Option<Dim>> = Vec::with_capacity(target.len());
    for (at, dim) in target.iter().enumerate() {
        dims.push(if dim.is(-1) {
            None
        } else if dim.is(0) && !allow_zero {
            Some(match from.as_ref().and_then(|from| from.get(at)) {
                Some(dim) => dim.clone(),
                None => g.symbols.fresh(),
            })
        } else {
            Some(dim.clone())
        });
    }
    let total = from.map(|from| g.symbols.product(&from));
    if dims.iter().all(Option::is_some)
        && let Some(total) = &total
    {
        learn(g, &dims, total);
    }
    let known: Vec<Dim> = dims.iter().flatten().cloned().collect();
    let known = g.symbols.product(&known);
    let mut out = Vec::with_capacity(dims.len());
    for dim in dims {
        out.push(match (dim, &total) {
            (Some(dim), _) => g.symbols.resolve(&dim),
            (None, Some(total)) => g.symbols.exact_div(total, &known),
            (None, None) => g.symbols.fresh(),
        });
    }
    let content = g.content(x).filter(|_| out.len() <= 1);
    Some(vec![Info::new(data_type, Some(out)).with_content(content)])
}

/// A valid reshape keeps the number of elements, which tells what a single open symbol is.
fn learn(g: &mut Graph, dims: &[Option<Dim>], total: &Dim) {
    for (at, dim) in dims.iter().enumerate() {
        let Some(dim) = dim else { continue };
        let others: Vec<Dim> = dims
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .filter_map(|(_, dim)| dim.clone())
            .collect();
        let others = g.symbols.product(&others);
        if dim.as_known().is_none()
            && let Some(value) = total.div_exact(&others)
        {
            g.symbols.learn(dim, &value);
        }
    }
}

fn flatten_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let axis = n.int("axis", 1);
    let axis = if usize::try_from(axis) == Ok(from.len()) {
        from.len()
    } else {
        normalized(axis, from.len())?
    };
    let rows = g.symbols.product(&from[..axis]);
    let columns = g.symbols.product(&from[axis..]);
    Some(vec![Info::new(g.data_type(x), Some(vec![rows, columns]))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let dims = g.shape_or(x)?;
    let back = if g.node.int("allowzero", 0) == 0 {
        g.reshape(dy, &dims, Some(x))
    } else if let Some(target) = one_free(&dims) {
        let target = g.ints(&target);
        let back = g.emit("Reshape", &[dy, target], Vec::new());
        g.value_mut(back).shape = Some(dims);
        back
    } else {
        // Free lengths may turn out to be 0, which has to be taken literally.
        let shape = g.shape_of(x);
        let back = g.emit("Reshape", &[dy, shape], vec![attr_int("allowzero", 1)]);
        g.value_mut(back).shape = Some(dims);
        back
    };
    g.give(0, back)
}

/// A target that no length of 0 makes ambiguous: one length follows from the others, which are known.
fn one_free(dims: &[Dim]) -> Option<Vec<i64>> {
    let target: Vec<i64> = dims
        .iter()
        .map(|dim| dim.as_known().unwrap_or(-1))
        .collect();
    let free = target.iter().filter(|&&n| n < 0).count();
    (free <= 1 && !target.contains(&0)).then_some(target)
}
