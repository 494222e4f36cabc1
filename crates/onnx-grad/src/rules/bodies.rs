//! What the ops with bodies share.

use crate::graph::scope::Scope;
use crate::graph::{Dim, Graph, Info, Node, V};
use crate::proto::GraphProto;

pub(super) fn body(n: &Node, name: &str) -> Option<GraphProto> {
    Some(n.attribute(name)?.g.as_deref()?.clone())
}

/// Types and shapes of a body's outputs.
pub(super) fn outputs_of(
    g: &mut Graph,
    n: &Node,
    body: &GraphProto,
    arguments: Vec<Info>,
) -> Option<Vec<Info>> {
    let mut scope = Scope::new(g, n).ok()?;
    let arguments: Vec<V> = arguments
        .into_iter()
        .map(|info| scope.parameter("in", info))
        .collect();
    let infos = scope.load(body, &arguments).map(|outputs| {
        let info = |v: V| scope.graph.info(v);
        outputs.into_iter().map(info).collect()
    });
    scope.close(g);
    infos.ok()
}

/// The lengths that two shapes share, the others being free.
pub(super) fn common(g: &mut Graph, a: &[Dim], b: &[Dim]) -> Option<Vec<Dim>> {
    let both = a.iter().zip(b);
    (a.len() == b.len()).then(|| {
        both.map(|(a, b)| if a == b { a.clone() } else { g.symbols.fresh() })
            .collect()
    })
}
