//! [Where](https://onnx.ai/onnx/operators/onnx__Where.html): y = c ? a : b. da = c ? dy : 0,
//! db = c ? 0 : dy.
//!
//! Opsets 13 to 24 (defined in 9, 16).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::graph::{Graph, Info, Node};

pub(super) const OPS: &[Op] = &[Op::new("Where", shape, rule, Cost::Light)];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let (c, a, b) = (n.input(0)?, n.input(1)?, n.input(2)?);
    let shape = infer::broadcast_all(g, &[c, a, b]);
    let content = (|| {
        let (test, yes, no) = (g.known_ints(c)?, g.content(a)?, g.content(b)?);
        let length = [test.len(), yes.len(), no.len()].into_iter().max()?;
        (0..length)
            .map(|at| {
                let pick =
                    |v: &[crate::graph::Dim]| v.get(if v.len() == 1 { 0 } else { at }).cloned();
                let test = test.get(if test.len() == 1 { 0 } else { at })?;
                if *test != 0 { pick(&yes) } else { pick(&no) }
            })
            .collect()
    })();
    Some(vec![Info::new(g.data_type(a), shape).with_content(content)])
}

fn rule(g: &mut Grad) -> Result<()> {
    let (dy, condition) = (g.dy()?, g.x(0)?);
    let zero = g.scalar(0.0, dy);
    if g.wants(1) {
        let part = g.select(condition, dy, zero);
        g.give(1, part)?;
    }
    if g.wants(2) {
        let part = g.select(condition, zero, dy);
        g.give(2, part)?;
    }
    Ok(())
}
