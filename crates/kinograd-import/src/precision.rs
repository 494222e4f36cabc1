//! The numbers that networks compute with.

use kinograd_runtime::{Package, Role};
use onnx_grad::proto::{GraphProto, NodeProto};
use onnx_grad::{DataType, Model};

/// The coarsest numbers that the networks of a package compute with: weights that are stored so and cast
/// before they are used do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Precision {
    /// 24 bits of mantissa and more.
    #[default]
    Single,
    /// Float16: 11 bits.
    Half,
    /// BFloat16: 8 bits.
    Brain,
}

impl Precision {
    /// Half width of the central difference, in units of the noise: rounding would drown a smaller one.
    pub(super) fn difference(self) -> f32 {
        match self {
            Self::Single => 1e-2,
            Self::Half => 1e-1,
            Self::Brain => 3e-1,
        }
    }

    /// Largest difference between gradient and central difference that passes, relative.
    pub(super) fn tolerance(self) -> f64 {
        match self {
            Self::Single => 2e-2,
            Self::Half => 1e-1,
            Self::Brain => 3e-1,
        }
    }

    fn of_type(data_type: DataType) -> Self {
        match data_type {
            DataType::Float16 => Self::Half,
            DataType::BFloat16 => Self::Brain,
            _ => Self::Single,
        }
    }

    pub(super) fn of_package(package: &Package) -> Self {
        let roles = [
            Role::Denoiser,
            Role::Decoder,
            Role::ImageEmbedding,
            Role::Segmentation,
            Role::MotionEmbedding,
        ];
        let present = roles.into_iter().filter(|role| package.has(*role));
        let models = present.filter_map(|role| package.model(role).and_then(|m| m.model()).ok());
        models
            .map(|model| Self::of(&model))
            .max()
            .unwrap_or_default()
    }

    /// Of a model: its inputs, and the casts of its graph, of the bodies in it and of its functions.
    fn of(model: &Model) -> Self {
        let inputs = model
            .inputs()
            .into_iter()
            .map(|input| Self::of_type(input.data_type));
        let proto = model.proto();
        let graph = proto.graph.iter().map(of_graph);
        let functions = proto
            .functions
            .iter()
            .map(|function| of_nodes(&function.node, None));
        inputs
            .chain(graph)
            .chain(functions)
            .max()
            .unwrap_or_default()
    }
}

fn of_graph(graph: &GraphProto) -> Precision {
    of_nodes(&graph.node, Some(graph))
}

fn of_nodes(nodes: &[NodeProto], graph: Option<&GraphProto>) -> Precision {
    nodes
        .iter()
        .map(|node| of_node(node, graph))
        .max()
        .unwrap_or_default()
}

/// Of what a node makes, as far as the node says it, and of its bodies.
fn of_node(node: &NodeProto, graph: Option<&GraphProto>) -> Precision {
    let stored = |at: usize| {
        let name = node.input.get(at)?;
        let mut tensors = graph?.initializer.iter();
        Some(tensors.find(|tensor| &tensor.name == name)?.element_type())
    };
    let code = |name: &str| {
        let attribute = node
            .attribute
            .iter()
            .find(|attribute| attribute.name == name)?;
        Some(DataType::from_code(i32::try_from(attribute.i?).ok()?))
    };
    let own = match node.op_type.as_str() {
        // A weight that is cast is stored so and no more.
        "Cast" if stored(0).is_none() => code("to"),
        "CastLike" if stored(0).is_none() => stored(1),
        "DequantizeLinear" => code("output_dtype").or_else(|| stored(1)),
        _ => None,
    };
    let bodies = node
        .attribute
        .iter()
        .flat_map(|a| a.g.iter().map(AsRef::as_ref).chain(&a.graphs));
    let bodies = bodies.map(of_graph).max().unwrap_or_default();
    own.map_or(bodies, |own| Precision::of_type(own).max(bodies))
}

#[cfg(test)]
mod tests {
    use onnx_grad::proto::{
        AttributeProto, FunctionProto, ModelProto, TensorProto, ValueInfoProto,
    };

    use super::*;

    fn int(name: &str, value: i64) -> AttributeProto {
        AttributeProto {
            name: name.to_owned(),
            i: Some(value),
            ..AttributeProto::default()
        }
    }

    fn cast(from: &str, to: DataType) -> NodeProto {
        NodeProto {
            op_type: "Cast".to_owned(),
            input: vec![from.to_owned()],
            output: vec!["y".to_owned()],
            attribute: vec![int("to", i64::from(to.code()))],
            ..NodeProto::default()
        }
    }

    fn graph(node: NodeProto) -> GraphProto {
        GraphProto {
            node: vec![node],
            initializer: vec![TensorProto {
                name: "w".to_owned(),
                data_type: Some(DataType::Float16.code()),
                ..TensorProto::default()
            }],
            input: vec![ValueInfoProto::tensor("x", DataType::Float32, None)],
            ..GraphProto::default()
        }
    }

    fn model(graph: GraphProto) -> ModelProto {
        ModelProto {
            graph: Some(graph),
            ..ModelProto::default()
        }
    }

    #[test]
    fn sixteen_bits_are_found_wherever_they_are() {
        let half = || cast("x", DataType::Float16);
        let within = |body: GraphProto| NodeProto {
            op_type: "If".to_owned(),
            attribute: vec![AttributeProto {
                name: "then_branch".to_owned(),
                g: Some(Box::new(body)),
                ..AttributeProto::default()
            }],
            ..NodeProto::default()
        };
        let like = NodeProto {
            op_type: "CastLike".to_owned(),
            input: vec!["x".to_owned(), "w".to_owned()],
            ..NodeProto::default()
        };
        let function = ModelProto {
            functions: vec![FunctionProto {
                node: vec![half()],
                ..FunctionProto::default()
            }],
            ..model(graph(within(GraphProto::default())))
        };
        for (proto, expected) in [
            (model(graph(half())), Precision::Half),
            (
                model(graph(within(graph(within(graph(half())))))),
                Precision::Half,
            ),
            (model(graph(like)), Precision::Half),
            (function, Precision::Half),
            (
                model(graph(cast("x", DataType::BFloat16))),
                Precision::Brain,
            ),
            (
                model(graph(cast("x", DataType::Float64))),
                Precision::Single,
            ),
            // Weights that are stored with 16 bits and used with 32.
            (
                model(graph(cast("w", DataType::Float32))),
                Precision::Single,
            ),
        ] {
            assert_eq!(Precision::of(&Model::from_proto(proto)), expected);
        }
    }
}
