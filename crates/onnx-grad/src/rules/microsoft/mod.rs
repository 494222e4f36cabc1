//! ONNX Runtime's own ops (domain `com.microsoft`), which its transformer optimiser writes:
//! [ContribOperators](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md).
//!
//! A rule computes the op again from plain ops and takes the gradient of those; the forward graph
//! keeps the fused op.

use crate::rules::op::Op;

mod activations;
mod attention;
mod convolutions;
mod normalizations;
mod products;
mod rotary_embedding;

pub(in crate::rules) static FILES: &[&[Op]] = &[
    activations::OPS,
    attention::OPS,
    convolutions::OPS,
    normalizations::OPS,
    products::OPS,
    rotary_embedding::OPS,
];
