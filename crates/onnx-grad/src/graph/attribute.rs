//! Attributes of nodes that are made.

use crate::data_type::DataType;
use crate::proto::{AttributeProto, AttributeType, GraphProto};

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: Some(kind.into()),
        ..AttributeProto::default()
    }
}

pub(crate) fn attr_int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        i: Some(value),
        ..attribute(name, AttributeType::Int)
    }
}

/// An element type, as `Cast` and the like take it.
pub(crate) fn attr_type(name: &str, value: DataType) -> AttributeProto {
    attr_int(name, i64::from(value.code()))
}

pub(crate) fn attr_float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        f: Some(value),
        ..attribute(name, AttributeType::Float)
    }
}

pub(crate) fn attr_ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        ints: values.to_vec(),
        ..attribute(name, AttributeType::Ints)
    }
}

pub(crate) fn attr_str(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        s: Some(value.as_bytes().to_vec().into()),
        ..attribute(name, AttributeType::String)
    }
}

pub(crate) fn attr_graph(name: &str, body: GraphProto) -> AttributeProto {
    AttributeProto {
        g: Some(Box::new(body)),
        ..attribute(name, AttributeType::Graph)
    }
}
