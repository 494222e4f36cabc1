//! Networks that compute with 16 bits.

use crate::{Package, Role};
use onnx_grad::{DataType, Model};

/// Whether a network of the package computes with 16 bits: weights that are stored so and cast before
/// they are used do not count.
pub(super) fn has_half(package: &Package) -> bool {
    let is_half = |data_type| matches!(data_type, DataType::Float16 | DataType::BFloat16);
    let roles = [
        Role::Denoiser,
        Role::Decoder,
        Role::ImageEmbedding,
        Role::MotionEmbedding,
    ];
    roles
        .into_iter()
        .filter(|role| package.has(*role))
        .any(|role| {
            let model = package.model(role).and_then(|source| source.model());
            model.is_ok_and(|model: Model| {
                let graph = model.proto().graph.as_ref();
                let mut casts = graph
                    .iter()
                    .flat_map(|graph| &graph.node)
                    .filter(|node| node.op_type == "Cast")
                    .flat_map(|node| &node.attribute)
                    .filter_map(|attribute| i32::try_from(attribute.i?).ok());
                casts.any(|code| is_half(DataType::from_code(code)))
                    || model.inputs().iter().any(|input| is_half(input.data_type))
            })
        })
}
