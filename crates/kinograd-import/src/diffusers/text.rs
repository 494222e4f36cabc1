//! The text encoders of a pipeline as one graph, and their tokenizers.

use std::path::PathBuf;

use kinograd_runtime::{FileEntry, RuntimeError};
use onnx_grad::{Dimension, Model, TensorInfo};
use serde_json::Value;

use super::family::Family;
use super::files::GraphFile;
use super::folder::{PipelineFolder, number};
use super::tokenizer::{self, ClipTokenizer};
use crate::adapt::{self, EncoderPart};

/// A pipeline's text encoders.
pub(super) struct Encoders {
    pub model: Model,
    pub data: Vec<(PathBuf, String)>,
    pub entry: FileEntry,
    /// `tokenizer.json` of each, and its name in the package.
    pub tokenizers: Vec<(String, &'static str)>,
    pub max_tokens: usize,
    pub pooled_dims: Option<usize>,
}

/// Folders of an encoder and its tokenizer, and the names in the package.
struct Part {
    encoder: &'static str,
    tokenizer: &'static str,
    file: &'static str,
    ports: [&'static str; 2],
}

const PARTS: [Part; 2] = [
    Part {
        encoder: "text_encoder",
        tokenizer: "tokenizer",
        file: "tokenizer.json",
        ports: ["token_ids", "token_mask"],
    },
    Part {
        encoder: "text_encoder_2",
        tokenizer: "tokenizer_2",
        file: "tokenizer_2.json",
        ports: ["token_ids_2", "token_mask_2"],
    },
];

/// Of XL two: their last states but one lie beside each other, and the second's `text_embeds` is the pooled text.
pub(super) fn read(folder: &PipelineFolder, family: Family) -> Result<Encoders, RuntimeError> {
    let is_xl = family == Family::StableDiffusionXl;
    let count = if is_xl { 2 } else { 1 };
    let (mut parts, mut data, mut tokenizers) = (Vec::new(), Vec::new(), Vec::new());
    let (mut max_tokens, mut pooled_dims) = (None, None);
    for part in PARTS.iter().take(count) {
        let mut graph = GraphFile::read(folder.graph(part.encoder)?, part.encoder)?;
        let config = folder.json(&format!("{}/config.json", part.encoder))?;
        let config = config.unwrap_or(Value::Null);
        let tokenizer = tokenizer::read(folder, part.tokenizer)?;
        let tokens = tokens_of(folder, part, &graph.model, &config, &tokenizer)?;
        let least = max_tokens.get_or_insert(tokens);
        *least = tokens.min(*least);
        let outputs = graph.model.outputs();
        let states = if is_xl {
            last_but_one(folder, part, &outputs)?
        } else {
            "last_hidden_state".to_owned()
        };
        let pooled = (is_xl && part.encoder == "text_encoder_2").then(|| "text_embeds".to_owned());
        if pooled.is_some() {
            pooled_dims = Some(pooled_width(folder, part, &config)?);
        }
        data.extend(graph.take_data());
        tokenizers.push((tokenizer.json, part.file));
        parts.push(EncoderPart {
            onnx: graph.onnx,
            model: graph.model,
            pad: tokenizer.pad,
            states,
            pooled,
            ports: part.ports,
        });
    }
    let (model, entry) = adapt::text_encoder(parts)?;
    let max_tokens = max_tokens.unwrap_or(1);
    Ok(Encoders {
        model,
        data,
        entry,
        tokenizers,
        max_tokens,
        pooled_dims,
    })
}

/// How many tokens the encoder takes, which its tokenizer has to know.
fn tokens_of(
    folder: &PipelineFolder,
    part: &Part,
    model: &Model,
    config: &Value,
    tokenizer: &ClipTokenizer,
) -> Result<usize, RuntimeError> {
    let (encoder, words) = (part.encoder, part.tokenizer);
    if let Some(size) = number(config, "vocab_size")
        && tokenizer.last >= size as i64
    {
        return Err(folder.refuse(&format!(
            "{words} has tokens up to {}, but {encoder}/config.json says vocab_size {size}: they do not belong \
             together",
            tokenizer.last
        )));
    }
    let inputs = model.inputs();
    let shape = inputs.first().and_then(|ids| ids.shape.as_deref());
    let graph = match shape.and_then(|shape| shape.get(1)) {
        Some(Dimension::Fixed(n)) => usize::try_from(*n).ok(),
        _ => None,
    };
    let limits = [
        number(config, "max_position_embeddings"),
        tokenizer.max_tokens,
    ];
    let least = limits.into_iter().flatten().min();
    match (graph, least) {
        (Some(fixed), Some(least)) if fixed > least => Err(folder.refuse(&format!(
            "{encoder}/model.onnx takes {fixed} tokens, {words} makes at most {least}: they do not belong together"
        ))),
        (Some(fixed), _) => Ok(fixed),
        (None, Some(least)) if least > 2 => Ok(least),
        _ => Err(folder.refuse(&format!(
            "neither {encoder}/config.json (max_position_embeddings) nor {words}/tokenizer_config.json \
             (model_max_length) says how many tokens a prompt has"
        ))),
    }
}

/// The states before the last layer.
fn last_but_one(
    folder: &PipelineFolder,
    part: &Part,
    outputs: &[TensorInfo],
) -> Result<String, RuntimeError> {
    let index = |tensor: &TensorInfo| {
        tensor
            .name
            .strip_prefix("hidden_states.")?
            .parse::<usize>()
            .ok()
    };
    let last = outputs.iter().filter_map(index).max();
    last.and_then(|last| last.checked_sub(1))
        .map(|layer| format!("hidden_states.{layer}"))
        .ok_or_else(|| {
            folder.refuse(&format!(
                "{}/model.onnx has no outputs hidden_states.0, .1 …; export it with output_hidden_states",
                part.encoder
            ))
        })
}

fn pooled_width(
    folder: &PipelineFolder,
    part: &Part,
    config: &Value,
) -> Result<usize, RuntimeError> {
    number(config, "projection_dim").ok_or_else(|| {
        folder.refuse(&format!(
            "{}/config.json does not say projection_dim, the width of text_embeds",
            part.encoder
        ))
    })
}
