//! Prompts to token ids.

use std::path::{Path, PathBuf};

use kinograd_files::Budget;
use ndarray::Array2;
use tokenizers::{Encoding, PostProcessor as _, Tokenizer, TruncationDirection};

use crate::{RuntimeError, Tensor};

/// Deepest nesting of a `tokenizer.json`; those of real models have about 6.
const MAX_DEPTH: usize = 32;

/// A tokenizer, how many tokens it may make, and what its graph calls ids and mask.
pub(crate) struct PromptTokenizer {
    tokenizer: Tokenizer,
    path: PathBuf,
    max_tokens: usize,
    ports: [String; 2],
}

impl PromptTokenizer {
    /// Reads a `tokenizer.json`.
    pub fn read(
        path: PathBuf,
        max_tokens: usize,
        ports: [String; 2],
    ) -> Result<Self, RuntimeError> {
        let tokenizer = read_tokenizer(&path)?;
        Ok(Self {
            tokenizer,
            path,
            max_tokens,
            ports,
        })
    }

    /// Number of tokens of a prompt, before it is cut to the limit.
    pub fn count(&self, text: &str) -> Result<usize, RuntimeError> {
        Ok(self.tokens(text)?.len() + self.added_tokens())
    }

    /// The text's own tokens, without the ones that frame a sentence.
    fn tokens(&self, text: &str) -> Result<Encoding, RuntimeError> {
        guarded(&self.path, || self.tokenizer.encode_fast(text, false))?
            .map_err(|error| tokenizer_error(&self.path, error))
    }

    fn added_tokens(&self) -> usize {
        let processor = self.tokenizer.get_post_processor();
        processor.map_or(0, |processor| processor.added_tokens(false))
    }

    /// Token ids and mask, `[1, max_tokens]`, with the graph's names; what lies beyond the limit is cut,
    /// with a warning.
    pub fn inputs(&self, text: &str) -> Result<[(&str, Tensor); 2], RuntimeError> {
        let mut encoding = self.tokens(text)?;
        let room = self.max_tokens.saturating_sub(self.added_tokens());
        if encoding.len() > room {
            tracing::warn!("the prompt is cut to its first {room} tokens: {text}");
            encoding.truncate(room, 0, TruncationDirection::Right);
        }
        let encoding = guarded(&self.path, || {
            self.tokenizer.post_process(encoding, None, true)
        })?
        .map_err(|error| tokenizer_error(&self.path, error))?;
        let count = encoding.len().min(self.max_tokens);
        let mut ids = Array2::<i64>::zeros((1, self.max_tokens));
        let mut mask = Array2::<f32>::zeros((1, self.max_tokens));
        for (at, &id) in encoding.get_ids().iter().take(count).enumerate() {
            ids[[0, at]] = i64::from(id);
            mask[[0, at]] = 1.0;
        }
        let [ids_port, mask_port] = &self.ports;
        Ok([
            (ids_port, Tensor::from(ids)),
            (mask_port, Tensor::from(mask)),
        ])
    }
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
