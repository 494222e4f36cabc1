//! Trigonometric and hyperbolic functions: [Sin](https://onnx.ai/onnx/operators/onnx__Sin.html),
//! [Cos](https://onnx.ai/onnx/operators/onnx__Cos.html),
//! [Tan](https://onnx.ai/onnx/operators/onnx__Tan.html),
//! [Asin](https://onnx.ai/onnx/operators/onnx__Asin.html),
//! [Acos](https://onnx.ai/onnx/operators/onnx__Acos.html),
//! [Atan](https://onnx.ai/onnx/operators/onnx__Atan.html),
//! [Sinh](https://onnx.ai/onnx/operators/onnx__Sinh.html),
//! [Cosh](https://onnx.ai/onnx/operators/onnx__Cosh.html),
//! [Asinh](https://onnx.ai/onnx/operators/onnx__Asinh.html),
//! [Acosh](https://onnx.ai/onnx/operators/onnx__Acosh.html),
//! [Atanh](https://onnx.ai/onnx/operators/onnx__Atanh.html). Each rule is the textbook derivative.
//!
//! Opsets: Sin, Cos, Tan, Asin, Acos, Atan 13 to 24 (defined in 7, 22); Sinh, Cosh, Asinh, Acosh,
//! Atanh 13 to 24 (defined in 9, 22).

use super::infer;
use super::op::{Cost, Grad, Op, Result};
use crate::graph::V;

pub(super) const OPS: &[Op] = &[
    Op::new("Sin", infer::same, sin, Cost::Middle),
    Op::new("Cos", infer::same, cos, Cost::Middle),
    Op::new("Tan", infer::same, tan, Cost::Middle),
    Op::new("Asin", infer::same, asin, Cost::Middle),
    Op::new("Acos", infer::same, acos, Cost::Middle),
    Op::new("Atan", infer::same, atan, Cost::Middle),
    Op::new("Sinh", infer::same, sinh, Cost::Middle),
    Op::new("Cosh", infer::same, cosh, Cost::Middle),
    Op::new("Asinh", infer::same, asinh, Cost::Middle),
    Op::new("Acosh", infer::same, acosh, Cost::Middle),
    Op::new("Atanh", infer::same, atanh, Cost::Middle),
];

/// dx = dy · slope.
fn times(g: &mut Grad, slope: V) -> Result<()> {
    let dy = g.dy()?;
    g.give_product(0, dy, slope)
}

/// dx = dy / √radicand.
fn over_root(g: &mut Grad, radicand: V) -> Result<()> {
    let dy = g.dy()?;
    let root = g.unary("Sqrt", radicand);
    g.give_quotient(0, dy, root)
}

fn square_of_input(g: &mut Grad) -> Result<V> {
    let x = g.x(0)?;
    Ok(g.mul(x, x))
}

fn one_minus_square(g: &mut Grad) -> Result<V> {
    let square = square_of_input(g)?;
    let one = g.scalar(1.0, square);
    Ok(g.sub(one, square))
}

fn sin(g: &mut Grad) -> Result<()> {
    let x = g.x(0)?;
    let slope = g.unary("Cos", x);
    times(g, slope)
}

fn cos(g: &mut Grad) -> Result<()> {
    let x = g.x(0)?;
    let sine = g.unary("Sin", x);
    let slope = g.neg(sine);
    times(g, slope)
}

fn tan(g: &mut Grad) -> Result<()> {
    let y = g.y(0)?;
    let square = g.mul(y, y);
    let slope = g.shift(square, 1.0);
    times(g, slope)
}

fn asin(g: &mut Grad) -> Result<()> {
    let radicand = one_minus_square(g)?;
    over_root(g, radicand)
}

fn acos(g: &mut Grad) -> Result<()> {
    let (dy, radicand) = (g.dy()?, one_minus_square(g)?);
    let root = g.unary("Sqrt", radicand);
    let quotient = g.div(dy, root);
    let negated = g.neg(quotient);
    g.give(0, negated)
}

fn atan(g: &mut Grad) -> Result<()> {
    let (dy, square) = (g.dy()?, square_of_input(g)?);
    let divisor = g.shift(square, 1.0);
    g.give_quotient(0, dy, divisor)
}

fn sinh(g: &mut Grad) -> Result<()> {
    let x = g.x(0)?;
    let slope = g.unary("Cosh", x);
    times(g, slope)
}

fn cosh(g: &mut Grad) -> Result<()> {
    let x = g.x(0)?;
    let slope = g.unary("Sinh", x);
    times(g, slope)
}

fn asinh(g: &mut Grad) -> Result<()> {
    let square = square_of_input(g)?;
    let radicand = g.shift(square, 1.0);
    over_root(g, radicand)
}

fn acosh(g: &mut Grad) -> Result<()> {
    let square = square_of_input(g)?;
    let radicand = g.shift(square, -1.0);
    over_root(g, radicand)
}

fn atanh(g: &mut Grad) -> Result<()> {
    let (dy, divisor) = (g.dy()?, one_minus_square(g)?);
    g.give_quotient(0, dy, divisor)
}
