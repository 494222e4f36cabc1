//! [Gather](https://onnx.ai/onnx/operators/onnx__Gather.html): y = x taken at the indices along one
//! axis. dx adds each part of dy at its index. A single known index becomes a Pad, and so does a
//! run of consecutive ones; otherwise zeros with ScatterND-like addition, or a product
//! with the one-hot matrix of the indices.
//!
//! Opsets 13 to 24 (defined in 13).

use super::op::{Cost, Grad, Op, Result};
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::tensor;

use super::slice::pad;

pub(super) const OPS: &[Op] = &[Op::new("Gather", shape, rule, Cost::Light)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (x, index) = (n.input(0)?, n.input(1)?);
    let data_type = g.data_type(x);
    let (from, at) = (g.shape(x)?, g.shape(index)?);
    let axis = normalized(n.int("axis", 0), from.len())?;
    let dims: Vec<Dim> = from[..axis]
        .iter()
        .chain(&at)
        .chain(&from[axis + 1..])
        .cloned()
        .collect();
    let content = (|| {
        let (content, index) = (g.content(x)?, g.known_ints(index)?);
        if from.len() != 1 || dims.len() > 1 {
            return None;
        }
        index
            .iter()
            .map(|&i| content.get(normalized(i, content.len())?).cloned())
            .collect()
    })();
    Some(vec![Info::new(data_type, Some(dims)).with_content(content)])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, index) = (g.dy()?, g.x(0)?, g.x(1)?);
    let (dims, index_dims) = (g.shape_or(x)?, g.shape_or(index)?);
    let axis = g.axis("axis", 0, dims.len())?;
    if let (Some(known), Some(length)) = (g.known_ints(index), dims[axis].as_known()) {
        let known: Option<Vec<i64>> = known
            .iter()
            .map(|&i| normalized(i, usize::try_from(length).ok()?).map(to_i64))
            .collect();
        let run = known.filter(|k| !k.is_empty() && k.windows(2).all(|w| w[1] == w[0] + 1));
        if let Some(run) = run {
            let part = if index_dims.is_empty() {
                g.unsqueeze(dy, &[to_i64(axis)])
            } else {
                dy
            };
            let (mut before, mut after) = (vec![0i64; dims.len()], vec![0i64; dims.len()]);
            before[axis] = run[0];
            after[axis] = length - run[0] - to_i64(run.len());
            let back = pad(g, part, &before, &after);
            return g.give(0, back);
        }
    }
    one_hot(g, dy, index, &dims, &index_dims, axis)
}

/// dx = (one-hot of the indices)ᵀ · dy, with the gathered axis in front.
fn one_hot(
    g: &mut Grad,
    dy: V,
    index: V,
    dims: &[Dim],
    index_dims: &[Dim],
    axis: usize,
) -> Result<()> {
    let x = g.x(0)?;
    let Some(depth) = g.length(&dims[axis], &[x]) else {
        return Err(g.error("the length of the gathered axis cannot be computed"));
    };
    let data_type = g.data_type(dy);
    let values = g.constant(tensor::floats(&[0.0, 1.0], &[2], data_type));
    let minus_one = g.ints(&[-1]);
    let count = g.symbols.product(index_dims);
    let flat = g.reshape(index, std::slice::from_ref(&count), None);
    let flat = if g.rank(flat) == Some(1) {
        flat
    } else {
        g.emit("Reshape", &[index, minus_one], Vec::new())
    };
    let flat = g.cast(flat, DataType::Int64);
    let hot = g.emit("OneHot", &[flat, depth, values], Vec::new());
    g.value_mut(hot).shape = Some(vec![count.clone(), dims[axis].clone()]);
    let hot = g.transpose(hot, &[1, 0]);
    // dy: lead, index…, tail → index…, lead, tail → count, rest
    let lead = axis;
    let rank = g.rank_or(dy)?;
    let perm: Vec<i64> = (lead..lead + index_dims.len())
        .chain(0..lead)
        .chain(lead + index_dims.len()..rank)
        .map(to_i64)
        .collect();
    let moved = g.transpose(dy, &perm);
    let rest: Vec<Dim> = dims[..axis]
        .iter()
        .chain(&dims[axis + 1..])
        .cloned()
        .collect();
    let columns = g.symbols.product(&rest);
    let matrix = g.reshape(moved, &[count, columns], None);
    let product = g.matmul(hot, matrix);
    let mut out_dims = vec![dims[axis].clone()];
    out_dims.extend(rest);
    let out = g.reshape(product, &out_dims, None);
    let mut back: Vec<i64> = (1..=to_i64(axis)).collect();
    back.push(0);
    back.extend((axis + 1..dims.len()).map(to_i64));
    let out = g.transpose(out, &back);
    g.give(0, out)
}
