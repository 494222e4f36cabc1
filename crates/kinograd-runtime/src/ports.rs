//! Inputs and outputs of graphs: what they fix, and in words.

use ndarray::{ArrayD, Axis};
use onnx_grad::{Dimension, TensorInfo};

/// A dimension that the file fixes.
pub(crate) fn dimension(tensor: &TensorInfo, axis: usize) -> Option<usize> {
    match tensor.shape.as_ref()?.get(axis)? {
        Dimension::Fixed(n) => usize::try_from(*n).ok(),
        _ => None,
    }
}

/// A tensor in words: its name, type and shape.
pub(crate) fn described(tensor: &TensorInfo) -> String {
    let kind = format!("{:?}", tensor.data_type).to_lowercase();
    let axis = |dimension: &Dimension| match dimension {
        Dimension::Fixed(n) => n.to_string(),
        Dimension::Named(name) => name.clone(),
        Dimension::Unknown => "?".to_owned(),
    };
    let shape = tensor.shape.as_ref().map_or_else(
        || "of any rank".to_owned(),
        |shape| {
            let axes: Vec<String> = shape.iter().map(axis).collect();
            format!("[{}]", axes.join(", "))
        },
    );
    format!("`{}` {kind} {shape}", tensor.name)
}

pub(crate) fn listed(tensors: &[TensorInfo]) -> String {
    let all: Vec<String> = tensors.iter().map(described).collect();
    match all.as_slice() {
        [] => "none".to_owned(),
        all => all.join(", "),
    }
}

/// The rows of a batch in groups of `size`, each with the number of its own rows: the last is filled up
/// with copies of its last row. One group where the size is free.
pub(crate) fn groups(batch: &ArrayD<f32>, size: Option<usize>) -> Vec<(ArrayD<f32>, usize)> {
    let total = batch.shape().first().copied().unwrap_or(0);
    let Some(size) = size.filter(|&size| size > 0 && size != total && total > 0) else {
        return vec![(batch.clone(), total)];
    };
    (0..total)
        .step_by(size)
        .map(|start| {
            let rows: Vec<usize> = (start..start + size)
                .map(|row| row.min(total - 1))
                .collect();
            (batch.select(Axis(0), &rows), size.min(total - start))
        })
        .collect()
}
