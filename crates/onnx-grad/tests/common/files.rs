//! ONNX files made by hand.
#![allow(dead_code, reason = "each suite uses a part of this")]

use onnx_grad::DataType;
use onnx_grad::proto::{
    AttributeProto, AttributeType, DimensionValue, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, TensorProto, ValueInfoProto,
};

pub fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dims = dims.iter().map(|&n| Some(DimensionValue::DimValue(n)));
    ValueInfoProto::tensor(name, DataType::Float32, Some(dims.collect()))
}

pub fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: format!("node_{output}"),
        input: inputs.iter().map(ToString::to_string).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

pub fn ints(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: vec![i64::try_from(values.len()).unwrap()],
        data_type: Some(DataType::Int64.code()),
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

pub fn model(nodes: Vec<NodeProto>, dims: &[i64], weights: Vec<TensorProto>) -> ModelProto {
    ModelProto {
        ir_version: Some(10),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: Some(20),
        }],
        graph: Some(GraphProto {
            name: "graph".into(),
            node: nodes,
            input: vec![value("x", dims)],
            output: vec![ValueInfoProto {
                name: "y".into(),
                ..ValueInfoProto::default()
            }],
            initializer: weights,
            ..GraphProto::default()
        }),
        ..ModelProto::default()
    }
}

/// An integer attribute.
pub fn attribute(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: Some(AttributeType::Int.into()),
        i: Some(value),
        ..AttributeProto::default()
    }
}

/// An attribute that lists integers.
pub fn list(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: Some(AttributeType::Ints.into()),
        ints: values.to_vec(),
        ..AttributeProto::default()
    }
}
