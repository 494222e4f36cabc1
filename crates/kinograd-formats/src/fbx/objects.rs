//! Objects of an FBX document and how they are connected.

use std::collections::BTreeMap;

use super::node::{Node, Value};

/// Numbers, counts and connections of the objects written so far.
#[derive(Debug, Default)]
pub(super) struct Objects {
    last: i64,
    nodes: Vec<Node>,
    connections: Vec<Node>,
    counts: BTreeMap<&'static str, i32>,
}

impl Objects {
    /// A number that no other object has.
    pub fn id(&mut self) -> i64 {
        self.last += 1;
        // Small numbers are the SDK's own; 0 is the scene.
        self.last + 1_000_000
    }

    /// Adds an object of a class.
    pub fn add(&mut self, class: &'static str, node: Node) {
        *self.counts.entry(class).or_default() += 1;
        self.nodes.push(node);
    }

    /// Puts an object under another; 0 is the scene.
    pub fn connect(&mut self, child: i64, parent: i64) {
        self.connections
            .push(Node::of("C", "OO").value(child).value(parent));
    }

    /// Lets an object drive a property of another.
    pub fn drive(&mut self, child: i64, parent: i64, property: &str) {
        self.connections.push(
            Node::of("C", "OP")
                .value(child)
                .value(parent)
                .value(Value::from(property)),
        );
    }

    pub fn counts(&self) -> &BTreeMap<&'static str, i32> {
        &self.counts
    }

    /// The records of objects and connections.
    pub fn finish(self) -> [Node; 2] {
        [
            Node::new("Objects").children(self.nodes),
            Node::new("Connections").children(self.connections),
        ]
    }
}
