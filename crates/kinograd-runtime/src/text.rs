//! Prompts to conditions.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kinograd_files::Budget;
use ndarray::{Array1, Array2, Axis, Ix3};
use tokenizers::{Encoding, PostProcessor as _, Tokenizer, TruncationDirection};

use crate::{Engine, Package, Role, RuntimeError, Session, SessionOptions, Tensor};

/// Longest prompt, in characters. Far beyond any model's token limit, it bounds the work that a
/// pasted file can cause.
const MAX_CHARACTERS: usize = 2000;
/// Deepest nesting of a `tokenizer.json`; those of real models have about 6.
const MAX_DEPTH: usize = 32;

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
    tokenizer: Tokenizer,
    tokenizer_path: PathBuf,
    session: Box<dyn Session>,
    max_tokens: usize,
    ports: Ports,
    known: HashMap<String, Arc<EncodedText>>,
}

struct Ports {
    ids: String,
    mask: String,
    condition: String,
    embedding: String,
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
        let max_tokens = package.manifest().text()?.max_tokens;
        let tokenizer_path = package.file(Role::Tokenizer)?;
        let tokenizer = read_tokenizer(&tokenizer_path)?;
        let session = engine.load(&package.model(Role::TextEncoder)?, options)?;
        let port = |name| package.port(Role::TextEncoder, name);
        Ok(Self {
            tokenizer,
            tokenizer_path,
            session,
            max_tokens,
            ports: Ports {
                ids: port("token_ids"),
                mask: port("token_mask"),
                condition: port("condition"),
                embedding: port("embedding"),
            },
            known: HashMap::new(),
        })
    }

    /// Number of tokens of a prompt, before it is cut to the model's limit.
    ///
    /// # Errors
    /// [`RuntimeError::Tokenizer`] if the tokenizer fails.
    pub fn count_tokens(&self, text: &str) -> Result<usize, RuntimeError> {
        Ok(self.tokens(text)?.len() + self.added_tokens())
    }

    /// The text's own tokens, without the ones that frame a sentence.
    fn tokens(&self, text: &str) -> Result<Encoding, RuntimeError> {
        guarded(&self.tokenizer_path, || {
            self.tokenizer.encode_fast(text, false)
        })?
        .map_err(|error| tokenizer_error(&self.tokenizer_path, error))
    }

    fn added_tokens(&self) -> usize {
        self.tokenizer
            .get_post_processor()
            .map_or(0, |processor| processor.added_tokens(false))
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
        let (ids, mask) = self.inputs(text)?;
        let ports = &self.ports;
        let outputs = self.session.run(
            &[(&ports.ids, &ids), (&ports.mask, &mask)],
            &[&ports.condition, &ports.embedding],
        )?;
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
        let text = text.trim();
        if !text.is_empty() {
            check_prompt(0, text)?;
        }
        let (ids, mask) = self.inputs(text)?;
        let ports = &self.ports;
        let output = self
            .session
            .run(
                &[(&ports.ids, &ids), (&ports.mask, &mask)],
                &[&ports.condition],
            )?
            .remove(0);
        let shape = output.shape();
        let mut states = output.into_f32()?;
        if states.ndim() == 2 {
            states.insert_axis_inplace(Axis(1));
        }
        match states.into_dimensionality::<Ix3>() {
            Ok(states) if states.dim().0 == 1 => Ok(states.index_axis_move(Axis(0), 0)),
            _ => Err(RuntimeError::Tensor {
                what: "text encoder's output".into(),
                expected: format!("[1, {}, dims] or [1, dims]", self.max_tokens),
                got: format!("{shape:?}"),
            }),
        }
    }

    /// Token ids and mask, `[1, max_tokens]`.
    fn inputs(&self, text: &str) -> Result<(Tensor, Tensor), RuntimeError> {
        let mut encoding = self.tokens(text)?;
        let room = self.max_tokens.saturating_sub(self.added_tokens());
        if encoding.len() > room {
            tracing::warn!("the prompt is cut to its first {room} tokens: {text}");
            encoding.truncate(room, 0, TruncationDirection::Right);
        }
        let encoding = guarded(&self.tokenizer_path, || {
            self.tokenizer.post_process(encoding, None, true)
        })?
        .map_err(|error| tokenizer_error(&self.tokenizer_path, error))?;
        let count = encoding.len().min(self.max_tokens);
        let mut ids = Array2::<i64>::zeros((1, self.max_tokens));
        let mut mask = Array2::<f32>::zeros((1, self.max_tokens));
        for (at, &id) in encoding.get_ids().iter().take(count).enumerate() {
            ids[[0, at]] = i64::from(id);
            mask[[0, at]] = 1.0;
        }
        Ok((Tensor::from(ids), Tensor::from(mask)))
    }
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

fn read_tokenizer(path: &Path) -> Result<Tokenizer, RuntimeError> {
    let text = kinograd_files::read_text(path, Budget::of_process())
        .map_err(|error| tokenizer_error(path, error.into_io()))?;
    parsed(path, &text)
}

/// Parses and encodes, whatever comes of it.
pub(crate) fn try_tokenizer(path: &Path, text: &str) {
    if let Ok(tokenizer) = parsed(path, text) {
        let encoded = guarded(path, || tokenizer.encode_fast("a person walks", false));
        if let Ok(Ok(encoding)) = encoded {
            let _ = guarded(path, || tokenizer.post_process(encoding, None, true));
        }
    }
}

fn parsed(path: &Path, text: &str) -> Result<Tokenizer, RuntimeError> {
    check_depth(text).map_err(|reason| tokenizer_error(path, reason))?;
    let mut tokenizer = guarded(path, || text.parse::<Tokenizer>())?
        .map_err(|error| tokenizer_error(path, error))?;
    // The limit and the padding are the package's, not the file's.
    tokenizer.with_padding(None);
    tokenizer
        .with_truncation(None)
        .map_err(|error| tokenizer_error(path, error))?;
    Ok(tokenizer)
}

/// The library reads nested parts by recursion.
fn check_depth(json: &str) -> Result<(), String> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!("its parts are nested more than {MAX_DEPTH} deep"));
        }
    }
    Ok(())
}

/// Calls the library, which panics on some input.
fn guarded<T>(path: &Path, call: impl FnOnce() -> T) -> Result<T, RuntimeError> {
    kinograd_files::catch_panic("tokenizers", call).map_err(|error| tokenizer_error(path, error))
}

fn tokenizer_error(path: &Path, error: impl std::fmt::Display) -> RuntimeError {
    RuntimeError::Tokenizer {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
