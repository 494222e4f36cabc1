//! Small ONNX graphs and the engines to run them on.
#![allow(
    dead_code,
    clippy::print_stderr,
    clippy::panic,
    reason = "each suite uses a part of this, and says what it skips"
)]

pub mod package;

use std::sync::Arc;

use half::f16;
use kinograd_runtime::Engine;
use onnx_grad::proto::{
    AttributeProto, DimensionProto, DimensionValue, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, TypeValue,
    ValueInfoProto,
};
use prost::Message as _;

/// Every engine of this machine. ONNX Runtime may be missing, but not in CI.
pub fn engines() -> Vec<Arc<dyn Engine>> {
    let mut engines: Vec<Arc<dyn Engine>> = Vec::new();
    #[cfg(feature = "tract")]
    engines.push(Arc::new(kinograd_runtime::BuiltIn::new(1)));
    #[cfg(feature = "onnxruntime")]
    {
        use kinograd_runtime::{OnnxRuntime, Provider, find_library};

        match find_library(None).and_then(|(path, _)| OnnxRuntime::new(&path, Provider::Cpu, 1)) {
            Ok(engine) => engines.push(Arc::new(engine)),
            Err(error) => kinograd_testkit::skip("onnxruntime", error),
        }
    }
    engines
}

pub const FLOAT: i32 = 1;
pub const INT64: i32 = 7;
pub const FLOAT16: i32 = 10;

/// A graph under construction.
#[derive(Default)]
pub struct Graph {
    graph: GraphProto,
}

impl Graph {
    pub fn new() -> Self {
        Self {
            graph: GraphProto {
                name: "test".into(),
                ..Default::default()
            },
        }
    }

    /// Dimensions are numbers or names.
    pub fn input(mut self, name: &str, element: i32, dims: &[&str]) -> Self {
        self.graph.input.push(value_info(name, element, dims));
        self
    }

    pub fn output(mut self, name: &str, element: i32, dims: &[&str]) -> Self {
        self.graph.output.push(value_info(name, element, dims));
        self
    }

    pub fn weights(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        let raw = values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<u8>>();
        self.graph.initializer.push(tensor(name, FLOAT, dims, raw));
        self
    }

    /// Half precision, then a cast, as packages store weights.
    pub fn half_weights(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        let raw = values
            .iter()
            .flat_map(|&v| f16::from_f32(v).to_le_bytes())
            .collect::<Vec<u8>>();
        let stored = format!("{name}_f16");
        self.graph
            .initializer
            .push(tensor(&stored, FLOAT16, dims, raw));
        let to = AttributeProto {
            name: "to".into(),
            r#type: Some(2),
            i: Some(i64::from(FLOAT)),
            ..Default::default()
        };
        self.node_with("Cast", &[&stored], &[name], vec![to])
    }

    pub fn ints(mut self, name: &str, dims: &[i64], values: &[i64]) -> Self {
        let raw = values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<u8>>();
        self.graph.initializer.push(tensor(name, INT64, dims, raw));
        self
    }

    pub fn node(self, op: &str, inputs: &[&str], outputs: &[&str]) -> Self {
        self.node_with(op, inputs, outputs, Vec::new())
    }

    pub fn node_with(
        mut self,
        op: &str,
        inputs: &[&str],
        outputs: &[&str],
        attribute: Vec<AttributeProto>,
    ) -> Self {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|&s| s.into()).collect(),
            output: outputs.iter().map(|&s| s.into()).collect(),
            name: format!("{}/{op}", outputs[0]),
            op_type: op.into(),
            attribute,
            ..Default::default()
        });
        self
    }

    /// The graph alone, as an attribute such as a loop's body.
    pub fn into_attribute(self, name: &str) -> AttributeProto {
        AttributeProto {
            name: name.into(),
            r#type: Some(5),
            g: Some(Box::new(self.graph)),
            ..Default::default()
        }
    }

    pub fn bytes(self) -> Vec<u8> {
        let model = ModelProto {
            ir_version: Some(8),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: Some(17),
            }],
            graph: Some(self.graph),
            ..Default::default()
        };
        model.encode_to_vec()
    }
}

pub fn ints_attribute(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: Some(7),
        ints: values.to_vec(),
        ..Default::default()
    }
}

pub fn int_attribute(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: Some(2),
        i: Some(value),
        ..Default::default()
    }
}

fn tensor(name: &str, element: i32, dims: &[i64], raw: Vec<u8>) -> TensorProto {
    TensorProto {
        name: name.into(),
        data_type: Some(element),
        dims: dims.to_vec(),
        raw_data: Some(raw.into()),
        ..Default::default()
    }
}

fn value_info(name: &str, element: i32, dims: &[&str]) -> ValueInfoProto {
    let dim = dims
        .iter()
        .map(|dim| DimensionProto {
            value: Some(match dim.parse() {
                Ok(n) => DimensionValue::DimValue(n),
                Err(_) => DimensionValue::DimParam((*dim).into()),
            }),
            ..Default::default()
        })
        .collect();
    let tensor = TensorTypeProto {
        elem_type: Some(element),
        shape: Some(TensorShapeProto { dim }),
    };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto {
            value: Some(TypeValue::TensorType(tensor)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Values in −1..1 that look random and are the same everywhere.
pub fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
        })
        .collect()
}

/// Largest |a − b|, with the shapes checked.
pub fn max_difference(a: &ndarray::ArrayD<f32>, b: &ndarray::ArrayD<f32>) -> f32 {
    assert_eq!(a.shape(), b.shape());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}
