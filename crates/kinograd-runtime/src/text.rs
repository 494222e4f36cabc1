//! Prompts to conditions.

use std::collections::HashMap;
use std::sync::Arc;

use ndarray::{Array1, Array2, Axis, Ix3};

use crate::prompt_tokens::PromptTokenizer;
use crate::{Engine, Package, Role, RuntimeError, Session, SessionOptions, Tensor};

/// Longest prompt, in characters. Far beyond any model's token limit, it bounds the work that a
/// pasted file can cause.
const MAX_CHARACTERS: usize = 2000;

/// What a package's text encoder makes of prompts. A text is run once and remembered.
///
/// ```no_run
/// use kinograd_runtime::{EngineOptions, SessionOptions, TextEncoder, find_package, open_engine};
///
/// let engine = open_engine(&EngineOptions::default())?.engine;
/// let package = find_package("motion-base")?;
/// let mut encoder = TextEncoder::open(&engine, &package, &SessionOptions::default())?;
/// let texts = encoder.encode(&["a person walks forward"])?;
/// println!("{:?}", texts.condition.shape());
/// # Ok::<(), kinograd_runtime::RuntimeError>(())
/// ```
pub struct TextEncoder {
    /// One, or a second for a graph of encoders with vocabularies of their own.
    tokenizers: Vec<PromptTokenizer>,
    session: Box<dyn Session>,
    max_tokens: usize,
    ports: Ports,
    known: HashMap<String, Arc<EncodedText>>,
}

struct Ports {
    condition: String,
    embedding: String,
    /// Of a package with pooled texts.
    pooled: Option<String>,
}

/// What the denoiser of an image package reads of a prompt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageText {
    /// `[tokens, dims]`.
    pub states: Array2<f32>,
    /// `[pooled_dims]`, where the package has it.
    pub pooled: Option<Array1<f32>>,
}

impl From<Array2<f32>> for ImageText {
    fn from(states: Array2<f32>) -> Self {
        Self {
            states,
            pooled: None,
        }
    }
}

struct EncodedText {
    condition: Array1<f32>,
    embedding: Array1<f32>,
}

/// Encoded prompts, one row each.
#[derive(Debug, Clone, PartialEq)]
pub struct TextBatch {
    /// `[batch, dims]`: what the denoiser takes.
    pub condition: Array2<f32>,
    /// `[batch, embedding_dims]`, unit length: what motion embeddings are compared with.
    pub embedding: Array2<f32>,
}

impl TextEncoder {
    /// Loads the package's tokenizer and text encoder.
    ///
    /// # Errors
    /// As [`Package::file`] and [`Engine::load`], and [`RuntimeError::Tokenizer`] if the
    /// tokenizer cannot be read.
    pub fn open(
        engine: &Arc<dyn Engine>,
        package: &Package,
        options: &SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let conditioning = package.manifest().text()?;
        let max_tokens = conditioning.max_tokens;
        let mut tokenizers = Vec::new();
        for (role, names) in [
            (Role::Tokenizer, ["token_ids", "token_mask"]),
            (Role::Tokenizer2, ["token_ids_2", "token_mask_2"]),
        ] {
            if role == Role::Tokenizer || package.has(role) {
                let ports = names.map(|name| package.port(Role::TextEncoder, name));
                let path = package.file(role)?;
                tokenizers.push(PromptTokenizer::read(path, max_tokens, ports)?);
            }
        }
        let session = engine.load(&package.model(Role::TextEncoder)?, options)?;
        let port = |name| package.port(Role::TextEncoder, name);
        Ok(Self {
            tokenizers,
            session,
            max_tokens,
            ports: Ports {
                condition: port("condition"),
                embedding: port("embedding"),
                pooled: conditioning.pooled_dims.map(|_| port("pooled")),
            },
            known: HashMap::new(),
        })
    }

    /// Number of tokens of a prompt, before it is cut to the model's limit.
    ///
    /// # Errors
    /// [`RuntimeError::Tokenizer`] if the tokenizer fails.
    pub fn count_tokens(&self, text: &str) -> Result<usize, RuntimeError> {
        let mut counts = self
            .tokenizers
            .iter()
            .map(|tokenizer| tokenizer.count(text));
        counts.try_fold(0, |most, count| Ok(most.max(count?)))
    }

