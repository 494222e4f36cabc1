//! Models that compute with quantised numbers.

use crate::proto::{ModelProto, NodeProto};

/// Op types that compute with quantised numbers, or make them.
const QUANTISED: &[&str] = &[
    "QuantizeLinear",
    "DynamicQuantizeLinear",
    "MatMulInteger",
    "ConvInteger",
    "MatMulIntegerToFloat",
    "DynamicQuantizeMatMul",
    "DynamicQuantizeLSTM",
    "MatMulNBits",
    "MatMulBnb4",
    "GatherBlockQuantized",
];

pub(crate) fn is_quantised_op(op: &str) -> bool {
    QUANTISED.contains(&op)
        || op.starts_with("QLinear")
        || op.starts_with("QAttention")
        || op.starts_with("QMoE")
}

/// The first such op of a model, in its graph, the bodies in it and its functions.
pub(super) fn first(model: &ModelProto) -> Option<&str> {
    let graph = model.graph.iter().flat_map(|graph| &graph.node);
    let functions = model.functions.iter().flat_map(|function| &function.node);
    graph.chain(functions).find_map(of_node)
}

fn of_node(node: &NodeProto) -> Option<&str> {
    if is_quantised_op(&node.op_type) {
        return Some(&node.op_type);
    }
    let bodies = node
        .attribute
        .iter()
        .flat_map(|attribute| attribute.subgraphs());
    bodies.flat_map(|body| &body.node).find_map(of_node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{GraphProto, ModelProto, OperatorSetIdProto, ValueInfoProto};
    use crate::{DataType, Model, Request, Seed, differentiate};

    #[test]
    fn a_quantised_model_is_called_so() {
        let port = |name: &str| ValueInfoProto::tensor(name, DataType::UInt8, Some(Vec::new()));
        let node = |op: &str| NodeProto {
            op_type: op.to_owned(),
            input: vec!["x".to_owned()],
            output: vec!["y".to_owned()],
            ..NodeProto::default()
        };
        let model = |op: &str| {
            Model::from_proto(ModelProto {
                opset_import: vec![OperatorSetIdProto {
                    domain: String::new(),
                    version: Some(18),
                }],
                graph: Some(GraphProto {
                    node: vec![node(op)],
                    input: vec![port("x")],
                    output: vec![port("y")],
                    ..GraphProto::default()
                }),
                ..ModelProto::default()
            })
        };
        let request = Request {
            outputs: vec![Seed::new("y")],
            inputs: vec!["x".into()],
            ..Request::default()
        };
        let refused = |op: &str| differentiate(&model(op), &request).unwrap_err().to_string();
        let message = refused("QLinearConv");
        for part in [
            "quantised (op `QLinearConv`, and `x`",
            "float model that it was made from",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert!(refused("Relu").contains("`x` holds UInt8"));
        assert_eq!(model("Relu").quantised_op(), None);
    }
}
