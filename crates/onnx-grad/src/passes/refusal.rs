//! Errors for nodes that cannot be differentiated, with what to do instead.

use crate::Error;
use crate::error::QUANTISED_ADVICE;
use crate::graph::{Graph, Node};
use crate::model::is_quantised_op;

pub(super) fn is_quantised(node: &Node) -> bool {
    is_quantised_op(&node.op)
}

/// The error for a node without a rule.
pub(super) fn no_rule(graph: &Graph, node: &Node) -> Error {
    let advice = if is_quantised(node) {
        QUANTISED_ADVICE
    } else if node.op.starts_with("Sequence") || node.op.starts_with("Optional") {
        "sequences and optional values have no gradient: export the model with plain tensors"
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
