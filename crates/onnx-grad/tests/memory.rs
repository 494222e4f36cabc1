//! What a pair keeps and needs, against sizes worked out by hand.
#![allow(
    clippy::unwrap_used,
    reason = "tests may; the lint only sees functions marked as tests"
)]

#[path = "common/files.rs"]
mod files;

use files::{model, node};
use onnx_grad::proto::{DimensionProto, DimensionValue, TypeValue};
use onnx_grad::{Error, Mode, Model, Request, Seed, Split, differentiate};

/// y = softmax(x) for x of `[rows, 6]`: the pair keeps y, whatever `rows` is.
fn pair() -> Split {
    let mut proto = model(vec![node("Softmax", &["x"], "y")], &[4, 6], vec![]);
    let input = &mut proto.graph.as_mut().unwrap().input[0];
    if let Some(TypeValue::TensorType(tensor)) = &mut input.r#type.as_mut().unwrap().value {
        tensor.shape.as_mut().unwrap().dim[0] = DimensionProto {
            value: Some(DimensionValue::DimParam("rows".into())),
            ..DimensionProto::default()
        };
    }
    let request = Request {
        outputs: vec![Seed::new("y")],
        inputs: vec!["x".into()],
        mode: Mode::Split,
        ..Request::default()
    };
    let gradient = differentiate(&Model::from_proto(proto), &request).unwrap();
    gradient.into_split().unwrap()
}

#[test]
fn bytes_follow_the_lengths() {
    let pair = pair();
    for rows in [1, 4, 1000] {
        let tensor = 4 * 6 * u64::try_from(rows).unwrap();
        assert_eq!(pair.saved_bytes(&[("rows", rows)]).unwrap(), tensor);
        // At the end of the backward graph: y and its cotangent v, v y, y Σ v y, and their difference.
        assert_eq!(pair.peak_bytes(&[("rows", rows)]).unwrap(), 5 * tensor);
    }
}

#[test]
fn a_missing_length_is_named() {
    let pair = pair();
    for result in [pair.saved_bytes(&[("columns", 3)]), pair.peak_bytes(&[])] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Request { .. }));
        assert!(error.to_string().contains("rows"), "{error}");
    }
}
