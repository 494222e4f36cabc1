//! Whether a graph that is written has the structure that ONNX asks for
//! ([IR.md](https://github.com/onnx/onnx/blob/main/docs/IR.md)): every name is given once, every
//! input is computed before it is read, in bodies of control flow too, and what goes in and out has a
//! type. A graph that fails is a fault of this crate, unless it is the model that names no type.

use std::collections::HashSet;

use crate::proto::{GraphProto, NodeProto, TypeValue, ValueInfoProto};
use crate::{DataType, Error, Result};

/// Checks a whole graph before it is returned.
pub(super) fn structure(graph: &GraphProto) -> Result<()> {
    for info in graph.input.iter().chain(&graph.output) {
        check_type(info)?;
    }
    Names::default().add_graph(graph)
}

fn broken(node: &str, reason: String) -> Error {
    Error::Internal {
        node: node.to_owned(),
        reason,
    }
}

fn check_type(info: &ValueInfoProto) -> Result<()> {
    let data_type = match info.r#type.as_ref().and_then(|t| t.value.as_ref()) {
        Some(TypeValue::TensorType(tensor)) => tensor.element_type(),
        _ => DataType::Other(0),
    };
    if data_type == DataType::Other(0) {
        return Err(Error::UnknownType {
            tensor: info.name.clone(),
        });
    }
    Ok(())
}

/// The names that nodes may read at some place of a graph.
#[derive(Default)]
struct Names<'a> {
    own: HashSet<&'a str>,
    /// Those of the graphs around a body.
    around: Option<&'a Names<'a>>,
}

impl<'a> Names<'a> {
    fn has(&self, name: &str) -> bool {
        self.own.contains(name) || self.around.is_some_and(|names| names.has(name))
    }

    fn add(&mut self, name: &'a str, what: &str, node: &str) -> Result<()> {
        if name.is_empty() {
            return Err(broken(node, format!("{what} has no name")));
        }
        if !self.own.insert(name) {
            return Err(broken(
                node,
                format!("{what} `{name}` has a name that is taken"),
            ));
        }
        Ok(())
    }

    fn add_graph(mut self, graph: &'a GraphProto) -> Result<()> {
        for info in &graph.input {
            self.add(&info.name, "input", &graph.name)?;
        }
        for tensor in &graph.initializer {
            // In a body an input may have a default.
            let is_default =
                self.around.is_some() && graph.input.iter().any(|info| info.name == tensor.name);
            if !is_default {
                self.add(&tensor.name, "initializer", &graph.name)?;
            }
        }
        for node in &graph.node {
            self.add_node(node)?;
        }
        let mut returned = HashSet::new();
        for info in &graph.output {
            if !self.has(&info.name) {
                let reason = format!("output `{}` is computed by no node", info.name);
                return Err(broken(&graph.name, reason));
            }
            if !returned.insert(&info.name) && self.around.is_none() {
                let reason = format!("output `{}` is returned twice", info.name);
                return Err(broken(&graph.name, reason));
            }
        }
        Ok(())
    }

