//! [Col2Im](https://onnx.ai/onnx/operators/onnx__Col2Im.html) adds windows up to an image; dx is the
//! windows of dy, which a convolution with one kernel per place of the window takes.
//!
//! Opsets 18 to 24 (defined in 18).

use super::max_pool::one_per_place;
use super::op::{Cost, Grad, Op, Result};
use super::window::window;
use crate::axes::to_i64;
use crate::graph::attribute::attr_ints;
use crate::graph::{Dim, Graph, Info, Node};

pub(super) const OPS: &[Op] =
    &[Op::new("Col2Im", shape, rule, Cost::Heavy).limits("constant block shape")];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let from = g.shape(x)?;
    let image = n.input(1)?;
    let rank = g.shape(image)?.first()?.as_known()?;
    let block = g.known_ints(n.input(2)?)?;
    let area = block.iter().try_fold(1i64, |n, &k| n.checked_mul(k))?;
    let channels = g.symbols.exact_div(from.get(1)?, &Dim::known(area));
    let mut dims = vec![from[0].clone(), channels];
    let lengths = g.content(image);
    for at in 0..usize::try_from(rank).ok().filter(|&r| r <= 16)? {
        let length = lengths.as_ref().and_then(|l| l.get(at).cloned());
        dims.push(length.unwrap_or_else(|| g.symbols.fresh()));
    }
    Some(vec![Info::new(g.data_type(x), Some(dims))])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, x, block) = (g.dy()?, g.x(0)?, g.x(2)?);
    let (dims, image) = (g.shape_or(x)?, g.shape_or(dy)?);
    let node = g.node.clone();
    let found = g
        .known_ints(block)
        .and_then(|kernel| window(g, &node, kernel));
    let Some((w, places)) = found.and_then(|w| {
        let places = w.places(1024)?.len();
        Some((w, places))
    }) else {
        return Err(g.error("its block shape has to be constant and of at most 1024 elements"));
    };
    let super::window::Pads::Known(pads) = &w.pads else {
        return Err(g.error("its pads are not known"));
    };
    let mut planes = vec![g.symbols.product(&image[..2]), Dim::known(1)];
    planes.extend(image[2..].iter().cloned());
    let flat = g.reshape(dy, &planes, None);
    let data_type = g.data_type(dy);
    let kernel = g.constant(one_per_place(&w.kernel, places, data_type));
    let attributes = vec![
        attr_ints("kernel_shape", &w.kernel),
        attr_ints("strides", &w.strides),
        attr_ints("dilations", &w.dilations),
        attr_ints("pads", pads),
    ];
    let windows = g.emit("Conv", &[flat, kernel], attributes);
    let mut apart = vec![planes[0].clone(), Dim::known(to_i64(places))];
    apart.extend(dims.last().cloned());
    let windows = g.reshape(windows, &apart, None);
    let back = g.reshape(windows, &dims, Some(x));
    g.give(0, back)
}
