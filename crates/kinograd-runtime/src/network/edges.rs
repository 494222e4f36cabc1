//! Networks whose inputs and outputs hold other numbers than floats of 32 bits.

use std::collections::HashSet;

use onnx_grad::proto::{
    AttributeProto, AttributeType, GraphProto, ModelProto, NodeProto, TypeValue, ValueInfoProto,
};
use onnx_grad::{DataType, Model, TensorInfo};

use crate::ports::described;
use crate::{ModelSource, RuntimeError};

/// Ops that only move numbers, and so take floats as they take whole ones.
const MOVES: [&str; 8] = [
    "Identity",
    "Transpose",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Flatten",
    "Slice",
    "Gather",
];

/// A model that gets floats of 32 bits at its edges.
pub(crate) struct FloatEdges {
    /// The model's name in messages.
    name: String,
    proto: ModelProto,
    graph: GraphProto,
    /// An op that computes with quantised numbers.
    quantised: Option<String>,
    is_changed: bool,
}

impl FloatEdges {
    pub fn of(name: &str, model: &Model) -> Self {
        let mut proto = model.proto().clone();
        let graph = proto.graph.take().unwrap_or_default();
        Self {
            name: name.to_owned(),
            proto,
            graph,
            quantised: model.quantised_op().map(str::to_owned),
            is_changed: false,
        }
    }

    /// Feeds an input that a gradient is taken by from floats; returns the name to feed. Whole numbers
    /// that the graph makes into floats first become floats at once, unrounded.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] if the graph computes with whole numbers, or takes none at all.
    pub fn input(&mut self, input: &TensorInfo) -> Result<String, RuntimeError> {
        match input.data_type {
            DataType::Float32 => Ok(input.name.clone()),
            other if other.is_float() => Ok(self.cast_input(input)),
            DataType::Bool | DataType::String | DataType::Other(_) => {
                Err(self.misfit(input, "an input of numbers"))
            }
            _ => {
                self.make_float(input)?;
                Ok(input.name.clone())
            }
        }
    }

    /// Feeds an input that no gradient is taken by from floats; returns the name to feed.
    pub fn constant(&mut self, input: &TensorInfo) -> String {
        match input.data_type {
            DataType::Float32 => input.name.clone(),
            _ => self.cast_input(input),
        }
    }

    /// Reads an output as floats of 32 bits; returns the name to read.
    pub fn output(&mut self, output: &TensorInfo) -> String {
        if output.data_type == DataType::Float32 {
            return output.name.clone();
        }
        let name = self.free_name(&output.name);
        let cast = cast(&output.name, &name, DataType::Float32);
        self.graph.node.push(cast);
        let mut infos = self.graph.output.iter_mut();
        if let Some(info) = infos.find(|info| info.name == output.name) {
            *info = as_float(info, &name);
        }
        self.is_changed = true;
        name
    }

    /// The model to load: the source where nothing has changed.
    ///
    /// # Errors
    /// [`RuntimeError::Load`] if a changed model is too large for one message.
    pub fn finish(self, source: ModelSource) -> Result<ModelSource, RuntimeError> {
        if !self.is_changed {
            return Ok(source);
        }
        let mut proto = self.proto;
        proto.graph = Some(self.graph);
        let bytes = Model::from_proto(proto).to_bytes();
        let bytes = bytes.map_err(|error| RuntimeError::Load {
            model: self.name.clone(),
            engine: "the reader",
            reason: error.to_string(),
        })?;
        Ok(ModelSource::memory(self.name, bytes))
    }

    fn misfit(&self, input: &TensorInfo, expected: &str) -> RuntimeError {
        RuntimeError::Tensor {
            what: format!("{}: input {}", self.name, described(input)),
            expected: expected.to_owned(),
            got: format!("{:?}", input.data_type).to_lowercase(),
        }
    }

    fn cast_input(&mut self, input: &TensorInfo) -> String {
        let name = self.free_name(&input.name);
        let cast = cast(&name, &input.name, input.data_type);
        self.graph.node.insert(0, cast);
        let mut infos = self.graph.input.iter_mut();
        if let Some(info) = infos.find(|info| info.name == input.name) {
            *info = as_float(info, &name);
        }
        self.is_changed = true;
        name
    }

    /// Makes floats of an input of whole numbers, and of all that only moves them, up to the casts.
    fn make_float(&mut self, input: &TensorInfo) -> Result<(), RuntimeError> {
        let mut floats = HashSet::from([input.name.clone()]);
        for node in &self.graph.node {
            let reads = node.input.iter().any(|name| floats.contains(name));
            if !reads || node.op_type == "Cast" {
                continue;
            }
            let moved = node.input.first().is_some_and(|name| floats.contains(name));
            if !(moved && MOVES.contains(&node.op_type.as_str())) {
                let expected = match &self.quantised {
                    Some(op) => format!(
                        "a network of floats, as gradients need; this one is quantised (op `{op}`): \
                         take the float network that it was made from"
                    ),
                    None => format!(
                        "one that is cast to floats first, as gradients need; op `{}` computes with \
                         its whole numbers: export the network with a float input",
                        node.op_type
                    ),
                };
                return Err(self.misfit(input, &expected));
            }
            floats.extend(node.output.iter().cloned());
        }
        let outputs = self.graph.output.iter();
        let infos = self
            .graph
            .input
            .iter_mut()
            .chain(&mut self.graph.value_info);
        for info in infos.filter(|info| floats.contains(&info.name)) {
            *info = as_float(info, &info.name.clone());
        }
        if outputs.into_iter().any(|info| floats.contains(&info.name)) {
            return Err(self.misfit(input, "an input that the output is computed from"));
        }
        self.is_changed = true;
        Ok(())
    }

    fn free_name(&self, hint: &str) -> String {
        let mut name = format!("{hint}/float");
        let is_taken = |name: &str| {
            let ports = self.graph.input.iter().chain(&self.graph.output);
            let results = self.graph.node.iter().flat_map(|node| &node.output);
            ports
                .map(|info| &info.name)
                .chain(results)
                .any(|n| n == name)
                || self
                    .graph
                    .initializer
                    .iter()
                    .any(|tensor| tensor.name == name)
        };
        while is_taken(&name) {
            name.push('_');
        }
        name
    }
}

fn cast(from: &str, to: &str, data_type: DataType) -> NodeProto {
    NodeProto {
        name: format!("{from}/cast"),
        op_type: "Cast".to_owned(),
        input: vec![from.to_owned()],
        output: vec![to.to_owned()],
        attribute: vec![AttributeProto {
            name: "to".to_owned(),
            r#type: Some(AttributeType::Int.into()),
            i: Some(i64::from(data_type.code())),
            ..AttributeProto::default()
        }],
        ..NodeProto::default()
    }
}

/// The same port, of floats of 32 bits.
fn as_float(info: &ValueInfoProto, name: &str) -> ValueInfoProto {
    let mut info = info.clone();
    name.clone_into(&mut info.name);
    if let Some(TypeValue::TensorType(tensor)) =
        info.r#type.as_mut().and_then(|kind| kind.value.as_mut())
    {
        tensor.elem_type = Some(DataType::Float32.code());
    }
    info
}
