//! [MatMul](https://onnx.ai/onnx/operators/onnx__MatMul.html): Y = A B over the last two axes,
//! leading axes broadcast. dA = dY Bᵀ, dB = Aᵀ dY; vectors are taken as one row or column.
//!
//! Opsets 13 to 24 (defined in 13).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::axes::to_i64;
use crate::graph::attribute::attr_ints;
use crate::graph::build::swap_of;
use crate::graph::{Fault, Graph, Info, Node, V};

pub(super) const OPS: &[Op] = &[Op::new("MatMul", shape, rule, Cost::Heavy)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (a, b) = (n.input(0)?, n.input(1)?);
    let data_type = g.data_type(a);
    let shape = (|| {
        let (a, b) = (g.shape(a)?, g.shape(b)?);
        let (rows, a_lead) = match a.len() {
            0 => return None,
            1 => (None, &a[..0]),
            k => (Some(a[k - 2].clone()), &a[..k - 2]),
        };
        let (columns, b_lead) = match b.len() {
            0 => return None,
            1 => (None, &b[..0]),
            k => (Some(b[k - 1].clone()), &b[..k - 2]),
        };
        let mut out = infer::broadcast_shapes(g, a_lead, b_lead);
        out.extend(rows);
        out.extend(columns);
        Some(out)
    })();
    Some(vec![Info::new(data_type, shape)])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (a, b) = (g.x(0)?, g.x(1)?);
    let mut dy = g.dy()?;
    let (a_rank, b_rank) = (g.rank_or(a)?, g.rank_or(b)?);
    if a_rank == 0 || b_rank == 0 {
        return Err(g.error("a factor is a scalar"));
    }
    // The missing row or column of vectors.
    if b_rank == 1 {
        let last = to_i64(g.rank_or(dy)?);
        dy = g.unsqueeze(dy, &[last]);
    }
    if a_rank == 1 {
        let axis = to_i64(g.rank_or(dy)?) - 1;
        dy = g.unsqueeze(dy, &[axis]);
    }
    let a_matrix = if a_rank == 1 { g.unsqueeze(a, &[0]) } else { a };
    let b_matrix = if b_rank == 1 { g.unsqueeze(b, &[1]) } else { b };
    if g.wants(0) {
        let bt = g.swap_last(b_matrix);
        let product = g.matmul(dy, bt);
        give_factor(g, 0, product, a_rank, a_matrix, 0)?;
    }
    if g.wants(1) {
        let flat = b_rank <= 2 && g.rank_or(dy)? > 2 && a_rank > 1;
        if flat {
            let product = flat_product(g, a_matrix, dy)?;
            return give_factor(g, 1, product, b_rank, b_matrix, 1);
        }
        let product = transposed_product(g, a_matrix, dy);
        give_factor(g, 1, product, b_rank, b_matrix, 1)?;
    }
    Ok(())
}

/// Up to how many columns of dY engines are faster at (dYᵀ A)ᵀ than at Aᵀ dY: for attention's
/// [16, 256, 256] and [16, 256, 8] ONNX Runtime takes 1.0 ms for the one and 1.9 ms for the other.
const NARROW: i64 = 64;

/// Aᵀ dY.
fn transposed_product(g: &mut Graph, a: V, dy: V) -> V {
    let last = |g: &Graph, v: V| g.shape(v)?.last().cloned();
    let columns = last(g, dy).and_then(|dim| dim.as_known());
    let inner = last(g, a).and_then(|dim| dim.as_known());
    let narrow = columns.is_some_and(|m| m <= NARROW && inner.is_none_or(|k| k > m));
    if !narrow || g.value(a).constant || g.rank(a) != g.rank(dy) {
        let at = g.swap_last(a);
        return g.matmul(at, dy);
    }
    let dyt = g.swap_last(dy);
    let product = g.matmul(dyt, a);
    let Some(rank) = g.rank(product) else {
        g.fail(Fault::Broken("a product of factors of known rank has none"));
        return product;
    };
    let perm = attr_ints("perm", &swap_of(rank));
    g.emit("Transpose", &[product], vec![perm])
}

/// Aᵀ dY summed over the leading axes, as one product of matrices.
fn flat_product(g: &mut Grad, a: V, dy: V) -> Result<V> {
    let (inner, outer) = (g.shape_or(a)?, g.shape_or(dy)?);
    let rows = g.symbols.product(&outer[..outer.len() - 1]);
    let a = g.reshape(a, &[rows.clone(), inner[inner.len() - 1].clone()], None);
    let dy = g.reshape(dy, &[rows, outer[outer.len() - 1].clone()], None);
    let at = g.swap_last(a);
    Ok(g.matmul(at, dy))
}

fn give_factor(
    g: &mut Grad,
    input: usize,
    product: V,
    rank: usize,
    matrix: V,
    axis: i64,
) -> Result<()> {
    // The product of matching matrices has the lengths of the factor, whatever they are called.
    if let (Some(mut dims), Some(own)) = (g.shape(product), g.shape(matrix))
        && dims.len() >= 2
        && own.len() >= 2
    {
        let at = dims.len() - 2;
        dims[at..].clone_from_slice(&own[own.len() - 2..]);
        g.value_mut(product).shape = Some(dims);
    }
    if rank > 1 {
        return g.give(input, product);
    }
    let Some(summed) = g.unbroadcast(product, matrix) else {
        return Err(g.error("a product does not fit its factor"));
    };
    let vector = g.squeeze(summed, &[axis]);
    g.give(input, vector)
}
