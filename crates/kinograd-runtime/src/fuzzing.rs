//! What fuzzers and tests run on arbitrary bytes: readers that are no interface of their own.

use std::path::Path;

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
