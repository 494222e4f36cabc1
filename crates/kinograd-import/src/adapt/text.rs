//! Text encoders: one graph of one or more, which takes token ids with their mask and makes one condition.

use std::path::PathBuf;

use kinograd_runtime::{FileEntry, RuntimeError};
use onnx_grad::proto::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use onnx_grad::{DataType, Dimension, Model, TensorInfo};

use super::axes::described;
use super::graph::{int, port_of};

/// One encoder of a text.
pub(crate) struct EncoderPart {
    pub onnx: PathBuf,
    pub model: Model,
    /// What stands where there is no token.
    pub pad: i64,
    /// Its output that the denoiser reads, `[batch, tokens, dims]`.
    pub states: String,
    /// Its output for the whole text, `[batch, dims]`, where it is read.
    pub pooled: Option<String>,
    /// The contract's names of its ids and mask.
    pub ports: [&'static str; 2],
}

/// Joins encoders whose states lie beside each other: `[batch, tokens, d1 + d2 + …]`. The names of each
/// get its part's name in front.
pub(crate) fn text_encoder(parts: Vec<EncoderPart>) -> Result<(Model, FileEntry), RuntimeError> {
    let mut joined = ModelProto::default();
    let mut graph = GraphProto {
        name: "text_encoder".to_owned(),
        ..GraphProto::default()
    };
    let (mut states, mut pooled) = (Vec::new(), Vec::new());
    for (index, part) in parts.into_iter().enumerate() {
        let prefix = format!("encoder_{}/", index + 1);
        let ids = ids_of(&part)?;
        for (output, into) in [
            (Some(&part.states), &mut states),
            (part.pooled.as_ref(), &mut pooled),
        ] {
            if let Some(output) = output {
                check_output(&part, output)?;
                into.push(format!("{prefix}{output}"));
            }
        }
        let mut proto = part.model.into_proto();
        let own = proto.graph.take().unwrap_or_default();
        adopt(&mut joined, proto, &part.onnx)?;
        feed(&mut graph, &ids, part.pad, part.ports, &prefix);
        append(&mut graph, own, &prefix);
    }
    collect(&mut graph, "condition", &states, 3);
    if !pooled.is_empty() {
        collect(&mut graph, "pooled", &pooled, 2);
    }
    joined.graph = Some(graph);
    let entry = FileEntry {
        path: "text_encoder.onnx".to_owned(),
        ..FileEntry::default()
    };
    Ok((Model::from_proto(joined), entry))
}

fn refuse(onnx: &std::path::Path, message: &str) -> RuntimeError {
    RuntimeError::Request {
        field: "model",
        message: format!("{}: {message}; nothing was added", onnx.display()),
    }
}

/// The one input, token ids.
fn ids_of(part: &EncoderPart) -> Result<TensorInfo, RuntimeError> {
    let inputs = part.model.inputs();
    let is_ids = |t: &TensorInfo| {
        matches!(t.data_type, DataType::Int64 | DataType::Int32)
            && t.shape.as_ref().is_some_and(|shape| shape.len() == 2)
    };
    match inputs.as_slice() {
        [only] if is_ids(only) => Ok(only.clone()),
        _ => {
            let listed: Vec<String> = inputs.iter().map(described).collect();
            let message = format!(
                "a text encoder takes token ids, [batch, tokens] of whole numbers, and no more; this \
                 one has {}",
                listed.join(", ")
            );
            Err(refuse(&part.onnx, &message))
        }
    }
}

fn check_output(part: &EncoderPart, name: &str) -> Result<(), RuntimeError> {
    let outputs = part.model.outputs();
    if outputs.iter().any(|output| output.name == name) {
        return Ok(());
    }
    let listed: Vec<String> = outputs.iter().map(described).collect();
    let message = format!("it has no output `{name}`, but {}", listed.join(", "));
    Err(refuse(&part.onnx, &message))
}

/// Takes over what a model has besides its graph.
fn adopt(
    joined: &mut ModelProto,
    proto: ModelProto,
    onnx: &std::path::Path,
) -> Result<(), RuntimeError> {
    joined.ir_version = joined.ir_version.max(proto.ir_version);
    for import in proto.opset_import {
        let known = joined
            .opset_import
            .iter()
            .find(|k| k.domain == import.domain);
        match known.map(|known| known.version) {
            None => joined.opset_import.push(import),
            Some(version) if version == import.version => {}
            Some(version) => {
                let message = format!(
                    "it is written in operator set {}, the encoder before it in {}; export both alike",
                    import.version.unwrap_or_default(),
                    version.unwrap_or_default()
                );
                return Err(refuse(onnx, &message));
            }
        }
    }
    let is_known = |name: &str| joined.functions.iter().any(|known| known.name == name);
    if proto
        .functions
        .iter()
        .any(|function| is_known(&function.name))
    {
        let message =
            "it has a function of the name of another encoder's; export it without functions";
        return Err(refuse(onnx, message));
    }
    joined.functions.extend(proto.functions);
    Ok(())
}

/// Ids where the mask is 1 and `pad` elsewhere, to the encoder's own input.
fn feed(graph: &mut GraphProto, ids: &TensorInfo, pad: i64, ports: [&str; 2], prefix: &str) {
    let free = [
        Dimension::Named("batch".into()),
        Dimension::Named("tokens".into()),
    ];
    for (name, data_type) in ports.iter().zip([DataType::Int64, DataType::Float32]) {
        if !graph.input.iter().any(|input| input.name == *name) {
            graph.input.push(port_of(name, data_type, &free));
        }
    }
    let named = |part: &str| format!("{prefix}fed/{part}");
    graph.initializer.push(TensorProto {
        name: named("pad"),
        data_type: Some(DataType::Int64.code()),
        int64_data: vec![pad],
        ..TensorProto::default()
    });
    let cast = |from: String, to: String, code: i32| {
        node("Cast", vec![from], to, vec![int("to", i64::from(code))])
    };
    let [token_ids, mask] = ports.map(str::to_owned);
    let own = format!("{prefix}{}", ids.name);
    graph.node.extend([
        cast(mask, named("is_token"), DataType::Bool.code()),
        node(
            "Where",
            vec![named("is_token"), token_ids, named("pad")],
            named("ids"),
            Vec::new(),
        ),
        cast(named("ids"), own, ids.data_type.code()),
    ]);
}

/// An output of 32-bit floats, of one tensor or several beside each other.
fn collect(graph: &mut GraphProto, name: &str, from: &[String], rank: usize) {
    let mut wide = Vec::with_capacity(from.len());
    for (index, part) in from.iter().enumerate() {
        let cast = format!("{name}/{index}");
        let to = int("to", i64::from(DataType::Float32.code()));
        graph
            .node
            .push(node("Cast", vec![part.clone()], cast.clone(), vec![to]));
        wide.push(cast);
    }
    let joined = node("Concat", wide, name.to_owned(), vec![int("axis", -1)]);
    graph.node.push(joined);
    let dims = vec![Dimension::Unknown; rank];
    graph.output.push(port_of(name, DataType::Float32, &dims));
}

fn node(
    op: &str,
    input: Vec<String>,
    output: String,
    attribute: Vec<onnx_grad::proto::AttributeProto>,
) -> NodeProto {
    NodeProto {
        name: format!("{output}/{op}"),
        op_type: op.to_owned(),
        input,
        output: vec![output],
        attribute,
        ..NodeProto::default()
    }
}

/// Takes over nodes and weights, their names behind the prefix; inputs and outputs are left out.
fn append(graph: &mut GraphProto, mut own: GraphProto, prefix: &str) {
    rename(&mut own, prefix);
    graph.node.append(&mut own.node);
    graph.initializer.append(&mut own.initializer);
    graph.sparse_initializer.append(&mut own.sparse_initializer);
    graph
        .quantization_annotation
        .append(&mut own.quantization_annotation);
}

fn rename(graph: &mut GraphProto, prefix: &str) {
    let put = |name: &mut String| {
        if !name.is_empty() {
            name.insert_str(0, prefix);
        }
    };
    graph
        .initializer
        .iter_mut()
        .for_each(|tensor| put(&mut tensor.name));
    for sparse in &mut graph.sparse_initializer {
        sparse
            .values
            .iter_mut()
            .for_each(|values| put(&mut values.name));
    }
    for annotation in &mut graph.quantization_annotation {
        put(&mut annotation.tensor_name);
        let tensors = annotation.quant_parameter_tensor_names.iter_mut();
        tensors.for_each(|entry| put(&mut entry.value));
    }
    let infos = graph.input.iter_mut().chain(&mut graph.output);
    let infos = infos.chain(&mut graph.value_info);
    infos.for_each(|info: &mut ValueInfoProto| put(&mut info.name));
    for node in &mut graph.node {
        put(&mut node.name);
        node.input.iter_mut().chain(&mut node.output).for_each(put);
        for attribute in &mut node.attribute {
            let bodies = attribute.g.iter_mut().map(AsMut::as_mut);
            bodies
                .chain(&mut attribute.graphs)
                .for_each(|body| rename(body, prefix));
        }
    }
}