    /// Encodes prompts; what lies beyond the model's token limit is cut, with a warning.
    ///
    /// # Errors
    /// [`RuntimeError::Prompt`] for an empty prompt or one of more than 2000 characters,
    /// otherwise as [`Session::run`].
    pub fn encode(&mut self, texts: &[&str]) -> Result<TextBatch, RuntimeError> {
        let mut rows = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let text = text.trim();
            check_prompt(index, text)?;
            if let Some(row) = self.known.get(text) {
                rows.push(row.clone());
                continue;
            }
            let row = Arc::new(self.encode_one(text)?);
            self.known.insert(text.to_owned(), row.clone());
            rows.push(row);
        }
        let stack = |pick: fn(&EncodedText) -> &Array1<f32>| {
            let views: Vec<_> = rows.iter().map(|row| pick(row).view()).collect();
            match views.as_slice() {
                [] => Ok(Array2::zeros((0, 0))),
                views => {
                    ndarray::stack(ndarray::Axis(0), views).map_err(|error| RuntimeError::Tensor {
                        what: "text encoder's output".into(),
                        expected: "rows of one width".into(),
                        got: error.to_string(),
                    })
                }
            }
        };
        Ok(TextBatch {
            condition: stack(|text| &text.condition)?,
            embedding: stack(|text| &text.embedding)?,
        })
    }

    /// One text per run, always padded to the limit: a text's numbers do not depend on its
    /// neighbours, and the built-in engine optimises its graph for one shape only.
    fn encode_one(&mut self, text: &str) -> Result<EncodedText, RuntimeError> {
        let inputs = inputs(&self.tokenizers, text)?;
        let ports = &self.ports;
        let outputs = self
            .session
            .run(&named(&inputs), &[&ports.condition, &ports.embedding])?;
        let mut rows = outputs.into_iter().map(|output| {
            let shape = output.shape();
            let flat = output.into_f32()?.into_flat();
            match shape.as_slice() {
                [1, _] => Ok(flat),
                other => Err(RuntimeError::Tensor {
                    what: "text encoder's output".into(),
                    expected: "[1, width]".into(),
                    got: format!("{other:?}"),
                }),
            }
        });
        let missing = || RuntimeError::Tensor {
            what: "text encoder's outputs".into(),
            expected: "two tensors".into(),
            got: "fewer".into(),
        };
        Ok(EncodedText {
            condition: rows.next().ok_or_else(missing)??,
            embedding: rows.next().ok_or_else(missing)??,
        })
    }

    /// What the denoiser of an image package reads of a prompt: `[max_tokens, dims]`, or `[1, dims]`
    /// of an encoder that makes one vector.
    ///
    /// # Errors
    /// [`RuntimeError::Prompt`] for a prompt of more than 2000 characters, [`RuntimeError::Tensor`]
    /// if the encoder returns another rank, otherwise as [`Session::run`].
    pub fn hidden_states(&mut self, text: &str) -> Result<Array2<f32>, RuntimeError> {
        Ok(self.image_text(text)?.states)
    }

    /// All that the denoiser of an image package reads of a prompt.
    ///
    /// # Errors
    /// As [`TextEncoder::hidden_states`].
    pub fn image_text(&mut self, text: &str) -> Result<ImageText, RuntimeError> {
        let text = text.trim();
        if !text.is_empty() {
            check_prompt(0, text)?;
        }
        let inputs = inputs(&self.tokenizers, text)?;
        let mut wanted = vec![self.ports.condition.as_str()];
        wanted.extend(self.ports.pooled.as_deref());
        let mut outputs = self.session.run(&named(&inputs), &wanted)?.into_iter();
        let wrong = |expected: String, got: String| RuntimeError::Tensor {
            what: "text encoder's output".into(),
            expected,
            got,
        };
        let expected = format!("[1, {}, dims] or [1, dims]", self.max_tokens);
        let Some(output) = outputs.next() else {
            return Err(wrong(expected, "nothing".into()));
        };
        let shape = output.shape();
        let mut states = output.into_f32()?;
        if states.ndim() == 2 {
            states.insert_axis_inplace(Axis(1));
        }
        let states = match states.into_dimensionality::<Ix3>() {
            Ok(states) if states.dim().0 == 1 => states.index_axis_move(Axis(0), 0),
            _ => return Err(wrong(expected, format!("{shape:?}"))),
        };
        let pooled = match outputs.next() {
            Some(output) => Some(output.into_f32()?.into_flat()),
            None => None,
        };
        Ok(ImageText { states, pooled })
    }
}

/// Token ids and mask of every tokenizer, `[1, max_tokens]`.
fn inputs<'a>(
    tokenizers: &'a [PromptTokenizer],
    text: &str,
) -> Result<Vec<(&'a str, Tensor)>, RuntimeError> {
    let mut inputs = Vec::with_capacity(2 * tokenizers.len());
    for tokenizer in tokenizers {
        inputs.extend(tokenizer.inputs(text)?);
    }
    Ok(inputs)
}

fn named<'a>(inputs: &'a [(&'a str, Tensor)]) -> Vec<(&'a str, &'a Tensor)> {
    let pairs = inputs.iter().map(|(name, tensor)| (*name, tensor));
    pairs.collect()
}

fn check_prompt(index: usize, text: &str) -> Result<(), RuntimeError> {
    let bad = |reason: String| Err(RuntimeError::Prompt { index, reason });
    if text.is_empty() {
        return bad("it is empty; say what the person does".into());
    }
    let characters = text.chars().count();
    if characters > MAX_CHARACTERS {
        return bad(format!(
            "it has {characters} characters; at most {MAX_CHARACTERS} are read"
        ));
    }
    Ok(())
}
