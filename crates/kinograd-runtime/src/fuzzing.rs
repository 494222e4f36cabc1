//! What fuzzers, and tests of other crates, run: readers that are no interface of their own.

use std::path::Path;

use ndarray::ArrayD;

use crate::RuntimeError;
use crate::prompt_tokens::PromptTokenizer;

/// Reads a `tokenizer.json` and, where it is one, encodes a prompt.
pub fn tokenizer(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    crate::prompt_tokens::try_tokenizer(Path::new("tokenizer.json"), text);
}

/// Looks for the pinned wheel on a page of a package index.
pub fn index_page(bytes: &[u8]) {
    crate::install::try_page(&String::from_utf8_lossy(bytes));
}

/// Token ids and mask, `[1, max_tokens]` each, of a prompt.
pub type PromptTokens = Result<(ArrayD<i64>, ArrayD<f32>), RuntimeError>;

/// What turns a prompt into token ids and mask, `[1, max_tokens]` each, by a `tokenizer.json`.
///
/// # Errors
/// [`RuntimeError`] if the file is no tokenizer, or a prompt cannot be encoded.
pub fn prompt_encoder(
    path: &Path,
    max_tokens: usize,
) -> Result<impl Fn(&str) -> PromptTokens, RuntimeError> {
    let ports = ["ids", "mask"].map(str::to_owned);
    let tokenizer = PromptTokenizer::read(path.to_owned(), max_tokens, ports)?;
    Ok(move |prompt: &str| {
        let [(_, ids), (_, mask)] = tokenizer.inputs(prompt)?;
        Ok((ids.to_i64()?, mask.to_f32()?.into_owned()))
    })
}
