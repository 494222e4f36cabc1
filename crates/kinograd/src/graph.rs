//! ONNX graphs written in Rust: the networks of simulations, examples and tests.

use onnx_grad::proto::{
    DimensionProto, DimensionValue, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, TypeValue, ValueInfoProto,
};
use onnx_grad::{DataType, Model};

const OPSET: i64 = 18;
/// The oldest version of the format that has this operator set.
const IR_VERSION: i64 = 8;

/// A graph of floats under construction.
#[derive(Debug, Default)]
pub struct GraphBuilder(GraphProto);

impl GraphBuilder {
    /// An empty graph.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(GraphProto {
            name: name.to_owned(),
            ..GraphProto::default()
        })
    }

    /// Adds an input; dimensions are numbers or names.
    #[must_use]
    pub fn input(mut self, name: &str, dims: &[&str]) -> Self {
        self.0.input.push(port(name, dims));
        self
    }

    /// Adds an output; dimensions are numbers or names.
    #[must_use]
    pub fn output(mut self, name: &str, dims: &[&str]) -> Self {
        self.0.output.push(port(name, dims));
        self
    }

    /// Adds an initializer.
    #[must_use]
    pub fn weights(mut self, name: &str, dims: &[i64], values: Vec<f32>) -> Self {
        self.0.initializer.push(TensorProto {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: Some(DataType::Float32.code()),
            float_data: values,
            ..TensorProto::default()
        });
        self
    }

    /// Adds a list of integers, such as axes.
    #[must_use]
    pub fn ints(mut self, name: &str, values: &[i64]) -> Self {
        self.0.initializer.push(TensorProto {
            name: name.to_owned(),
            dims: vec![i64::try_from(values.len()).unwrap_or(0)],
            data_type: Some(DataType::Int64.code()),
            int64_data: values.to_vec(),
            ..TensorProto::default()
        });
        self
    }

    /// Adds a node with one output.
    #[must_use]
    pub fn node(mut self, op: &str, inputs: &[&str], output: &str) -> Self {
        self.0.node.push(NodeProto {
            name: format!("{output}/{op}"),
            op_type: op.to_owned(),
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.to_owned()],
            ..NodeProto::default()
        });
        self
    }

    /// The finished model.
    #[must_use]
    pub fn model(self) -> Model {
        Model::from_proto(ModelProto {
            ir_version: Some(IR_VERSION),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: Some(OPSET),
            }],
            graph: Some(self.0),
            ..ModelProto::default()
        })
    }
}

fn port(name: &str, dims: &[&str]) -> ValueInfoProto {
    let dim = |dim: &&str| DimensionProto {
        value: Some(dim.parse().map_or_else(
            |_| DimensionValue::DimParam((*dim).to_owned()),
            DimensionValue::DimValue,
        )),
        ..DimensionProto::default()
    };
    let tensor = TensorTypeProto {
        elem_type: Some(DataType::Float32.code()),
        shape: Some(TensorShapeProto {
            dim: dims.iter().map(dim).collect(),
        }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(TypeValue::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}