    fn add_node(&mut self, node: &'a NodeProto) -> Result<()> {
        let label = if node.name.is_empty() {
            &node.op_type
        } else {
            &node.name
        };
        if let Some(missing) = node.input.iter().find(|n| !n.is_empty() && !self.has(n)) {
            let reason = format!("it reads `{missing}`, which nothing before it computes");
            return Err(broken(label, reason));
        }
        for body in node.subgraphs() {
            let inner = Names {
                own: HashSet::new(),
                around: Some(self),
            };
            inner.add_graph(body)?;
        }
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            self.add(name, "output", label)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::attribute::attr_graph;
    use crate::proto::{DimensionValue, TensorProto};
    use crate::tensor;

    fn info(name: &str) -> ValueInfoProto {
        let dim = Some(DimensionValue::DimValue(2));
        ValueInfoProto::tensor(name, DataType::Float32, Some(vec![dim]))
    }

    fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
        NodeProto {
            op_type: op.into(),
            name: format!("node_{output}"),
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.into()],
            ..NodeProto::default()
        }
    }

    /// y = x · w, and z by an If whose branches read y and w.
    fn valid() -> GraphProto {
        let branch = |op: &str, result: &str| GraphProto {
            name: format!("body_{result}"),
            node: vec![
                node(op, &["y"], "inner"),
                node("Add", &["inner", "w"], result),
            ],
            output: vec![info(result)],
            ..GraphProto::default()
        };
        let mut choice = node("If", &["flag"], "z");
        choice.attribute = vec![
            attr_graph("then_branch", branch("Neg", "yes")),
            attr_graph("else_branch", branch("Abs", "no")),
        ];
        GraphProto {
            name: "graph".into(),
            node: vec![node("Mul", &["x", "w"], "y"), choice],
            input: vec![
                info("x"),
                ValueInfoProto::tensor("flag", DataType::Bool, Some(Vec::new())),
            ],
            initializer: vec![TensorProto {
                name: "w".into(),
                ..tensor::floats(&[1.0, 2.0], &[2], DataType::Float32)
            }],
            output: vec![info("y"), info("z")],
            ..GraphProto::default()
        }
    }

    fn body(graph: &mut GraphProto) -> &mut GraphProto {
        graph.node[1].attribute[0].g.as_deref_mut().unwrap()
    }

    /// The node and the reason of the error that a change leads to.
    fn fault(change: impl FnOnce(&mut GraphProto)) -> (String, String) {
        let mut graph = valid();
        change(&mut graph);
        match structure(&graph) {
            Err(Error::Internal { node, reason }) => (node, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_sound_graph_passes() {
        structure(&valid()).unwrap();
    }

    #[test]
    fn names_are_given_once() {
        for (change, node, name) in [
            (
                (|g| g.node[1].output[0] = "y".into()) as fn(&mut GraphProto),
                "node_z",
                "`y`",
            ),
            (|g| g.initializer[0].name = "x".into(), "graph", "`x`"),
            (|g| g.input[1].name = "x".into(), "graph", "`x`"),
            (
                |g| body(g).node[1].output[0] = "inner".into(),
                "node_yes",
                "`inner`",
            ),
        ] {
            let (at, reason) = fault(change);
            assert_eq!(at, node);
            assert!(
                reason.contains(name) && reason.contains("taken"),
                "{reason}"
            );
        }
        let (_, reason) = fault(|g| g.output[1].name = "y".into());
        assert!(reason.contains("twice"), "{reason}");
        let (_, reason) = fault(|g| g.input[0].name = String::new());
        assert!(reason.contains("no name"), "{reason}");
    }

    #[test]
    fn inputs_are_computed_before_they_are_read() {
        for (change, node, name) in [
            (
                (|g| g.node.swap(0, 1)) as fn(&mut GraphProto),
                "node_inner",
                "`y`",
            ),
            (|g| drop(g.initializer.pop()), "node_y", "`w`"),
            (
                |g| g.node[1].input[0] = "nowhere".into(),
                "node_z",
                "`nowhere`",
            ),
            (|g| body(g).node.swap(0, 1), "node_yes", "`inner`"),
            (
                |g| body(g).node[0].input[0] = "no".into(),
                "node_inner",
                "`no`",
            ),
        ] {
            let (at, reason) = fault(change);
            assert_eq!(at, node);
            assert!(
                reason.contains(name) && reason.contains("reads"),
                "{reason}"
            );
        }
    }

    #[test]
    fn outputs_are_computed() {
        let (at, reason) = fault(|g| drop(g.node.pop()));
        assert!(at == "graph" && reason.contains("`z`"), "{reason}");
        let (at, reason) = fault(|g| drop(body(g).node.pop()));
        assert!(at == "body_yes" && reason.contains("`yes`"), "{reason}");
    }

    #[test]
    fn what_goes_in_and_out_has_a_type() {
        for change in [
            (|g| g.output[1].r#type = None) as fn(&mut GraphProto),
            (|g| g.output[1] = ValueInfoProto::tensor("z", DataType::Other(0), None)),
        ] {
            let mut graph = valid();
            change(&mut graph);
            let error = structure(&graph).unwrap_err();
            assert!(matches!(error, Error::UnknownType { tensor } if tensor == "z"));
        }
        let mut graph = valid();
        graph.input[0].r#type = None;
        assert!(matches!(structure(&graph), Err(Error::UnknownType { tensor }) if tensor == "x"));
    }
}
