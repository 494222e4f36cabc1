//! What the forward node of a loop returns besides, for its gradient.

use super::plan::Plan;
use crate::Result;
use crate::graph::{Dim, Info, Node, Origin, V, Value};
use crate::proto::{DimensionValue, NodeProto, ValueInfoProto};
use crate::rules::grad::Grad;

/// A stack of what a parameter of the body was in each iteration, which the forward node does not
/// return yet.
pub(super) fn stack_of(g: &mut Grad, node: &Node, info: &Info, length: &Dim) -> V {
    let name = g.fresh_name(&node.op);
    let shape = info.shape.clone().map(|mut dims| {
        dims.insert(0, length.clone());
        dims
    });
    g.push_value(Value {
        shape,
        ..Value::new(name, info.data_type)
    })
}

/// Makes the forward node return those stacks that the gradient reads.
pub(super) fn extend(g: &mut Grad, plan: &Plan, kept: &[V], read: &[V]) -> Result<()> {
    let mut body = plan.body.clone();
    let mut added: Vec<V> = Vec::new();
    for (at, &v) in kept.iter().enumerate() {
        if !read.contains(&v) {
            continue;
        }
        let Some(source) = body.input.get(at).map(|info| info.name.clone()) else {
            return Err(g.error("its body has too few inputs"));
        };
        let name = g.fresh_name("kept");
        body.node.push(NodeProto {
            op_type: "Identity".into(),
            name: format!("{name}/Identity"),
            input: vec![source],
            output: vec![name.clone()],
            ..NodeProto::default()
        });
        // Stacked zero times, the output still has to have its rank; free lengths are left open.
        let open = |dim: &Dim| dim.as_known().map(DimensionValue::DimValue);
        let dims = g
            .shape(v)
            .map(|dims| dims.iter().skip(1).map(open).collect());
        let data_type = g.data_type(v);
        body.output
            .push(ValueInfoProto::tensor(name, data_type, dims));
        added.push(v);
    }
    if added.is_empty() {
        return Ok(());
    }
    let outputs = plan.states + plan.stacks.len();
    let at = g.position();
    for &v in &added {
        g.value_mut(v).origin = Origin::Node(at);
    }
    let forward = &mut g.nodes[at];
    forward
        .outputs
        .resize(outputs.max(forward.outputs.len()), None);
    forward.outputs.extend(added.iter().copied().map(Some));
    for attribute in &mut forward.attributes {
        match attribute.name.as_str() {
            "body" => attribute.g = Some(Box::new(body.clone())),
            "scan_output_axes" | "scan_output_directions" if !attribute.ints.is_empty() => {
                attribute.ints.extend(added.iter().map(|_| 0));
            }
            _ => {}
        }
    }
    Ok(())
}
