//! Sides that a graph leaves free and a package knows.

use onnx_grad::Model;
use onnx_grad::proto::{DimensionProto, DimensionValue, TypeValue, ValueInfoProto};

/// Writes the length of all axes but the first into a graph's inputs and outputs of this rank, where they are free:
/// shapes that follow from them are constants then, which engines need for gradients.
pub(crate) fn with_sides(model: Model, inputs: &[usize], outputs: &[usize]) -> Model {
    let mut proto = model.into_proto();
    if let Some(graph) = &mut proto.graph {
        graph.input.iter_mut().for_each(|info| fix(info, inputs));
        graph.output.iter_mut().for_each(|info| fix(info, outputs));
    }
    Model::from_proto(proto)
}

fn fix(info: &mut ValueInfoProto, sides: &[usize]) {
    let Some(TypeValue::TensorType(tensor)) = info.r#type.as_mut().and_then(|t| t.value.as_mut())
    else {
        return;
    };
    let Some(shape) = tensor
        .shape
        .as_mut()
        .filter(|shape| shape.dim.len() == sides.len() + 1)
    else {
        return;
    };
    for (dim, &side) in shape.dim.iter_mut().skip(1).zip(sides) {
        if !matches!(dim.value, Some(DimensionValue::DimValue(n)) if n >= 0) {
            *dim = DimensionProto {
                value: Some(DimensionValue::DimValue(side as i64)),
                ..DimensionProto::default()
            };
        }
    }
}
