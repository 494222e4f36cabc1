//! CLIP text encoders as exporters write them, brought to the contract of packages.

use std::path::Path;

use kinograd_runtime::{FileEntry, RuntimeError};
use onnx_grad::{DataType, Dimension, Model, TensorInfo};

use super::axes::described;
use super::graph::AdaptedGraph;
use super::step::Step;

/// A text encoder in the contract of packages.
pub(crate) struct AdaptedText {
    pub entry: FileEntry,
    pub model: Model,
    /// Width of the condition.
    pub dims: usize,
    /// Tokens that are read of a prompt.
    pub tokens: usize,
}

/// Fits a CLIP text encoder with its projection (`input_ids [batch, tokens]` → `text_embeds [batch, d]`)
/// to the contract: what is no token is 0, ids are filled up to the graph's own length, the condition is
/// `text_embeds` as they are, the embedding the same at unit length.
pub(crate) fn clip_text(
    onnx: &Path,
    model: Model,
    max_tokens: usize,
) -> Result<AdaptedText, RuntimeError> {
    let refuse = |message: String| RuntimeError::Request {
        field: "text",
        message: format!("{}: {message}; nothing was added", onnx.display()),
    };
    let found = Found::of(&model).map_err(&refuse)?;
    let (tokens, filled) = lengths(&found.ids, max_tokens).map_err(&refuse)?;
    let dims = width(&found.embeds).map_err(&refuse)?;
    if model.opset() < 13 {
        let opset = model.opset();
        return Err(refuse(format!(
            "operator set {opset}; export it with 13 or later"
        )));
    }
    let mut graph = AdaptedGraph::of(model);
    let [ids, mask] = feed_tokens(&mut graph, &found, tokens, filled);
    let cast = match found.embeds.data_type {
        DataType::Float32 => vec![],
        _ => vec![Step::Cast(DataType::Float32)],
    };
    let batch = Dimension::Named("batch".to_owned());
    let shape = [batch, Dimension::Fixed(dims as i64)];
    let condition = graph.output(&found.embeds, "condition", &shape, &cast);
    let embedding = graph.unit_length(&condition, "embedding", dims);
    let renamed = |pairs: [(&str, String); 2]| {
        let pairs = pairs
            .into_iter()
            .filter(|(canonical, own)| canonical != own);
        pairs
            .map(|(canonical, own)| (canonical.to_owned(), own))
            .collect()
    };
    let entry = FileEntry {
        path: "text_encoder.onnx".to_owned(),
        inputs: renamed([("token_ids", ids), ("token_mask", mask)]),
        outputs: renamed([("condition", condition), ("embedding", embedding)]),
        ..FileEntry::default()
    };
    let model = graph.finish();
    let model = model.ok_or_else(|| refuse("nothing feeds it".to_owned()))?;
    Ok(AdaptedText {
        entry,
        model,
        dims,
        tokens,
    })
}

/// The tensors of a CLIP text encoder.
struct Found {
    ids: TensorInfo,
    attention: Option<TensorInfo>,
    embeds: TensorInfo,
}

impl Found {
    fn of(model: &Model) -> Result<Self, String> {
        let (mut ids, mut attention) = (None, None);
        for input in model.inputs() {
            let is_whole = matches!(input.data_type, DataType::Int64 | DataType::Int32);
            let is_rows = input.shape.as_ref().is_some_and(|shape| shape.len() == 2);
            match input.name.as_str() {
                "input_ids" | "token_ids" if is_whole && is_rows => ids = Some(input),
                "attention_mask" if is_whole && is_rows => attention = Some(input),
                _ => {
                    return Err(format!(
                        "input {} is none that a CLIP text encoder is given: expected whole numbers, \
                         [batch, tokens], `input_ids` and, if any, `attention_mask`",
                        described(&input)
                    ));
                }
            }
        }
        let ids = ids.ok_or("it has no input `input_ids`, whole numbers [batch, tokens]")?;
        let outputs = model.outputs();
        let embeds = outputs.iter().find(|output| output.name == "text_embeds");
        let embeds = embeds.ok_or_else(|| {
            let names: Vec<String> = outputs.iter().map(described).collect();
            format!(
                "expected an output `text_embeds`, [batch, width], among {}; export CLIP's text model \
                 with its projection (CLIPTextModelWithProjection)",
                names.join(", ")
            )
        })?;
        Ok(Self {
            ids,
            attention,
            embeds: embeds.clone(),
        })
    }
}

fn width(embeds: &TensorInfo) -> Result<usize, String> {
    let width = match embeds.shape.as_deref() {
        Some([_, Dimension::Fixed(width)]) if embeds.data_type.is_float() => Some(*width),
        _ => None,
    };
    let width = width.and_then(|width| usize::try_from(width).ok());
    width.filter(|&width| width > 0).ok_or_else(|| {
        format!(
            "output {}: expected floats [batch, width]",
            described(embeds)
        )
    })
}

/// How many tokens are read, and how many zeros fill them up to what the graph takes.
fn lengths(ids: &TensorInfo, max_tokens: usize) -> Result<(usize, usize), String> {
    let expected = || format!("input {}: expected [batch, tokens]", described(ids));
    let Some([batch, tokens]) = ids.shape.as_deref() else {
        return Err(expected());
    };
    if matches!(batch, Dimension::Fixed(rows) if *rows != 1) {
        return Err(format!("{}, a free batch or one of 1", expected()));
    }
    let Dimension::Fixed(own) = tokens else {
        return Ok((max_tokens, 0));
    };
    let own = usize::try_from(*own).map_err(|_| expected())?;
    let read = own.min(max_tokens);
    Ok((read, own - read))
}

/// Feeds ids and mask from those of the contract; returns the names to feed.
fn feed_tokens(
    graph: &mut AdaptedGraph,
    found: &Found,
    tokens: usize,
    filled: usize,
) -> [String; 2] {
    let dims = [
        Dimension::Named("batch".to_owned()),
        Dimension::Fixed(tokens as i64),
    ];
    let ids = graph.add_input("token_ids", DataType::Int64, &dims);
    let mask = graph.add_input("token_mask", DataType::Float32, &dims);
    let half = graph.number(&mask, 0.5);
    let zero = graph.whole_numbers(&ids, vec![], vec![0]);
    let real = graph.fed("Greater", &[&mask, &half], None);
    let kept = graph.fed("Where", &[&real, &ids, &zero], None);
    let real = graph.fed("Cast", &[&real], Some(DataType::Int64));
    let own = [(Some(&found.ids), kept), (found.attention.as_ref(), real)];
    for (own, mut from) in own {
        let Some(own) = own else { continue };
        graph.take_input(&own.name);
        if filled > 0 {
            let pads = graph.whole_numbers(&from, vec![4], vec![0, 0, 0, filled as i64]);
            from = graph.fed("Pad", &[&from, &pads], None);
        }
        graph.feed("Cast", &[&from], &own.name, Some(own.data_type));
    }
    [ids, mask]
}
