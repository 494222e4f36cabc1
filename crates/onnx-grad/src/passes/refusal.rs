//! Errors for nodes that cannot be differentiated, with what to do instead.

use crate::Error;
use crate::graph::{Graph, Node};

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

const QUANTISED_ADVICE: &str = "quantised arithmetic has no gradient: differentiate the float model that it was \
     made from, or one whose weights alone are quantised (DequantizeLinear of initializers)";

pub(super) fn is_quantised(node: &Node) -> bool {
    QUANTISED.contains(&node.op.as_str())
        || node.op.starts_with("QLinear")
        || node.op.starts_with("QAttention")
        || node.op.starts_with("QMoE")
}

/// The error for a node without a rule.
pub(super) fn no_rule(graph: &Graph, node: &Node) -> Error {
    let advice = if is_quantised(node) {
        QUANTISED_ADVICE
    } else if node.op.starts_with("Sequence") || node.op.starts_with("Optional") {
        "sequences and optional values have no gradient: export the model with plain tensors"
    } else if ["RNN", "LSTM", "GRU"].contains(&node.op.as_str()) && node.domain.is_empty() {
        "recurrent ops have no rule: export the model with the recurrence as a Scan, or unrolled"
    } else if !node.captures.is_empty() || node.has_bodies() {
        "this form of control flow cannot be differentiated: export the model without it, or with \
         the condition fixed"
    } else if node.domain.is_empty() || node.domain == "com.microsoft" {
        "export the model so that it uses other ops here, or add a rule (see the crate's checklist)"
    } else {
        "the op is not a standard one: store its function in the model, or export with standard ops"
    };
    error(graph, node, advice)
}

/// The error for a node that turns what depends on a chosen input into quantised numbers.
pub(super) fn quantised(graph: &Graph, node: &Node) -> Error {
    error(graph, node, QUANTISED_ADVICE)
}

/// The error for a node without a gradient, and what to do about it.
pub(super) fn error(graph: &Graph, node: &Node, advice: &str) -> Error {
    Error::NoRule {
        node: node.label(graph),
        op: if node.domain.is_empty() {
            node.op.clone()
        } else {
            format!("{}.{}", node.domain, node.op)
        },
        opset: graph.opset_of(&node.domain),
        advice: advice.to_owned(),
    }
}
