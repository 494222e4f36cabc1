//! [Softplus](https://onnx.ai/onnx/operators/onnx__Softplus.html): y = ln(1 + eˣ). dx = dy σ(x).
//! [Mish](https://onnx.ai/onnx/operators/onnx__Mish.html): y = x t, t = tanh(ln(1 + eˣ)).
//! dx = dy (t + x (1 − t²) σ(x)).
//! [Softsign](https://onnx.ai/onnx/operators/onnx__Softsign.html): y = x/(1 + |x|).
//! dx = dy / (1 + |x|)².
//!
//! Opsets: Softplus, Softsign 13 to 24 (defined in 1, 22); Mish 18 to 24 (defined in 18, 22).

use super::infer;
use super::op::{Cost, Grad, Op, Result};

pub(super) const OPS: &[Op] = &[
    Op::new("Softplus", infer::same, softplus, Cost::Middle),
    Op::new("Mish", infer::same, mish, Cost::Middle),
    Op::new("Softsign", infer::same, softsign, Cost::Middle),
];

fn softplus(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let slope = g.unary("Sigmoid", x);
    g.give_product(0, dy, slope)
}

fn mish(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let soft = g.unary("Softplus", x);
    let t = g.unary("Tanh", soft);
    let square = g.mul(t, t);
    let one = g.scalar(1.0, x);
    let rest = g.sub(one, square);
    let sigmoid = g.unary("Sigmoid", x);
    let inner = g.mul(x, sigmoid);
    let inner = g.mul(inner, rest);
    let slope = g.add(t, inner);
    g.give_product(0, dy, slope)
}

fn softsign(g: &mut Grad) -> Result<()> {
    let (dy, x) = (g.dy()?, g.x(0)?);
    let size = g.unary("Abs", x);
    let divisor = g.shift(size, 1.0);
    let square = g.mul(divisor, divisor);
    g.give_quotient(0, dy, square)
}
