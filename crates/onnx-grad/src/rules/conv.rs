//! [Conv](https://onnx.ai/onnx/operators/onnx__Conv.html): dx = ConvTranspose(dy, W), cut to the
//! length of x; dW = Σ over windows of x dy, as one matrix product; db = Σ dy. On images and with
//! strides of 1, dx is also a Conv: with the kernel turned about and its channels swapped. ONNX
//! Runtime runs that several times faster (3 ms where ConvTranspose takes 17: 256 channels, 16 × 16).
//!
//! Opsets 13 to 24 (defined in 11, 22).

use super::op::{Cost, Grad, Op, Result};
use super::window::{Pads, Window, kernel_of, window};
use crate::axes::to_i64;
use crate::graph::attribute::{attr_int, attr_ints};
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::tensor;

pub(super) const OPS: &[Op] =
    &[Op::new("Conv", shape, rule, Cost::Heavy).limits("kernel lengths are fixed")];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let channels = g.shape(n.input(1)?)?.first()?.clone();
    let mut dims = vec![from.first()?.clone(), channels];
    let window = kernel_of(g, n.input(1)?)
        .and_then(|kernel| window(g, n, kernel))
        .filter(|w| w.kernel.len() + 2 == from.len());
    for at in 0..from.len().checked_sub(2)? {
        let count = match &window {
            Some(w) => w.count(g, at, &from[at + 2]),
            None => None,
        };
        dims.push(count.unwrap_or_else(|| g.symbols.fresh()));
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

/// The bias takes the sum of dy over all axes but the channels.
pub(super) fn give_bias(g: &mut Grad, dy: V) -> Result<()> {
    if !g.wants(2) {
        return Ok(());
    }
    let rank = to_i64(g.rank_or(dy)?);
    let axes: Vec<i64> = (0..rank).filter(|&axis| axis != 1).collect();
    g.give_sum(2, dy, &axes)
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, weight) = (g.dy()?, g.x(0)?, g.x(1)?);
    give_bias(g, dy)?;
    if !g.wants(0) && !g.wants(1) {
        return Ok(());
    }
    let node = g.node.clone();
    let rank = g.rank_or(x)?;
    let found = kernel_of(g, weight).and_then(|kernel| window(g, &node, kernel));
    let Some(w) = found.filter(|w| w.kernel.len() + 2 == rank && g.rank(dy) == Some(rank)) else {
        return Err(g.error("its window is not known: fix the lengths of the kernel"));
    };
    let group = node.int("group", 1).max(1);
    if g.wants(0) {
        let back = match turned(g, &w, dy, weight, group) {
            Some(back) => back,
            None => w.spread(g, dy, weight, group, x)?,
        };
        let dims = g.shape(x);
        g.value_mut(back).shape = dims;
        g.give(0, back)?;
    }
    if g.wants(1) {
        w.give_kernel(g, x, dy, weight, group)?;
    }
    Ok(())
}

/// dx as a convolution of dy, where strides are 1 and the kernel is constant.
fn turned(g: &mut Graph, w: &Window, dy: V, weight: V, group: i64) -> Option<V> {
    let Pads::Known(pads) = &w.pads else {
        return None;
    };
    let count = w.kernel.len();
    if count != 2 || w.strides.iter().any(|&s| s != 1) || !g.value(weight).constant {
        return None;
    }
    let mut rest = Vec::with_capacity(2 * count);
    for (at, &pad) in pads.iter().enumerate() {
        let rim = w.extent(at % count)?.checked_sub(1)?.checked_sub(pad)?;
        rest.push(Some(rim).filter(|&n| n >= 0)?);
    }
    let kernel = turned_kernel(g, weight, &w.kernel, group)?;
    let attributes = vec![
        attr_ints("kernel_shape", &w.kernel),
        attr_ints("dilations", &w.dilations),
        attr_ints("pads", &rest),
        attr_int("group", group),
    ];
    Some(g.emit("Conv", &[dy, kernel], attributes))
}

/// `[groups·b, a, lengths…]` as `[groups·a, b, lengths…]`, every place of the kernel at the opposite one.
fn turned_kernel(g: &mut Graph, weight: V, lengths: &[i64], group: i64) -> Option<V> {
    if g.stores_transposed
        && let Some(stored) = stored_kernel(g, weight, group)
    {
        return Some(stored);
    }
    let dims = g.shape(weight)?;
    let (groups, a) = (Dim::known(group), dims[1].clone());
    let b = g.symbols.exact_div(&dims[0], &groups);
    let mut out = weight;
    let axes: Vec<i64> = (0..lengths.len())
        .filter(|&at| lengths[at] > 1)
        .map(|at| to_i64(at + 2))
        .collect();
    if !axes.is_empty() {
        let (starts, ends) = (vec![-1; axes.len()], vec![i64::MIN + 1; axes.len()]);
        let inputs = [
            out,
            g.ints(&starts),
            g.ints(&ends),
            g.ints(&axes),
            g.ints(&starts),
        ];
        out = g.emit("Slice", &inputs, Vec::new());
        g.value_mut(out).shape = Some(dims.clone());
    }
    if group == 1 {
        let mut perm: Vec<i64> = (0..to_i64(dims.len())).collect();
        perm.swap(0, 1);
        return Some(g.transpose(out, &perm));
    }
    let mut apart = vec![groups.clone(), b.clone(), a.clone()];
    apart.extend(dims[2..].iter().cloned());
    out = g.reshape(out, &apart, None);
    let mut perm: Vec<i64> = (0..to_i64(apart.len())).collect();
    perm.swap(1, 2);
    out = g.transpose(out, &perm);
    let mut back = vec![g.symbols.mul(&groups, &a), b];
    back.extend(dims[2..].iter().cloned());
    Some(g.reshape(out, &back, None))
}

/// The turned kernel as an initializer of its own, or the cast of one.
fn stored_kernel(g: &mut Graph, weight: V, group: i64) -> Option<V> {
    if let Some(&v) = g.transposed.get(&weight) {
        let channels = g.shape(weight)?.get(1)?.as_known()?.checked_mul(group)?;
        return Some(v).filter(|&v| g.shape(v).is_some_and(|dims| dims[0].is(channels)));
    }
    if let Some(node) = g.producer(weight) {
        let inner = node.input(0).filter(|_| node.is("Cast"))?;
        let to = g.data_type(weight);
        let stored = stored_kernel(g, inner, group)?;
        return Some(g.cast(stored, to));
    }
    let turned = tensor::turned(g.tensor(weight)?, group)?;
    let name = g.value(weight).name.clone();
    let name = g.fresh_name(&format!("{name}_turned"));
    let v = g.add_tensor(name, std::rc::Rc::new(turned));
    g.transposed.insert(weight, v);
    Some(v)
}
